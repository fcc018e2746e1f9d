/**
 * Maps that are disposed while the host's own calls have their bytes, on other threads and in the kernel. What a call
 * makes of it is the host's: an error, zeros, the bytes of before. That the process goes on is asked for, while
 * thousands of other maps come and go where the first one was, and the collector runs.
 */
import { before, describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { outputOf } from "../child.ts";
import { tiered } from "../tier.ts";
import { scratch, TOOLS } from "./scratch.ts";

/** Maps that come and go at a time. */
const OTHERS = tiered({ quick: 100, full: 400, soak: 4_000 });
/** How long calls that have lost their bytes may take to end, where they do. */
const LATE_MS = tiered({ quick: 50, full: 500, soak: 500 });

/** Some milliseconds of each call. */
const LENGTH = tiered({ quick: 1 << 22, full: 1 << 24, soak: 1 << 24 });

const disk = scratch();
let path = "";

before(() => {
  path = disk.file(LENGTH);
});

/** `calls` are functions of bytes; each is begun with a map of its own, which is then disposed under it. */
function survives(calls: string, length = LENGTH): void {
  const source = `${TOOLS}
    const { Buffer } = await import("node:buffer");
    const path = ${JSON.stringify(path)};
    // What a host makes of a detached buffer is an exception of its own, and often nobody's.
    for (const event of ["uncaughtException", "unhandledRejection"]) process.on(event, () => {});
    function dispose(map) {
      try {
        map[Symbol.dispose]();
      } catch (error) {
        if (error.name !== "MapTransferredError") throw error;
      }
    }
    function churn(count) {
      for (let i = 0; i < count; i++) {
        const map = Mmap.open(path, { offset: i });
        if (i % 7 === 0) map.bytes()[0];
        if (i % 31 !== 0) map[Symbol.dispose]();
      }
      gc();
    }
    const zeros = Buffer.alloc(${length});
    const writers = new Set();
    const writes = (call) => (writers.add(call), call);
    const calls = await (async () => { ${calls} })();
    let readable = 0;
    for (let round = 0; round < 3; round++) {
      const maps = calls.map(() => Mmap.open(path, { mode: ["r", "r+", "c"][round], length: ${length} }));
      const views = maps.map((map) => map.bytes());
      const ends = calls.map((call, i) => (async () => await call(views[i]))());
      for (const end of ends) end.catch(() => {});
      await sleep(round * 3);
      for (const map of maps) dispose(map);
      for (let i = 0; i < 4; i++) {
        churn(${OTHERS});
        await sleep(1);
      }
      // A call that writes may do so late, into the pages that are there by then.
      for (const [i, view] of views.entries()) {
        readable += view.length === 0 || writers.has(calls[i]) || zeros.equals(view) ? 1 : 0;
      }
      await Promise.race([Promise.allSettled(ends), sleep(${LATE_MS})]);
      gc();
      churn(${OTHERS} / 2);
    }
    console.log(readable === 3 * calls.length);
    process.exit(0);
  `;
  // A host may go on with words about what it lost.
  assertEquals(outputOf(source).split("\n")[0], "true");
}

describe("a map may be disposed while its bytes", () => {
  it("are hashed", () => {
    survives(`
      const { default: crypto } = await import("node:crypto");
      const { promisify } = await import("node:util");
      const key = await crypto.subtle.generateKey({ name: "AES-GCM", length: 128 }, false, ["encrypt"]);
      return [
        (bytes) => crypto.subtle.digest("SHA-256", bytes),
        (bytes) => crypto.subtle.digest("SHA-512", bytes.subarray(5)),
        (bytes) => crypto.subtle.encrypt({ name: "AES-GCM", iv: bytes.subarray(0, 12) }, key, bytes),
        writes((bytes) => promisify(crypto.randomFill)(bytes)),
        (bytes) => promisify(crypto.scrypt)(bytes, bytes.subarray(0, 16), 64),
      ];`);
  });

  it("are compressed", () => {
    survives(`
      const zlib = await import("node:zlib");
      const { promisify } = await import("node:util");
      const calls = ["gzip", "deflate", "deflateRaw", "brotliCompress", "zstdCompress"].filter((name) => name in zlib);
      return [
        ...calls.map((name) => (bytes) => promisify(zlib[name])(bytes)),
        (bytes) => new Response(new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"))).arrayBuffer(),
        (bytes) => {
          const stream = zlib.createGzip();
          stream.on("error", () => {});
          stream.on("data", () => {});
          stream.end(bytes);
          return new Promise((resolve) => stream.on("close", resolve));
        },
      ];`);
  });

  it("are written to files", () => {
    survives(`
      const { promisify } = await import("node:util");
      const fd = fs.openSync(join(folder, "written.bin"), "w");
      return [
        (bytes) => fs.promises.writeFile(join(folder, "first.bin"), bytes),
        (bytes) => fs.promises.appendFile(join(folder, "second.bin"), bytes),
        (bytes) => promisify(fs.write)(fd, bytes, 0, bytes.length, 0),
        (bytes) => promisify(fs.writev)(fd, [bytes.subarray(0, 1 << 21), bytes.subarray(1 << 21)], 0),
        async (bytes) => {
          const stream = fs.createWriteStream(join(folder, "third.bin"));
          stream.on("error", () => {});
          stream.end(bytes);
          await new Promise((resolve) => stream.on("close", resolve));
        },
      ];`);
  });

  it("are read into from files", () => {
    survives(`
      const { promisify } = await import("node:util");
      const fd = fs.openSync(path, "r");
      return [
        writes((bytes) => promisify(fs.read)(fd, bytes, 0, bytes.length, 0)),
        writes((bytes) => promisify(fs.readv)(fd, [bytes], 0)),
      ];`);
  });

  it("are sent to somebody who does not read", () => {
    survives(`
      const { default: net } = await import("node:net");
      const server = net.createServer((socket) => {
        socket.pause();
        socket.on("error", () => {});
      });
      await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
      const send = (bytes) => new Promise((resolve) => {
        const socket = net.connect(server.address().port, "127.0.0.1", () => socket.write(bytes, resolve));
        socket.on("error", resolve);
      });
      return [send, (bytes) => send(bytes.subarray(100)), send];`);
  });

  it("are a request's or an answer's body", () => {
    survives(`
      const { default: http } = await import("node:http");
      const server = http.createServer((request, response) => {
        if (request.method === "POST") setTimeout(() => { request.resume(); request.on("end", () => response.end()); }, 50);
        request.on("error", () => {});
      });
      await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
      const url = "http://127.0.0.1:" + server.address().port;
      let body;
      const giver = http.createServer((_, response) => {
        response.on("error", () => {});
        response.end(body);
      });
      await new Promise((resolve) => giver.listen(0, "127.0.0.1", resolve));
      return [
        async (bytes) => (await fetch(url, { method: "POST", body: bytes })).arrayBuffer(),
        async (bytes) => (await fetch(url, { method: "POST", body: new Blob([bytes]) })).arrayBuffer(),
        (bytes) => new Promise((resolve) => {
          const request = http.request(url, { method: "POST" }, (response) => response.resume().on("end", resolve));
          request.on("error", resolve);
          request.end(bytes);
        }),
        async (bytes) => {
          body = bytes;
          await (await fetch("http://127.0.0.1:" + giver.address().port)).arrayBuffer();
        },
      ];`);
  });

  it("are posted to another thread, or cloned", () => {
    survives(
      `
      const { MessageChannel } = await import("node:worker_threads");
      const { port1, port2 } = new MessageChannel();
      port2.on("message", () => {});
      return [
        (bytes) => port1.postMessage(bytes),
        (bytes) => port1.postMessage(bytes.subarray(0, 10), [bytes.buffer]),
        (bytes) => structuredClone(bytes),
      ];`,
      // Deno takes two seconds to receive 16 MiB.
      1 << 20,
    );
  });

  it("are sent through a web socket", () => {
    survives(`
      const { default: net } = await import("node:net");
      const { createHash } = await import("node:crypto");
      // Shakes hands, and never reads again.
      const server = net.createServer((socket) => {
        socket.on("error", () => {});
        socket.once("data", (request) => {
          socket.pause();
          const key = /sec-websocket-key: (.*)\\r/i.exec(request.toString("latin1"))[1];
          const accept = createHash("sha1").update(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest("base64");
          const lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"];
          socket.write([...lines, "Sec-WebSocket-Accept: " + accept, "", ""].join("\\r\\n"));
        });
      });
      await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
      async function open() {
        const socket = new WebSocket("ws://127.0.0.1:" + server.address().port);
        await new Promise((resolve, reject) => {
          socket.onopen = resolve;
          socket.onerror = reject;
        });
        socket.onerror = () => {};
        return socket;
      }
      const opened = await Promise.all([open(), open(), open()]);
      return [
        (bytes) => opened[0].send(bytes),
        (bytes) => opened[1].send(bytes.buffer),
        (bytes) => opened[2].send(new Blob([bytes])),
        (bytes) => opened[0].send(bytes.subarray(5)),
      ];`);
  });
});
