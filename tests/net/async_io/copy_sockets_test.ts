import { before, describe, it } from "node:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { SystemError } from "../../../ffi/mod.ts";
import { EventFd, Fd, pipe, type WouldBlock } from "../../../lib/io/mod.ts";
import {
  type AsyncRead,
  type AsyncWrite,
  BufReader,
  BufWriter,
  copy,
  copyBidirectional,
  Framed,
  LinesCodec,
  sink,
  take,
} from "../../../lib/net/async_io.ts";
import { TcpListener, TcpStream } from "../../../lib/net/mod.ts";
import { PipeReader, PipeWriter } from "../../../lib/net/process.ts";
import { type Coroutine, type Future, lazy, run, sleep, spawn, timeout } from "../../../lib/task/mod.ts";
import { slept } from "../ends.ts";
import { listenFirst, moduleUrl, outputOf } from "../../child.ts";
import { ScriptedReader, ScriptedWriter, textOf } from "./scripted.ts";
import { descriptors, openedSince } from "../../descriptors.ts";

const local = { hostname: "127.0.0.1", port: 0 };

async function pair(): Promise<[client: TcpStream, server: TcpStream]> {
  using listener = TcpListener.bind(local);
  const client = await TcpStream.connect(listener.address);
  return [client, (await listener.accept()).stream];
}

function pattern(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8) * 7) & 255);
}

function* sendAll(stream: TcpStream, bytes: Uint8Array): Coroutine<void> {
  yield* stream.writeAll(bytes);
  yield* stream.shutdown();
}

/** The same bytes, and no descriptor: what is copied goes through a buffer. */
function hidden(stream: TcpStream): AsyncRead & AsyncWrite {
  return {
    read: (into) => stream.read(into),
    write: (bytes) => stream.write(bytes),
    writeAll: (bytes) => stream.writeAll(bytes),
    shutdown: () => stream.shutdown(),
  };
}

function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "oxbow-copy-"));
  return test(folder).finally(() => rmSync(folder, { recursive: true }));
}

function refuse(): never {
  throw new Error("the kernel is to move the bytes");
}

describe("copy between sockets", () => {
  // A process keeps the descriptors by which it is woken from its first sleep on.
  before(() => run(slept));

  for (const way of ["by splice", "by a buffer"]) {
    it(`carries every byte ${way}, against a reader that is slow, and leaves no descriptor`, async () => {
      const open = descriptors();
      await run(async () => {
        const bytes = pattern(3_000_000);
        const [client, a] = await pair();
        const [b, server] = await pair();
        const sent = spawn(() => sendAll(client, bytes));
        const copied = spawn(() => way === "by splice" ? copy(a, b) : copy(hidden(a), hidden(b)));
        const ended = spawn(() => copied.andThen((count) => b.shutdown().map(() => count)));
        const got = new Uint8Array(bytes.byteLength);
        let length = 0;
        const into = new Uint8Array(50_000);
        for (let count = await server.read(into); count > 0; count = await server.read(into)) {
          got.set(into.subarray(0, count), length);
          length += count;
          if (length % 7 === 0) await sleep(1);
        }
        assertEquals(length, bytes.byteLength);
        assert(got.every((byte, i) => byte === bytes[i]), "a byte differs");
        assertEquals(await ended, bytes.byteLength);
        await sent;
        for (const stream of [client, a, b, server]) stream.close();
      });
      assertEquals(openedSince(open), []);
    });
  }

  it("moves no more than a pipe and the sockets hold, where nobody reads", async () => {
    await run(async () => {
      const [client, a] = await pair();
      const [b, server] = await pair();
      const copied = copy(a, b);
      const blocked = spawn(() => timeout(150, copied));
      let sent = 0;
      function* fill(): Coroutine<void> {
        const piece = new Uint8Array(65_536);
        for (;;) sent += yield* client.write(piece);
      }
      await timeout(100, fill()).settled();
      await assertRejects(() => Promise.resolve(blocked), DOMException, "150 ms");
      assert(sent < 60_000_000, `${sent} bytes were taken`);
      for (const stream of [client, a, b, server]) stream.close();
    });
  });

  it("fails where the reader has gone, and where its stream is closed meanwhile", async () => {
    const open = descriptors();
    await run(async () => {
      const [client, a] = await pair();
      const [b, server] = await pair();
      server.socket.setLinger(0);
      server.close();
      const sent = spawn(async () => {
        for (let i = 0; i < 50; i++) {
          await client.writeAll(new Uint8Array(1000));
          await sleep(1);
        }
      });
      const error = await assertRejects(() => copy(a, b).toPromise(), SystemError);
      assert(["EPIPE", "ECONNRESET"].includes(error.code), error.code);
      a.close();
      await sent.settled();
      client.close();
      b.close();
      const [c, d] = await pair();
      const waits = spawn(() => copy(c, d));
      const closes = spawn(() => lazy(() => c.close()));
      await assertRejects(() => Promise.resolve(waits), Error);
      await closes;
      d.close();
    });
    assertEquals(openedSince(open), []);
  });

  it("goes on through a buffer where the kernel refuses the target, with what was read already", async () => {
    await run(async () => {
      const bytes = pattern(200_000);
      const [client, server] = await pair();
      const sent = spawn(() => sendAll(client, bytes));
      using counter = new EventFd();
      const target = new Unspliced(counter.fd);
      assertEquals(await copy(server, target), bytes.byteLength);
      await sent;
      assertEquals(target.taken.flatMap((part) => [...part]), [...bytes]);
      client.close();
      server.close();
    });
  });

  it("splices what a pipe gives, and to a pipe", async () => {
    const open = descriptors();
    await run(async () => {
      const [source, feed] = pipe();
      const [drain, target] = pipe();
      using from = PipeReader.from(source);
      using to = PipeWriter.from(target);
      from.read = to.write = refuse;
      const copied = spawn(() => copy(from, to));
      const feeds = spawn(async () => {
        feed.write(pattern(5000));
        await sleep(2);
        feed.write(pattern(10));
        feed.close();
      });
      assertEquals(await copied, 5010);
      await feeds;
      const into = new Uint8Array(6000);
      assertEquals(drain.read(into), 5010);
      assertEquals([...into.subarray(0, 5010)], [...pattern(5000), ...pattern(10)]);
      drain.close();
    });
    assertEquals(openedSince(open), []);
  });
});

describe("copy without a descriptor left", () => {
  it("goes by a buffer, from a socket to another", () => {
    const source = `
      import { Fd } from ${JSON.stringify(moduleUrl("lib/io/mod.ts"))};
      import { TcpListener, TcpStream } from ${JSON.stringify(moduleUrl("lib/net/mod.ts"))};
      import { copy } from ${JSON.stringify(moduleUrl("lib/net/async_io.ts"))};
      import { run } from ${JSON.stringify(moduleUrl("lib/task/mod.ts"))};
      async function pair() {
        using listener = TcpListener.bind({ hostname: "127.0.0.1", port: 0 });
        return [await TcpStream.connect(listener.address), (await listener.accept()).stream];
      }
      await run(async () => {
        const [a, b] = await pair();
        const [c, d] = await pair();
        await a.writeAll(Uint8Array.of(1, 2, 3));
        await a.shutdown();
        // What the hosts open at a first call is open then.
        await copy(d, c, { signal: AbortSignal.timeout(0) }).settled();
        const taken = [];
        try { for (;;) taken.push(Fd.open("/dev/null")); } catch (error) { console.log(error.code); }
        console.log(await copy(b, c));
        for (const fd of taken) fd.close();
      });
    `;
    assertEquals(outputOf(listenFirst + source, { before: "ulimit -n 128" }), "EMFILE\n3");
  });
});

/** Says that it may be spliced to, and has a descriptor that may not. */
class Unspliced extends ScriptedWriter {
  readonly fd: Fd;

  constructor(fd: Fd) {
    super();
    this.fd = fd;
  }

  whenWritable(): Future<void> {
    return sleep(0);
  }

  tryIo(_interest: "read" | "write", call: () => typeof WouldBlock): typeof WouldBlock {
    return call();
  }
}

describe("copyBidirectional between sockets", () => {
  it("hands on the end of each direction, and the other goes on", async () => {
    for (const way of ["by splice", "by a buffer"]) {
      await run(async () => {
        const [client, a] = await pair();
        const [b, server] = await pair();
        const proxy = spawn(() =>
          way === "by splice" ? copyBidirectional(a, b) : copyBidirectional(hidden(a), hidden(b))
        );
        const lines = new Framed(client, new LinesCodec());
        const answers = new Framed(server, new LinesCodec());
        await lines.send("ping");
        assertEquals(await answers.next(), "ping");
        await lines.shutdown();
        assertEquals(String(await answers.next()), "Symbol(ended)");
        await answers.send("late");
        assertEquals(await lines.next(), "late");
        await answers.shutdown();
        assertEquals(await proxy, { aToB: 5, bToA: 5 });
        for (const stream of [client, a, b, server]) stream.close();
      });
    }
  });

  it("ends with a reset of either side", async () => {
    await run(async () => {
      const [client, a] = await pair();
      const [b, server] = await pair();
      const proxy = spawn(() => copyBidirectional(a, b));
      await client.writeAll(pattern(10));
      await server.read(new Uint8Array(10));
      client.socket.setLinger(0);
      client.close();
      const error = await assertRejects(() => Promise.resolve(proxy), SystemError);
      assertEquals(error.code, "ECONNRESET");
      for (const stream of [a, b, server]) stream.close();
    });
  });
});

describe("copy of a file", () => {
  it("goes to a socket, to another file, and through a buffer, from where it stands", async () => {
    await inFolder(async (folder) => {
      await run(async () => {
        const bytes = pattern(1_500_000);
        const path = join(folder, "source");
        writeFileSync(path, bytes);
        using file = Fd.open(path);
        assertEquals(file.read(new Uint8Array(500)), 500);
        const rest = bytes.subarray(500);
        const [client, server] = await pair();
        const sent = spawn(() => copy(file, client).andThen((count) => client.shutdown().map(() => count)));
        const got = await new BufReader(server).readToEnd();
        assert(got.byteLength === rest.byteLength && got.every((byte, i) => byte === rest[i]));
        assertEquals(await sent, rest.byteLength);
        client.close();
        server.close();

        for (const [name, whole] of [["copied", true], ["buffered", false]] as const) {
          using source = Fd.open(path);
          using target = Fd.open(join(folder, name), { write: true, create: true });
          if (whole) assertEquals(await copy(source, target), bytes.byteLength);
          else {
            assertEquals(await copy(take(new FileLike(source), 10), target), 10);
            const writer = new BufWriter(new ScriptedWriter());
            assertEquals(await copy(source, writer), bytes.byteLength - 10);
          }
          const written = readFileSync(join(folder, name));
          assertEquals(written.byteLength, whole ? bytes.byteLength : 10);
          assert(written.every((byte, i) => byte === bytes[i]));
        }
      });
    });
  });

  it("takes what a socket sends, by splice", async () => {
    await inFolder(async (folder) => {
      await run(async () => {
        const bytes = pattern(700_000);
        const path = join(folder, "target");
        const [client, server] = await pair();
        const sent = spawn(() => sendAll(client, bytes));
        using target = Fd.open(path, { write: true, create: true });
        assertEquals(await copy(server, target), bytes.byteLength);
        await sent;
        const written = readFileSync(path);
        assert(written.byteLength === bytes.byteLength && written.every((byte, i) => byte === bytes[i]));
        client.close();
        server.close();
      });
    });
  });

  it("is all that the kernel makes up when it is read, of a file that says it is empty", async () => {
    await inFolder(async (folder) => {
      await run(async () => {
        const wanted = readFileSync("/proc/self/limits", "utf8");
        const [client, server] = await pair();
        using file = Fd.open("/proc/self/limits");
        const sent = spawn(() => copy(file, client).andThen(() => client.shutdown()));
        assertEquals(textOf(await new BufReader(server).readToEnd()), wanted);
        await sent;
        using again = Fd.open("/proc/self/limits");
        using target = Fd.open(join(folder, "limits"), { write: true, create: true });
        assertEquals(await copy(again, target), wanted.length);
        assertEquals(readFileSync(join(folder, "limits"), "utf8"), wanted);
        client.close();
        server.close();
      });
    });
  });

  it("tells what the file is not for", async () => {
    await inFolder(async (folder) => {
      await run(async () => {
        const path = join(folder, "f");
        writeFileSync(path, "abc");
        using file = Fd.open(path);
        await assertRejects(() => copy(new ScriptedReader("a"), file).toPromise(), SystemError, "EBADF");
        const [reader, writer] = pipe();
        assertThrows(() => copy(reader, sink()), TypeError, "the descriptor is a fifo");
        reader.close();
        writer.close();
        assertThrows(() => copy(reader, sink()), Error, "was closed");
      });
    });
  });
});

/** A file that is read by its descriptor's own calls. */
class FileLike implements AsyncRead {
  #fd: Fd;

  constructor(fd: Fd) {
    this.#fd = fd;
  }

  read(into: Uint8Array): Future<number> {
    return sleep(0).map(() => this.#fd.read(into));
  }
}
