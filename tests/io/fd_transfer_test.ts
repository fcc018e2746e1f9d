import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { SystemError } from "../../ffi/mod.ts";
import { Fd, NativeBuffer, pipe, UnixSocket, WouldBlock } from "../../lib/io/mod.ts";
import { Mmap } from "../../lib/mem/mmap.ts";
import { pair } from "./pair.ts";

const folder = mkdtempSync(join(tmpdir(), "oxbow-transfer-"));
const path = join(folder, "file");

after(() => rmSync(folder, { recursive: true }));

describe("reading and writing an Fd", () => {
  it("carries what was written, in whatever pieces it is read", () => {
    fc.assert(fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 3000 }),
      fc.integer({ min: 1, max: 1500 }),
      fc.boolean(),
      (bytes, piece, native) => {
        const [reader, writer] = pipe();
        assertEquals(writer.write(bytes), bytes.length);
        writer.close();
        const buffer = new NativeBuffer(piece);
        const read: number[] = [];
        for (;;) {
          const count = native ? reader.read(buffer) : reader.read(buffer.bytes);
          if (count === 0) break;
          read.push(...buffer.bytes.subarray(0, count));
        }
        reader.close();
        assertEquals(read, [...bytes]);
      },
    ));
  });

  it("uses the part of a NativeBuffer that it is told", () => {
    const [reader, writer] = pipe();
    const buffer = new NativeBuffer(10);
    buffer.bytes.set([1, 2, 3, 4]);
    assertEquals([writer.write(buffer, 1, 2), reader.read(buffer, 8)], [2, 2]);
    assertEquals([...buffer.bytes], [1, 2, 3, 4, 0, 0, 0, 0, 2, 3]);
    for (const [from, length] of [[0, 11], [10, 1], [-1, 1], [0, NaN]]) {
      assertThrows(() => writer.write(buffer, from, length), RangeError, "of a buffer of 10");
      assertThrows(() => reader.read(buffer, from, length), RangeError, "of a buffer of 10");
    }
    assertStrictEquals(reader.read(buffer), WouldBlock);
    for (const end of [reader, writer]) end.close();
  });

  it("writes and reads a file from where it stands, and ends with 0", () => {
    {
      using fd = Fd.open(path, { write: true, create: true, truncate: true });
      assertEquals([fd.write(Uint8Array.of(111, 120)), fd.write(new TextEncoder().encode("bow"))], [2, 3]);
    }
    assertEquals(readFileSync(path, "utf8"), "oxbow");
    using fd = Fd.open(path);
    const bytes = new Uint8Array(4);
    assertEquals([fd.read(bytes), fd.read(bytes.subarray(1)), fd.read(bytes)], [4, 1, 0]);
    assertEquals(new TextDecoder().decode(bytes), "owbo");
  });

  it("does nothing of no bytes", () => {
    writeFileSync(path, "contents");
    using fd = Fd.open(path, { read: true, write: true });
    assertEquals([fd.read(new Uint8Array(0)), fd.write(new Uint8Array(0))], [0, 0]);
    assertEquals(readFileSync(path, "utf8"), "contents");
  });

  it("takes memory of any kind: a part of a view, a map, what is shared with workers", () => {
    const [reader, writer] = pipe();
    using map = Mmap.anonymous(4096);
    const shared = new Uint8Array(new SharedArrayBuffer(8));
    const part = Uint8Array.from({ length: 20 }, (_, i) => i).subarray(5, 8);
    assertEquals([writer.write(part), reader.read(map.bytes())], [3, 3]);
    assertEquals([...map.bytes(0, 3)], [5, 6, 7]);
    assertEquals([writer.write(map.bytes(0, 2)), reader.read(shared)], [2, 2]);
    assertEquals([...shared.subarray(0, 3)], [5, 6, 0]);
    for (const end of [reader, writer]) end.close();
  });

  it("says what was wrong with a call, and with the kernel's answer", () => {
    writeFileSync(path, "contents");
    using reader = Fd.open(path);
    using writer = Fd.open(path, { write: true });
    using directory = Fd.open(folder);
    const bytes = new Uint8Array(1);
    for (
      const [call, code] of [
        [() => reader.write(bytes), "EBADF"],
        [() => writer.read(bytes), "EBADF"],
        [() => directory.read(bytes), "EISDIR"],
      ] as const
    ) {
      assertEquals(assertThrows(call, SystemError, "failed").code, code);
    }
    for (const buffer of ["text", [1], new ArrayBuffer(1), new Uint16Array(1), null, undefined]) {
      assertThrows(
        () => Reflect.apply(reader.read, reader, [buffer]),
        TypeError,
        "buffer is no Uint8Array and no NativeBuffer",
      );
    }
    assertThrows(
      () => Reflect.apply(reader.read, reader, [bytes, 0, 1]),
      TypeError,
      "take a subarray instead",
    );
    const gone = new Uint8Array(4);
    structuredClone(gone.buffer, { transfer: [gone.buffer] });
    assertThrows(() => reader.read(gone), TypeError, "detached");
    assertEquals(reader.read(bytes), 1);
  });

  it("goes by the memory that there is, whatever an array says of itself", () => {
    const [reader, writer] = pipe();
    writer.write(new Uint8Array(64).fill(7));
    const bytes = Object.defineProperty(new Uint8Array(4), "byteLength", { value: 1 << 20 });
    assertEquals([reader.read(bytes), writer.write(bytes), reader.read(new Uint8Array(100))], [4, 4, 64]);
    const forged = Object.create(Uint8Array.prototype);
    for (const fd of [reader, writer]) {
      assertThrows(() => fd.read(forged), TypeError);
      assertThrows(() => fd.write(Object.create(NativeBuffer.prototype)), TypeError);
    }
    using socket = pair();
    assertEquals([socket.client.writeVectored([bytes, bytes]), socket.client.writeVectored([])], [8, 0]);
    assertThrows(() => socket.client.writeVectored([forged]), TypeError);
    for (const end of [reader, writer]) end.close();
  });

  it("is no use of one that was closed", () => {
    const fd = Fd.open("/dev/null", { read: true, write: true });
    fd.close();
    const uses = [
      () => fd.read(new Uint8Array(1)),
      () => fd.write(new NativeBuffer(1)),
      () => fd.isBlocking,
      () => fd.setBlocking(true),
    ];
    for (const use of uses) assertThrows(use, Error, "cannot use a file descriptor that was closed");
  });
});

describe("whether an Fd blocks", () => {
  it("is false where it was opened here, and is changed and seen by its duplicates", () => {
    const [here, there] = UnixSocket.pair();
    using copy = here.fd.dup();
    const before = flagsOf(here.fd);
    for (const blocks of [true, true, false, false]) {
      here.fd.setBlocking(blocks);
      assertEquals([here.fd.isBlocking, copy.isBlocking, there.fd.isBlocking], [blocks, blocks, false]);
    }
    assertEquals(flagsOf(here.fd), before);
    for (const socket of [here, there]) socket[Symbol.dispose]();
  });

  it("is a boolean", () => {
    using fd = Fd.open("/dev/null");
    for (const on of [1, "yes", undefined, null]) {
      assertThrows(() => Reflect.apply(fd.setBlocking, fd, [on]), TypeError, "and no boolean");
    }
    assertEquals(fd.isBlocking, false);
  });

  function flagsOf(fd: Fd): string | undefined {
    return /^flags:\s+(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd.number}`, "latin1"))?.[1];
  }
});
