import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, describe, it } from "node:test";
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { cString, dlopen, errno, pointerAt, pointerTo, unsafeBufferAt } from "../../ffi/mod.ts";
import { unsafeSyscalls } from "../../lib/jit/syscalls.ts";
import { UnsafeSyscallBatch } from "../../lib/jit/syscall_batch.ts";
import { moduleUrl, outputOf } from "../child.ts";

const NR = {
  write: 1,
  close: 3,
  lseek: 8,
  mmap: 9,
  munmap: 11,
  pread64: 17,
  getppid: 110,
  openat: 257,
  memfd: 319,
};
const [EBADF, EFAULT, ENOSYS, EINVAL] = [9, 14, 38, 22];
const AT_FDCWD = -100;

const folder = mkdtempSync(join(tmpdir(), "oxbow-syscalls-"));
const path = join(folder, "file");
const pages = new Uint8Array(3 * 4096).map((_, i) => i / 4096 + 1);
writeFileSync(path, pages);
after(() => rmSync(folder, { recursive: true }));

describe("unsafeSyscalls", () => {
  const kernel = unsafeSyscalls({
    getppid: { number: NR.getppid, parameters: [], result: "i32" },
    close: { number: NR.close, parameters: ["i32"], result: "i32" },
    closeWide: { number: NR.close, parameters: ["i32"], result: "i64" },
    openat: { number: NR.openat, parameters: ["i32", "buffer", "i32", "u32"], result: "i32" },
    pread: { number: NR.pread64, parameters: ["i32", "buffer", "usize", "i64"], result: "isize" },
    mmap: { number: NR.mmap, parameters: ["pointer", "usize", "i32", "i32", "i32", "i64"], result: "i64" },
    none: { number: 0xffff, parameters: [], result: "i32" },
  });
  const { symbols } = kernel;
  after(() => kernel.close());

  it("gives what the kernel gives, and the negative errno where it fails", () => {
    assertEquals(symbols.getppid(), process.ppid);
    assertEquals([symbols.close(-1), symbols.closeWide(-1), symbols.none()], [
      -EBADF,
      BigInt(-EBADF),
      -ENOSYS,
    ]);
  });

  it("leaves errno alone", () => {
    using libc = dlopen(["libc.so.6"], { close: { parameters: ["i32"], result: "i32" } });
    assertEquals([libc.symbols.close(-1), errno()], [-1, EBADF]);
    assertEquals(symbols.none(), -ENOSYS);
    assertEquals(errno(), EBADF);
  });

  it("passes all six arguments", () => {
    const fd = symbols.openat(AT_FDCWD, cString(path), 0, 0);
    assert(fd >= 0);
    const bytes = new Uint8Array(10);
    assertEquals(symbols.pread(fd, bytes, 8, 4092), 8n);
    assertEquals([...bytes], [1, 1, 1, 1, 2, 2, 2, 2, 0, 0]);
    const address = symbols.mmap(null, 4096, 1, 2, fd, 8192);
    assertEquals(new Uint8Array(unsafeBufferAt(pointerAt(address), 4096)), pages.slice(8192));
    assertEquals(symbols.mmap(null, 4096, 1, 2, fd, 1), BigInt(-EINVAL));
    assertEquals(symbols.close(fd), 0);
    assertEquals(symbols.pread(fd, bytes, 8, 0), BigInt(-EBADF));
  });

  it("makes a call of any name", () => {
    using kernel = unsafeSyscalls({
      ["__proto__"]: { number: NR.getppid, parameters: [], result: "i32" },
      constructor: { number: NR.close, parameters: ["i32"], result: "i32" },
    });
    assertEquals(Object.keys(kernel.symbols).sort(), ["__proto__", "constructor"]);
    assertEquals([kernel.symbols["__proto__"](), kernel.symbols.constructor(-1)], [process.ppid, -EBADF]);
  });

  it("refuses what no system call is, by its name", () => {
    const none = { parameters: [], result: "i32" } as const;
    for (const number of [-1, 1.5, NaN, 0x10000]) {
      assertThrows(
        () => unsafeSyscalls({ odd: { ...none, number } }),
        RangeError,
        `cannot make odd: ${number} is no number`,
      );
    }
    const seven = {
      number: 1,
      parameters: ["i32", "i32", "i32", "i32", "i32", "i32", "i32"],
      result: "i32",
    } as const;
    assertThrows(() => unsafeSyscalls({ seven }), RangeError, "it has 7 parameters");
    assertThrows(() => unsafeSyscalls({ f: { ...none, number: 1, result: "f64" } }), TypeError, "f64");
    assertThrows(() => unsafeSyscalls({ f: { ...none, number: 1, parameters: ["f32"] } }), TypeError, "f32");
    // @ts-expect-error: a string is no descriptor.
    assertThrows(() => symbols.close("1"), TypeError, "argument 1 (i32)");
  });

  it("says by name where no code can be loaded", () => {
    const source = `
      import { unsafeSyscalls } from "${moduleUrl("lib/jit/syscalls.ts")}";
      import { UnsafeSyscallBatch } from "${moduleUrl("lib/jit/syscall_batch.ts")}";
      const attempt = (act) => { try { act(); } catch (error) { console.log(error.name); } };
      attempt(() => unsafeSyscalls({ f: { number: 1, parameters: [], result: "i32" } }));
      attempt(() => new UnsafeSyscallBatch(1));`;
    assertEquals(
      outputOf(source, { before: "export OXBOW_NATIVE=0" }),
      "NativeUnavailableError\nNativeUnavailableError",
    );
  });
});

describe("UnsafeSyscallBatch", () => {
  it("runs a list, each call with its result", () => {
    using batch = new UnsafeSyscallBatch(8);
    const [read, name] = [new Uint8Array(6), cString(path)];
    using opened = new UnsafeSyscallBatch(1);
    opened.add(NR.openat, AT_FDCWD, name, 0);
    assertEquals(opened.run(), 1);
    const file = opened.result(0);
    assert(file >= 0);
    assertEquals(batch.add(NR.pread64, file, pointerTo(read), 3, 0), 0);
    assertEquals(batch.add(NR.pread64, file, read.subarray(3), 3n, 8192), 1);
    batch.add(NR.close, -1);
    batch.add(NR.mmap, null, 4096, 1, 2, file, 4096);
    batch.add(NR.pread64, file, pointerAt(16n), 1, 0);
    batch.add(NR.close, file);
    assertEquals([batch.run(), batch.length], [6, 6]);
    assertEquals([0, 1, 2, 4, 5].map((i) => batch.result(i)), [3, 3, -EBADF, -EFAULT, 0]);
    assertEquals([...read], [1, 1, 1, 3, 3, 3]);
    const address = pointerAt(BigInt(batch.result(3)));
    assertEquals(new Uint8Array(unsafeBufferAt(address, 4096)), pages.slice(4096, 8192));
    batch.clear();
    batch.add(NR.munmap, address, 4096);
    assertEquals([batch.run(), batch.result(0)], [1, 0]);
  });

  it("leaves nothing behind when its last list is disposed", () => {
    const source = `
      import { readdirSync, readlinkSync } from "node:fs";
      import { UnsafeSyscallBatch } from "${moduleUrl("lib/jit/syscall_batch.ts")}";
      const held = () => readdirSync("/proc/self/fd").filter((fd) => {
        try {
          return readlinkSync("/proc/self/fd/" + fd).includes("memfd:oxbow-run");
        } catch {
          return false;
        }
      }).length;
      const attempt = (act) => { try { return act(); } catch (error) { return error.message; } };
      const first = new UnsafeSyscallBatch(2);
      const second = new UnsafeSyscallBatch(2);
      for (const batch of [first, second]) batch.add(3, -1);
      first[Symbol.dispose]();
      first[Symbol.dispose]();
      console.log(held(), second.run(), second.result(0), first.length, attempt(() => first.run()));
      second[Symbol.dispose]();
      console.log(held(), attempt(() => second.runUntilError()));
      using third = new UnsafeSyscallBatch(2);
      third.add(3, -1);
      console.log(held(), third.run(), third.result(0));`;
    const disposed = "cannot run a list of system calls: it was disposed";
    assertEquals(outputOf(source), `1 1 -9 0 ${disposed}\n0 ${disposed}\n1 1 -9`);
  });

  it("stops at the first that fails, where it is told to", () => {
    using batch = new UnsafeSyscallBatch(4);
    for (const call of [[NR.getppid], [NR.close, -1], [NR.getppid]]) batch.add(call[0], ...call.slice(1));
    assertEquals(batch.runUntilError(), 2);
    assertEquals([batch.result(0), batch.result(1)], [process.ppid, -EBADF]);
    assertThrows(() => batch.result(2), RangeError, "cannot give the result of call 2: 2 were run");
    assertEquals(batch.run(), 3);
    assertEquals(batch.result(2), process.ppid);
    batch.clear();
    assertEquals([batch.length, batch.run(), batch.runUntilError()], [0, 0, 0]);
    assertThrows(() => batch.result(0), RangeError, "0 were run");
  });

  it("agrees with one call after another, whatever the list", () => {
    using memfd = new UnsafeSyscallBatch(1);
    memfd.add(NR.memfd, cString("oxbow-test"), 0);
    memfd.run();
    const fd = memfd.result(0);
    assert(fd >= 0);
    const position = fc.oneof(fc.nat(2 ** 31), fc.maxSafeNat(), fc.bigInt(0n, 2n ** 53n - 1n));
    const call = fc.oneof(
      fc.record({
        args: fc.tuple(position).map(([p]) => [NR.lseek, fd, p, 0] as const),
        expected: fc.constant(undefined),
      }),
      fc.constant({ args: [NR.close, -1] as const, expected: -EBADF }),
      fc.constant({ args: [NR.getppid] as const, expected: process.ppid }),
      fc.constant({ args: [NR.lseek, fd, -1, 0] as const, expected: -EINVAL }),
    );
    using batch = new UnsafeSyscallBatch(50);
    fc.assert(fc.property(fc.array(call, { maxLength: 50 }), fc.boolean(), (calls, stops) => {
      batch.clear();
      for (const { args: [number, ...rest] } of calls) batch.add(number, ...rest);
      const expected = calls.map(({ args, expected }) => expected ?? Number(args[2]));
      const failed = expected.findIndex((result) => result < 0);
      const count = stops ? batch.runUntilError() : batch.run();
      assertEquals(count, stops && failed !== -1 ? failed + 1 : calls.length);
      assertEquals(Array.from({ length: count }, (_, i) => batch.result(i)), expected.slice(0, count));
    }));
    batch.clear();
    batch.add(NR.close, fd);
    assertEquals([batch.run(), batch.result(0)], [1, 0]);
  });

  it("holds the views of its list until it is cleared, and refuses those that have no address", () => {
    using batch = new UnsafeSyscallBatch(2);
    const gone = new Uint8Array(8);
    structuredClone(gone, { transfer: [gone.buffer] });
    assertThrows(() => batch.add(NR.write, 1, gone, 8), TypeError, "detached");
    assertEquals(batch.length, 0);
    assertEquals(batch.add(NR.write, -1, new Uint8Array(0), 0), 0);
    assertEquals([batch.run(), batch.result(0)], [1, -EBADF]);
  });

  it("refuses bad arguments, naming them, and adds nothing", () => {
    for (const capacity of [0, -1, 1.5, NaN, 65_537]) {
      assertThrows(() => new UnsafeSyscallBatch(capacity), RangeError, `capacity is ${capacity}`);
    }
    using batch = new UnsafeSyscallBatch(1);
    for (const number of [-1, 0.5, 65_536]) {
      assertThrows(() => batch.add(number), RangeError, `system call ${number}: it is no number`);
    }
    assertThrows(() => batch.add(1, 1, 2, 3, 4, 5, 6, 7), RangeError, "up to 6 arguments, not 7");
    assertThrows(() => batch.add(1, 0, 1.5), RangeError, "argument 2 is 1.5");
    assertThrows(() => batch.add(1, 2 ** 53), RangeError, "argument 1 is 9007199254740992");
    assertThrows(() => batch.add(1, 2n ** 64n), RangeError, "past 64 bits");
    assertEquals(batch.length, 0);
    batch.add(NR.close, 2n ** 64n - 1n);
    assertThrows(() => batch.add(NR.getppid), RangeError, "the list has room for 1");
    assertEquals([batch.run(), batch.result(0)], [1, -EBADF]);
    for (const index of [-1, 1, 0.5]) assertThrows(() => batch.result(index), RangeError, `of call ${index}`);
  });
});
