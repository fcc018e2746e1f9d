import { Buffer } from "node:buffer";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import { SystemError } from "../../ffi/mod.ts";
import { NativeBuffer } from "../../ffi/native_buffer.ts";
import { Fd, WouldBlock } from "../../lib/io/mod.ts";
import { Probe } from "../task/probe.ts";
import { openFifo, pipe, PipeReader, PipeWriter } from "../../lib/net/process.ts";
import { fromNodeDuplex } from "../../lib/net/from_node_duplex.ts";
import { type Coroutine, join as joined, run, sleep, spawn } from "../../lib/task/mod.ts";
import { listenFirst, moduleUrl, outputOf } from "../child.ts";
import { pattern } from "./ends.ts";
import { descriptors, openedSince } from "../descriptors.ts";

function* readAll(reader: PipeReader, size = 10_000): Coroutine<Buffer> {
  const parts: Uint8Array[] = [];
  const into = new Uint8Array(size);
  for (let count = yield* reader.read(into); count > 0; count = yield* reader.read(into)) {
    parts.push(into.slice(0, count));
  }
  return Buffer.concat(parts);
}

class Fifo implements Disposable {
  readonly folder: string = mkdtempSync(join(tmpdir(), "oxbow-fifo-"));
  readonly path: string = join(this.folder, "fifo");

  constructor() {
    execFileSync("mkfifo", [this.path]);
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true });
  }
}

describe("a pipe", () => {
  for (const where of ["run", "the host's loop"]) {
    const inside = where === "run" ? run : (test: () => Promise<void>) => test();

    it(`carries every byte, whatever the sizes, in ${where}`, () =>
      inside(async () => {
        const sizes = fc.array(fc.oneof(fc.nat(20), fc.nat(5_000), fc.nat(300_000)), { maxLength: 6 });
        await fc.assert(
          fc.asyncProperty(sizes, fc.integer({ min: 1, max: 100_000 }), async (wanted, size) => {
            const parts = wanted.map((length, i) => pattern(Math.min(length, 300 * size), i));
            const [reader, writer] = pipe();
            const [received] = await joined(
              readAll(reader, size),
              (function* (): Coroutine<void> {
                for (const part of parts) yield* writer.writeAll(part);
                yield* writer.shutdown();
              })(),
            );
            assertEquals(Buffer.compare(received, Buffer.concat(parts)), 0);
            reader.close();
          }),
          { numRuns: 15 },
        );
      }));
  }

  it("takes a part of what is written, and holds the rest back until it is read", () =>
    run(async () => {
      const [reader, writer] = pipe();
      const count = await writer.write(pattern(1_000_000));
      assertEquals(count, 65_536);
      await assertRejects(() => writer.write(pattern(10)).timeout(5).toPromise(), DOMException);
      assertEquals((await reader.read(new Uint8Array(60_000))) > 0, true);
      assertEquals(await writer.write(pattern(10)), 10);
      assertEquals(await writer.write(new Uint8Array()), 0);
      await writer.writeAll(new Uint8Array());
      reader.close();
      writer.close();
    }));

  it("ends where its writer is closed, once all was read", () =>
    run(async () => {
      const [reader, writer] = pipe();
      await writer.writeAll(pattern(10));
      writer.close();
      writer.close();
      assert(writer.isClosed);
      const into = new Uint8Array(100);
      assertEquals([await reader.read(into), await reader.read(into), await reader.read(into)], [10, 0, 0]);
      reader.close();
    }));

  it("tells its writer that nobody reads any more, and the process lives on", () =>
    run(async () => {
      const [reader, writer] = pipe();
      const writing = writer.writeAll(pattern(200_000)).toPromise();
      await sleep(2);
      reader.close();
      await assertRejects(() => writing, SystemError, "EPIPE");
      await assertRejects(() => writer.write(Uint8Array.of(1)).toPromise(), SystemError, "EPIPE");
      writer.close();
    }));

  it("wakes who waits for it when it is ready", () =>
    run(async () => {
      const [reader, writer] = pipe();
      const buffer = new NativeBuffer(65_536);
      assertEquals(reader.tryRead(buffer), WouldBlock);
      const readable = spawn(() => reader.whenReadable());
      await sleep(1);
      assert(!readable.isFinished);
      assertEquals(writer.tryWrite(buffer, 0, 5), 5);
      await readable;
      assertEquals(reader.tryRead(buffer), 5);
      while (writer.tryWrite(buffer) !== WouldBlock);
      const writable = spawn(() => writer.whenWritable());
      await sleep(1);
      assert(!writable.isFinished);
      while (reader.tryRead(buffer) !== WouldBlock);
      await writable;
      reader.close();
      writer.close();
    }));

  it("is of no use once its runtime has ended, and says so", async () => {
    const [reader, writer] = await run(async () => await Promise.resolve(pipe()));
    using _reader = reader;
    using _writer = writer;
    const buffer = new NativeBuffer(9);
    assertThrows(() => reader.tryRead(buffer), Error, "its runtime has ended");
    assertThrows(() => writer.tryWrite(buffer), Error, "its runtime has ended");
  });

  it("reads nothing where a read is dropped", () =>
    run(async () => {
      const [reader, writer] = pipe();
      const into = new Uint8Array(9);
      await assertRejects(() => reader.read(into).timeout(2).toPromise(), DOMException);
      await writer.writeAll(Uint8Array.of(1, 2));
      assertEquals(await reader.read(into), 2);
      reader.close();
      writer.close();
    }));

  it("begins nothing before the first poll", async () => {
    const [reader, writer] = pipe();
    writer.shutdown().drop();
    assert(!writer.isClosed);
    writer.writeAll(pattern(5)).drop();
    assertEquals(reader.tryRead(new NativeBuffer(9)), WouldBlock);
    const written = writer.write(Uint8Array.of(1));
    await written;
    assertThrows(() => written.poll({ waker: { wake() {} } }), Error, "its value was taken");
    reader.close();
    writer.close();
  });

  it("gives its descriptor away", () => {
    const before = descriptors();
    const [reader, writer] = pipe();
    using fd = reader.intoFd();
    assert(reader.isClosed && !fd.isClosed && !fd.isBlocking);
    assertThrows(() => reader.intoFd(), Error, "given away");
    reader.close();
    assert(!fd.isClosed);
    using again = PipeReader.from(fd);
    assertEquals(again.fd, fd);
    again.close();
    writer.close();
    assert(openedSince(before).length <= 1);
  });

  it("is waited for by who has polled last, where a read or a write goes from one to another", async () => {
    await run(async () => {
      await sleep(0);
      const [reader, writer] = pipe();
      const [first, second] = [new Probe(), new Probe()];
      const reading = reader.read(new Uint8Array(4));
      assert(first.isPending(reading));
      assert(second.isPending(reading));
      reading.drop();
      const writing = writer.writeAll(new Uint8Array(1 << 20));
      assert(first.isPending(writing));
      assert(second.isPending(writing));
      writing.drop();
      reader.close();
      writer.close();
    });
  });

  it("reads and writes nothing of a descriptor that was given away, also where a read waits for it", async () => {
    await run(async () => {
      const [reader, writer] = pipe();
      const waiting = spawn(() => reader.read(new Uint8Array(4)));
      await sleep(1);
      using fd = reader.intoFd();
      await writer.writeAll(Uint8Array.of(1, 2, 3));
      using to = writer.intoFd();
      await assertRejects(
        () => waiting,
        Error,
        "cannot read a pipe: the pipe's end was closed or given away",
      );
      await assertRejects(() => reader.read(new Uint8Array(4)), Error, "closed or given away");
      await assertRejects(() => writer.writeAll(Uint8Array.of(4)), Error, "cannot write to a pipe");
      to.close();
      assertEquals(fd.read(new Uint8Array(4)), 3);
    });
  });

  it("is made of a descriptor that is one, open for its direction, and becomes non-blocking", () => {
    const [reader, writer] = pipe();
    const [r, w] = [reader.intoFd(), writer.intoFd()];
    r.setBlocking(true);
    assertThrows(() => PipeReader.from(w), TypeError, "not open for that");
    assertThrows(() => PipeWriter.from(r), TypeError, "not open for that");
    using file = Fd.open("/etc/passwd");
    assertThrows(() => PipeReader.from(file), TypeError, "no pipe");
    assertThrows(() => PipeReader.from(Object(3)), TypeError, "no Fd");
    using one = PipeReader.from(r);
    using _other = PipeWriter.from(w);
    assert(!one.fd.isBlocking);
    assertThrows(() => one.read(new Uint8Array()), RangeError, "0 bytes");
    assertThrows(() => one.read(Object("x")), TypeError, "Uint8Array");
    assertThrows(() => _other.write(Object("x")), TypeError, "Uint8Array");
  });

  it("that is forgotten is closed by the collector", () => {
    const source = `
      import process from "node:process";
      import { pipe } from ${JSON.stringify(moduleUrl("lib/net/process.ts"))};
      import { collect } from ${JSON.stringify(moduleUrl("tests/collector.ts"))};
      import { descriptors, openedSince } from ${JSON.stringify(moduleUrl("tests/descriptors.ts"))};
      pipe();
      const before = descriptors();
      for (let i = 0; i < 40; i++) pipe();
      console.log(await collect(() => openedSince(before).length <= 20));
      process.exit(0);
    `;
    assertEquals(outputOf(source), "true");
  });

  it("cannot be had where descriptors have run out, and nothing is left open", () => {
    const source = `
      import { Fd } from ${JSON.stringify(moduleUrl("lib/io/mod.ts"))};
      import { pipe } from ${JSON.stringify(moduleUrl("lib/net/process.ts"))};
      const [reader, writer] = pipe();
      const taken = [];
      try { for (;;) taken.push(Fd.open("/dev/null")); } catch {}
      taken.pop().close();
      try { pipe(); } catch (error) { console.log(error.code, error.syscall); }
      taken.push(Fd.open("/dev/null"));
      taken.pop().close();
      taken.pop().close();
      for (const end of pipe()) end.close();
      console.log("again");
      reader.close();
      writer.close();
    `;
    assertEquals(outputOf(listenFirst + source, { before: "ulimit -n 100" }), "EMFILE pipe2\nagain");
  });
});

describe("a named pipe", () => {
  it("is read by one and written by another", () =>
    run(async () => {
      using fifo = new Fifo();
      using reader = openFifo(fifo.path, { end: "read" });
      using writer = openFifo(pathToFileURL(fifo.path), { end: "write" });
      await writer.writeAll(pattern(1000));
      await writer.shutdown();
      assertEquals(Buffer.compare(await spawn(readAll, reader), pattern(1000)), 0);
    }));

  it("takes no writer where nobody reads, unless it is kept open", () => {
    using fifo = new Fifo();
    const error = assertThrows(() => openFifo(fifo.path, { end: "write" }), SystemError);
    assertEquals(error.code, "ENXIO");
    using writer = openFifo(fifo.path, { end: "write", keepOpen: true });
    assertEquals(writer.tryWrite(new NativeBuffer(5)), 5);
  });

  it("has no end between two writers where it is kept open", () =>
    run(async () => {
      using fifo = new Fifo();
      using reader = openFifo(fifo.path, { end: "read", keepOpen: true });
      const into = new Uint8Array(10);
      for (let i = 0; i < 3; i++) {
        using writer = openFifo(fifo.path, { end: "write" });
        await writer.writeAll(Uint8Array.of(i));
        writer.close();
        assertEquals(await reader.read(into), 1);
      }
      await assertRejects(() => reader.read(into).timeout(5).toPromise(), DOMException);
    }));

  it("is none that is a file, or is not there, or is opened in no way", () => {
    using fifo = new Fifo();
    const file = join(fifo.folder, "file");
    writeFileSync(file, "x");
    const before = descriptors();
    assertThrows(() => openFifo(file, { end: "read" }), TypeError, "no pipe");
    assertThrows(() => openFifo(join(fifo.folder, "none"), { end: "read" }), SystemError, "ENOENT");
    assertThrows(() => openFifo(fifo.path, Object({ end: "both" })), TypeError, "end");
    assertThrows(() => openFifo(fifo.path, Object({ end: "read", keepOpen: 1 })), TypeError, "keepOpen");
    assertEquals(openedSince(before), []);
  });

  it("is refused what is no Duplex, for a pipe is half of one", () => {
    const [reader, writer] = pipe();
    assertThrows(() => fromNodeDuplex(Object(reader)), TypeError);
    reader.close();
    writer.close();
  });
});
