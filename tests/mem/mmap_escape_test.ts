/**
 * Misuse of a map that once ended, or could end, in a signal: each case in a process of its own, which must
 * come to its own end.
 */
import { after, before, describe, it } from "node:test";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assertEquals } from "@std/assert";
import { hostName } from "../../ffi/mod.ts";
import { moduleUrl, outputOf } from "../child.ts";
import { skipping } from "../skip.ts";

let folder: string;
let path: string;
let prelude: string;

before(() => {
  folder = mkdtempSync(join(tmpdir(), "oxbow-escape-"));
  path = join(folder, "file.bin");
  writeFileSync(path, new Uint8Array(1 << 16).fill(7));
  const large = join(folder, "large.bin");
  writeFileSync(large, "");
  truncateSync(large, 1 << 25);
  prelude = `
    import { MapTransferredError, Mmap } from "${moduleUrl("lib/mem/mmap.ts")}";
    import process from "node:process";
    const path = ${JSON.stringify(path)};
    const large = ${JSON.stringify(large)};
    function disposed(map) {
      try {
        map[Symbol.dispose]();
        return "disposed";
      } catch (error) {
        return error.name;
      }
    }
    // Unmaps for good whatever waits to be unmapped.
    function churn() {
      for (let i = 0; i < 2000; i++) Mmap.open(path)[Symbol.dispose]();
    }
  `;
});

after(() => rmSync(folder, { recursive: true }));

describe("a process goes on", () => {
  it("when a view is read and written after dispose", () => {
    const source = `${prelude}
      const map = Mmap.open(path);
      const bytes = map.bytes();
      const part = bytes.subarray(100);
      const data = new DataView(bytes.buffer);
      map[Symbol.dispose]();
      churn();
      bytes[0] = 1;
      part[5] = 3;
      function thrown(call) {
        try { call(); } catch (error) { return error.constructor.name; }
      }
      console.log(bytes[0], part.length, thrown(() => part.fill(3)), thrown(() => data.setUint8(0, 1)));
    `;
    assertEquals(outputOf(source), "undefined 0 TypeError TypeError");
  });

  it("when a buffer that was transferred away is read after dispose", () => {
    const source = `${prelude}
      const map = Mmap.open(path);
      const kept = new Uint8Array(map.bytes().buffer.transfer());
      const result = disposed(map);
      churn();
      console.log(result, kept.length, kept[0], kept[65535], kept.every((byte) => byte === 0));
    `;
    assertEquals(outputOf(source), "MapTransferredError 65536 0 0 true");
  });

  it("when a buffer is on its way through a message port at dispose", () => {
    const source = `${prelude}
      import { MessageChannel, receiveMessageOnPort } from "node:worker_threads";
      const { port1, port2 } = new MessageChannel();
      const map = Mmap.open(path);
      const bytes = map.bytes();
      port1.postMessage(bytes, [bytes.buffer]);
      const result = disposed(map);
      churn();
      const { message } = receiveMessageOnPort(port2);
      console.log(result, bytes.length, message.length, message[9]);
      process.exit(0);
    `;
    assertEquals(outputOf(source), "MapTransferredError 0 65536 0");
  });

  it("when another thread has the buffer at dispose", () => {
    const worker = join(folder, "worker.mjs");
    writeFileSync(
      worker,
      `import { parentPort } from "node:worker_threads";
       let kept = new Uint8Array(0);
       parentPort.on("message", (message) => {
         if (message === "read") parentPort.postMessage([kept.length, kept.every((byte) => byte === 0)]);
         else parentPort.postMessage([(kept = message)[0]]);
       });`,
    );
    const source = `${prelude}
      import { once } from "node:events";
      import { Worker } from "node:worker_threads";
      const worker = new Worker(${JSON.stringify(worker)});
      const map = Mmap.open(path);
      const bytes = map.bytes();
      worker.postMessage(bytes, [bytes.buffer]);
      const [[first]] = await once(worker, "message");
      const result = disposed(map);
      churn();
      worker.postMessage("read");
      const [[length, isZero]] = await once(worker, "message");
      console.log(first, result, length, isZero);
      process.exit(0);
    `;
    assertEquals(outputOf(source), "7 MapTransferredError 65536 true");
  });

  it("when one buffer of many is transferred away", () => {
    const source = `${prelude}
      import { truncateSync } from "node:fs";
      truncateSync(large, 5 * 2 ** 30);
      const map = Mmap.open(large);
      const [first, second] = [map.bytes(0, 100), map.bytes(2 ** 32, 100)];
      const kept = new Uint8Array(second.buffer.transfer());
      const result = disposed(map);
      churn();
      truncateSync(large, 2 ** 25);
      console.log(result, first.length, second.length, kept[0]);
    `;
    assertEquals(outputOf(source), "MapTransferredError 0 0 0");
  });

  it("when maps are disposed while the host's other threads have their addresses", () => {
    const source = `${prelude}
      import { promises as fs } from "node:fs";
      import { promisify } from "node:util";
      import crypto from "node:crypto";
      import zlib from "node:zlib";
      const starts = [
        (bytes) => promisify(zlib.gzip)(bytes),
        (bytes) => promisify(zlib.brotliCompress)(bytes, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 5 } }),
        (bytes) => promisify(crypto.randomFill)(bytes),
        (bytes) => promisify(crypto.pbkdf2)(bytes, bytes.subarray(0, 16), 1000, 32, "sha1"),
        (bytes) => crypto.subtle.digest("SHA-256", bytes),
        (bytes) => fs.writeFile(large + ".copy", bytes),
      ];
      // What the host makes of a detached buffer is an exception, of its own and often nobody's.
      for (const event of ["uncaughtException", "unhandledRejection"]) process.on(event, () => {});
      const maps = starts.map(() => Mmap.open(large));
      const views = maps.map((map) => map.bytes());
      const ends = starts.map((start, i) => start(views[i]));
      await new Promise((resolve) => setTimeout(resolve, 5));
      for (const map of maps) disposed(map);
      const first = views.map((view) => view[0]);
      const patience = new Promise((resolve) => setTimeout(resolve, 700));
      await Promise.race([Promise.allSettled(ends), patience]);
      console.log(first.every((byte, i) => byte === undefined ? views[i].length === 0 : Number.isInteger(byte)));
      process.exit(0);
    `;
    assertEquals(outputOf(source), "true");
  });

  it("when the host will not let go of a buffer, whose views then read zeros", {
    skip: skipping(hostName !== "bun" && "the host lacks JSC, which alone keeps a buffer attached"),
  }, () => {
    const source = `${prelude}
      import { promisify } from "node:util";
      import zlib from "node:zlib";
      const map = Mmap.open(path);
      const bytes = map.bytes();
      const ended = promisify(zlib.gzip)(bytes);
      const result = disposed(map);
      churn();
      console.log(result, bytes.length, bytes[0]);
      await ended;
    `;
    assertEquals(outputOf(source), "MapTransferredError 65536 0");
  });
});

describe("a buffer's own methods", () => {
  it("are not asked whether it was detached, so that what was transferred away reads zeros", () => {
    const source = `${prelude}
      const map = Mmap.open(path);
      const { buffer } = map.bytes();
      const kept = new Uint8Array(buffer.transfer());
      let asked = 0;
      Object.defineProperty(buffer, "transfer", { value() { asked++; } });
      Object.defineProperty(buffer, "detached", { get: () => asked++ > 0 });
      const result = disposed(map);
      churn();
      for (let i = 0; i < 20; i++) {
        churn();
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      console.log(asked, result, kept.length, kept[9]);
    `;
    assertEquals(outputOf(source), "0 MapTransferredError 65536 0");
  });

  it("may throw, and keep no view alive", () => {
    const source = `${prelude}
      const map = Mmap.open(path);
      const bytes = map.bytes();
      Object.defineProperty(bytes.buffer, "transfer", { value() { throw new Error("mine"); } });
      console.log(disposed(map), bytes.length);
    `;
    assertEquals(outputOf(source), "disposed 0");
  });

  it("may be forbidden by the host, which dispose says when all else is done", {
    skip: skipping(hostName === "bun" && "Bun lacks buffers that cannot be detached"),
  }, () => {
    const source = `${prelude}
      import { markAsUntransferable } from "node:worker_threads";
      import { readFileSync } from "node:fs";
      const map = Mmap.open(path);
      const bytes = map.bytes();
      markAsUntransferable(bytes.buffer);
      const result = disposed(map);
      const isMapped = readFileSync("/proc/self/maps", "latin1").includes(path);
      console.log(result, bytes.length, bytes[0], isMapped);
    `;
    assertEquals(outputOf(source), "MapTransferredError 65536 0 false");
  });
});
