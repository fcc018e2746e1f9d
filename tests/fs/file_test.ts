import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import process from "node:process";
import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import { SystemError } from "../../ffi/mod.ts";
import {
  File,
  metadata,
  mkdir,
  readDir,
  readFile,
  remove,
  rename,
  symlinkMetadata,
  writeFile,
} from "../../lib/fs/mod.ts";
import { nativeThreads } from "../../lib/task/blocking/native_threads.ts";
import { attach, run, sleep, spawn } from "../../lib/task/mod.ts";
import { collect } from "../collector.ts";
import { descriptors, openedSince } from "../descriptors.ts";
import { tiered } from "../tier.ts";
import { bytesOf, Folder, pattern } from "./folder.ts";

const ALL = { read: true, write: true, create: true } as const;

async function failure(call: () => PromiseLike<unknown>): Promise<SystemError> {
  return await assertRejects(async () => await call(), SystemError);
}

describe("File", () => {
  it("reads and writes at positions, under run and in the host's loop", async () => {
    using folder = new Folder();
    async function main(): Promise<void> {
      await using file = await File.open(folder.at("a"), { ...ALL, truncate: true });
      await file.writeAt(bytesOf("there and back"), 0);
      await file.writeAt(bytesOf("!"), 20);
      const bytes = new Uint8Array(100).fill(9);
      assertEquals(await file.readAt(bytes, 6), 15);
      assertEquals(new TextDecoder().decode(bytes.subarray(0, 15)), "and back\0\0\0\0\0\0!");
      assertEquals(bytes[15], 9);
      assertEquals(await file.readAt(bytes, 21), 0);
      assertEquals(await file.readAt(new Uint8Array(0), 0), 0);
      await file.sync();
      await file.dataSync();
      await file.truncate(3);
      assertEquals(fs.readFileSync(folder.at("a"), "utf8"), "the");
      await file.truncate(5);
      assertEquals((await file.metadata()).size, 5);
    }
    await run(main);
    using _attached = attach();
    await main();
  });

  it("does what node:fs does, over random operations on the same bytes", async () => {
    using folder = new Folder();
    const position = fc.nat(1_500_000);
    const operation = fc.oneof(
      fc.record({ kind: fc.constant("write"), position, length: fc.nat(700_000) }),
      fc.record({ kind: fc.constant("read"), position, length: fc.nat(700_000) }),
      fc.record({ kind: fc.constant("truncate"), position, length: fc.constant(0) }),
      fc.record({ kind: fc.constant("next"), position, length: fc.nat(3000) }),
    );
    await run(() =>
      fc.assert(
        fc.asyncProperty(fc.array(operation, { maxLength: 12 }), async (operations) => {
          await using ours = await File.open(folder.at("ours"), { ...ALL, truncate: true });
          const theirs = fs.openSync(folder.at("theirs"), "w+");
          try {
            for (const [i, { kind, position, length }] of operations.entries()) {
              const bytes = pattern(length, i);
              const read = new Uint8Array(length);
              if (kind === "write") {
                await ours.writeAt(bytes, position);
                fs.writeSync(theirs, bytes, 0, length, position);
              } else if (kind === "next") {
                await ours.write(bytes);
                fs.writeSync(theirs, bytes);
              } else if (kind === "truncate") {
                await ours.truncate(position);
                fs.ftruncateSync(theirs, position);
              } else {
                const count = await ours.readAt(read, position);
                assertEquals(count, fs.readSync(theirs, new Uint8Array(length), 0, length, position));
              }
              assertEquals((await ours.metadata()).size, fs.fstatSync(theirs).size);
            }
            const [a, b] = [fs.readFileSync(folder.at("ours")), fs.readFileSync(folder.at("theirs"))];
            assertEquals(Buffer.compare(a, b), 0);
          } finally {
            fs.closeSync(theirs);
          }
        }),
        { numRuns: tiered({ quick: 15, full: 300, soak: 5000 }) },
      )
    );
  });

  it("goes on at its own position, appends, and reads a device as it comes", async () => {
    using folder = new Folder();
    {
      await using file = await File.open(folder.at("a"), { write: true, create: true, append: true });
      await file.write(bytesOf("one "));
      await file.write(bytesOf("two"));
      await using again = await File.open(folder.at("a"), { write: true, append: true });
      await again.write(bytesOf(" three"));
    }
    await using file = await File.open(folder.at("a"));
    const bytes = new Uint8Array(8);
    let text = "";
    for (let count = await file.read(bytes); count > 0; count = await file.read(bytes)) {
      text += new TextDecoder().decode(bytes.subarray(0, count));
    }
    assertEquals(text, "one two three");
    await using zero = await File.open("/dev/zero");
    assertEquals(await zero.readAt(new Uint8Array(600_000).fill(1), 5), 600_000);
  });

  it("runs many calls of a file side by side, each with its own bytes", async () => {
    using folder = new Folder();
    const content = pattern(1 << 20);
    fs.writeFileSync(folder.at("a"), content);
    await run(async () => {
      await using file = await File.open(folder.at("a"));
      await Promise.all(
        Array.from({ length: tiered({ quick: 500, full: 5000, soak: 50_000 }) }, async (_, i) => {
          const at = (i * 7919) % (content.length - 4096);
          const bytes = new Uint8Array(1 + i % 4096);
          assertEquals(await file.readAt(bytes, at), bytes.length);
          assertEquals(Buffer.compare(bytes, content.subarray(at, at + bytes.length)), 0);
        }),
      );
    });
  });

  it("tells in a SystemError what was tried on what, and what to do", async () => {
    using folder = new Folder();
    fs.writeFileSync(folder.at("file"), "");
    const missing = await failure(() => File.open(folder.at("missing"), { write: true }));
    assertEquals([missing.code, missing.syscall, missing.path], ["ENOENT", "open", folder.at("missing")]);
    assert(missing.message.includes("`create: true` makes"), missing.message);
    const there = await failure(() => File.open(folder.at("file"), { write: true, createNew: true }));
    assertEquals(there.code, "EEXIST");
    assertEquals((await failure(() => File.open(folder.at("file", "x")))).code, "ENOTDIR");
    assertEquals((await failure(() => File.open(folder.path, { write: true }))).code, "EISDIR");
    await using opened = await File.open(folder.path);
    assertEquals((await failure(() => opened.readAt(new Uint8Array(1), 0))).code, "EISDIR");
    await using readOnly = await File.open(folder.at("file"));
    const refused = await failure(() => readOnly.writeAt(bytesOf("x"), 0));
    assertEquals([refused.code, refused.syscall, refused.path], ["EBADF", "pwrite64", folder.at("file")]);
    assertEquals((await failure(() => readOnly.truncate(1))).code, "EINVAL");
  });

  it("tells of a full disk", async () => {
    await using full = await File.open("/dev/full", { write: true });
    const error = await failure(() => full.write(bytesOf("x")));
    assertEquals([error.code, error.syscall, error.path], ["ENOSPC", "write", "/dev/full"]);
  });

  it("refuses bad arguments before any call", async () => {
    using folder = new Folder();
    for (const path of ["", "a\0b", new Uint8Array(0), Uint8Array.of(97, 0), new URL("https://a/b")]) {
      assertThrows(() => File.open(path), TypeError);
    }
    assertThrows(() => File.open("a", { create: true }), TypeError, "create asks for write");
    assertThrows(() => File.open("a", { append: true }), TypeError, "append asks for write");
    assertThrows(() => File.open("a", { read: false }), TypeError, "neither read nor write");
    assertThrows(() => File.open("a", { mode: 0o10000 }), RangeError, "mode is");
    assertThrows(() => Reflect.apply(File.open, File, ["a", { creat: true }]), TypeError, "no option");
    await using file = await File.open(folder.at("a"), ALL);
    for (const position of [-1, 0.5, NaN, 2 ** 53]) {
      assertThrows(() => file.readAt(new Uint8Array(1), position), RangeError, "position is");
      assertThrows(() => file.truncate(position), RangeError, "size is");
    }
    assertThrows(() => Reflect.apply(file.readAt, file, ["x", 0]), TypeError, "buffer is no Uint8Array");
    assertThrows(() => Reflect.apply(file.writeAt, file, ["x", 0]), TypeError, "bytes is no Uint8Array");
    assertThrows(() => Reflect.apply(file.sync, file, [{ sgnal: 1 }]), TypeError, "no option");
  });

  it("names the operation and the path of a wrong signal, before any call", async () => {
    using folder = new Folder();
    await using file = await File.open(folder.at("a"), ALL);
    const [here, options] = [folder.at("a"), { signal: "stop" }];
    const calls: readonly [string, unknown, ((...args: never[]) => unknown), unknown[]][] = [
      ["cannot open", File, File.open, [here, options]],
      ["cannot read", file, file.readAt, [new Uint8Array(1), 0, options]],
      ["cannot read", file, file.read, [new Uint8Array(1), options]],
      ["cannot write", file, file.writeAt, [new Uint8Array(1), 0, options]],
      ["cannot write", file, file.write, [new Uint8Array(1), options]],
      ["cannot fsync", file, file.sync, [options]],
      ["cannot fdatasync", file, file.dataSync, [options]],
      ["cannot ftruncate", file, file.truncate, [9, options]],
      ["cannot look at", file, file.metadata, [options]],
      ["cannot look at", undefined, metadata, [here, options]],
      ["cannot look at", undefined, symlinkMetadata, [here, options]],
      ["cannot read", undefined, readFile, [here, options]],
      ["cannot write", undefined, writeFile, [here, new Uint8Array(1), options]],
      ["cannot rename", undefined, rename, [here, folder.at("b"), options]],
      ["cannot remove", undefined, remove, [here, options]],
      ["cannot make", undefined, mkdir, [here, options]],
      ["cannot read", undefined, readDir, [here, options]],
    ];
    for (const [tried, receiver, call, args] of calls) {
      const { message } = assertThrows(() => Reflect.apply(call, receiver, args), TypeError);
      assert(message.startsWith(`${tried} ${here}`), message);
      assert(message.endsWith('signal is "stop", and no AbortSignal'), message);
    }
    assertEquals([fs.readdirSync(folder.path), fs.statSync(here).size], [["a"], 0]);
  });

  it("takes names that are no UTF-8, as bytes", async () => {
    using folder = new Folder();
    const name = new Uint8Array([...bytesOf(`${folder.path}/`), 0xff, 0xfe, 0x61]);
    {
      await using file = await File.open(name, ALL);
      await file.writeAt(bytesOf("here"), 0);
      assert(file.path.endsWith("\ufffd\ufffda"));
    }
    // Deno's node:fs knows no such names.
    assertEquals(spawnSync("sh", ["-c", "cat *"], { cwd: folder.path, encoding: "utf8" }).stdout, "here");
  });

  it("cannot be used once it was closed, which is done once", async () => {
    using folder = new Folder();
    const file = await File.open(folder.at("a"), ALL);
    const before = fs.readdirSync("/proc/self/fd").length;
    await file.close();
    await file.close();
    assertEquals([file.isClosed, fs.readdirSync("/proc/self/fd").length], [true, before - 1]);
    await assertRejects(async () => await file.readAt(new Uint8Array(1), 0), Error, "the file was closed");
    await assertRejects(async () => await file.sync(), Error, "the file was closed");
  });

  it("is closed though nobody waits for that, and after the calls that use it", async () => {
    using folder = new Folder();
    fs.writeFileSync(folder.at("a"), pattern(3_000_000));
    await run(async () => {
      const before = descriptors();
      const isOpen = () => openedSince(before).some((one) => one.includes(folder.path));
      const file = await File.open(folder.at("a"));
      const bytes = new Uint8Array(200_000);
      const reads = Array.from({ length: 20 }, (_, i) => file.readAt(bytes, i).toPromise());
      file.close();
      assertEquals(await Promise.all(reads), reads.map(() => bytes.length));
      while (isOpen()) await new Promise((resolve) => setTimeout(resolve, 1));
    });
  });

  it("is closed where it was forgotten", async () => {
    using folder = new Folder();
    const before = descriptors();
    const isOpen = () => openedSince(before).some((one) => one.includes(folder.path));
    await (async () => {
      for (let i = 0; i < 20; i++) await File.open(folder.at(`${i}`), ALL);
    })();
    assert(isOpen());
    assert(await collect(() => openedSince(before).filter((one) => one.includes(folder.path)).length <= 2));
  });

  it("leaves no descriptor and no memory behind, however often it is opened", async () => {
    using folder = new Folder();
    fs.writeFileSync(folder.at("a"), pattern(10_000));
    const cycles = tiered({ quick: 1000, full: 100_000, soak: 1_000_000 });
    await run(async () => {
      async function cycle(count: number): Promise<void> {
        const bytes = new Uint8Array(5000);
        for (let i = 0; i < count; i += 20) {
          await Promise.all(Array.from({ length: 20 }, async () => {
            await using file = await File.open(folder.at("a"));
            await file.readAt(bytes, 0);
          }));
        }
      }
      await cycle(cycles / 4);
      await collect();
      const [before, rss] = [descriptors(), process.memoryUsage.rss()];
      await cycle(cycles);
      await collect();
      assertEquals(openedSince(before).filter((one) => one.includes(folder.path)), []);
      const growth = process.memoryUsage.rss() - rss;
      assert(growth < 40e6, `${growth} bytes more`);
    });
  });
});

const BUFFER_LOSSES: Record<string, (bytes: Uint8Array<ArrayBuffer>) => void> = {
  "transferred away": (bytes) => structuredClone(bytes.buffer, { transfer: [bytes.buffer] }),
  shrunk: (bytes) => bytes.buffer.resize(100),
};

function resizable(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(new ArrayBuffer(length, { maxByteLength: length }));
  bytes.set(pattern(length));
  return bytes;
}

/** That the write fails whose buffer goes once it was asked for. */
async function assertLost(
  path: string,
  lose: (bytes: Uint8Array<ArrayBuffer>) => void,
  write: (bytes: Uint8Array) => { toPromise(): Promise<void> },
): Promise<void> {
  const bytes = resizable(1_000_000);
  const writing = write(bytes).toPromise();
  lose(bytes);
  const { message } = await assertRejects(() => writing, TypeError);
  assert(message.startsWith(`cannot write ${path}: the buffer was transferred away or shrunk`), message);
}

describe("a write whose buffer goes meanwhile", () => {
  for (const [what, lose] of Object.entries(BUFFER_LOSSES)) {
    it(`fails where it was ${what}, and an atomic one leaves the old file`, async () => {
      using folder = new Folder();
      const path = folder.at("a");
      fs.writeFileSync(path, "the old file");
      await run(async () => {
        await assertLost(path, lose, (bytes) => writeFile(path, bytes, { atomic: true }));
        while (nativeThreads().calls > 0) await sleep(1);
        assertEquals([fs.readFileSync(path, "utf8"), fs.readdirSync(folder.path)], ["the old file", ["a"]]);
        await assertLost(path, lose, (bytes) => writeFile(path, bytes));
        await using file = await File.open(path, ALL);
        await assertLost(path, lose, (bytes) => file.writeAt(bytes, 0));
        await assertLost(path, lose, (bytes) => file.write(bytes));
      });
    });

    it(`fails where it was ${what} while the call waited for its turn, and keeps no descriptor`, async () => {
      using folder = new Folder();
      await run(async () => {
        const before = descriptors();
        const file = await File.open(folder.at("a"), ALL);
        const buffers = Array.from({ length: 1000 }, () => resizable(1000));
        const writes = buffers.map((bytes, i) => file.writeAt(bytes, i * 1000).toPromise());
        buffers.forEach(lose);
        const results = await Promise.allSettled(writes);
        const errors = results.flatMap((one) => one.status === "rejected" ? [String(one.reason)] : []);
        assert(errors.length > 0);
        for (const error of errors) assert(error.startsWith(`TypeError: cannot write ${file.path}: `), error);
        await file.close();
        assertEquals(openedSince(before).filter((one) => one.includes(folder.path)), []);
      });
    });
  }
});

describe("a buffer that is gone", () => {
  it("is refused before the file is touched", async () => {
    using folder = new Folder();
    const path = folder.at("a");
    fs.writeFileSync(path, "the old file");
    const bytes = resizable(100);
    BUFFER_LOSSES["transferred away"](bytes);
    await run(async () => {
      assertThrows(() => writeFile(path, bytes), TypeError, "bytes are gone");
      await using file = await File.open(path, ALL);
      assertThrows(() => file.writeAt(bytes, 0), TypeError, "bytes are gone");
    });
    assertEquals(fs.readFileSync(path, "utf8"), "the old file");
  });

  it("ends a read of many calls between two of them", async () => {
    using folder = new Folder();
    const path = folder.at("a");
    fs.writeFileSync(path, pattern(3_000_000));
    await run(async () => {
      await using file = await File.open(path, ALL);
      for (const lose of Object.values(BUFFER_LOSSES)) {
        const bytes = resizable(3_000_000);
        const reading = file.readAt(bytes, 0).toPromise();
        lose(bytes);
        await assertRejects(() => reading, TypeError, "the buffer was transferred away");
      }
    });
  });
});

describe("a pipe with a name", () => {
  it("blocks who opens or reads it, and nobody else", async () => {
    using folder = new Folder();
    const path = folder.at("fifo");
    assertEquals(spawnSync("mkfifo", [path]).status, 0);
    fs.writeFileSync(folder.at("a"), "content");
    await run(async () => {
      const opening = spawn(() => File.open(path));
      await using file = await File.open(folder.at("a"));
      for (let i = 0; i < 50; i++) assertEquals(await file.readAt(new Uint8Array(10), 0), 7);
      assertEquals(opening.isFinished, false);
      await using writer = await File.open(path, { write: true });
      await using reader = await opening;
      const bytes = new Uint8Array(10);
      const reading = spawn(() => reader.read(bytes));
      for (let i = 0; i < 50; i++) assertEquals(await file.readAt(new Uint8Array(10), 0), 7);
      assertEquals(reading.isFinished, false);
      await writer.write(bytesOf("hello"));
      assertEquals([await reading, new TextDecoder().decode(bytes.subarray(0, 5))], [5, "hello"]);
      assertEquals((await failure(() => reader.readAt(bytes, 0))).code, "ESPIPE");
    });
  });
});
