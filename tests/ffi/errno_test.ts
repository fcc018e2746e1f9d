import { describe, it } from "node:test";
import { existsSync, readFileSync } from "node:fs";
import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { ERRNO } from "../../ffi/errno_names.ts";
import { check, cString, dlopen, errno, SystemError, unsafeStringAt } from "../../ffi/mod.ts";
import { moduleUrl, outputOf } from "../child.ts";
import { tiered } from "../tier.ts";
import { skipping } from "../skip.ts";

const { symbols: libc } = dlopen(["libc.so.6"], {
  close: { parameters: [/* int fd */ "i32"], result: "i32" },
  open: { parameters: [/* const char *pathname */ "buffer", /* int flags */ "i32"], result: "i32" },
  strerror: { parameters: [/* int errnum */ "i32"], result: "pointer" },
});

const headers = ["/usr/include/asm-generic/errno-base.h", "/usr/include/asm-generic/errno.h"];
const missingHeaders = headers.filter((path) => !existsSync(path));

describe("errno", () => {
  it("is what the failed call before it has left", () => {
    assertEquals([libc.close(-1), errno()], [-1, 9]);
    assertEquals([libc.open(cString("/oxbow/nowhere"), 0), errno()], [-1, 2]);
    assertEquals([libc.open(cString("/proc/self/maps/x"), 0), errno()], [-1, 20]);
    assertEquals([libc.open(cString(`/${"x".repeat(300)}`), 0), errno()], [-1, 36]);
  });

  it("is right at the first failed call of a process", () => {
    const source = `
      import { dlopen, errno } from "${moduleUrl("ffi/mod.ts")}";
      const { symbols } = dlopen(["libc.so.6"], { close: { parameters: ["i32"], result: "i32" } });
      console.log(symbols.close(-1), errno());
    `;
    assertEquals(outputOf(source), "-1 9");
  });

  it("is right at the first failed call of a process that goes through our own table", () => {
    const source = `
      import { errno, libc } from "${moduleUrl("ffi/mod.ts")}";
      console.log(libc().close(-1), errno());
    `;
    assertEquals(outputOf(source), "-1 9");
  });

  it("stays right among many calls and much garbage", () => {
    const rounds = tiered({ quick: 100_000, full: 1_000_000, soak: 100_000_000 });
    const missing = cString("/oxbow/nowhere");
    const faults: string[] = [];
    let garbage: unknown[] = [];
    for (let i = 0; i < rounds; i++) {
      const expected = i % 3 === 0 ? 2 : 9;
      const result = expected === 2 ? libc.open(missing, 0) : libc.close(-1);
      const number = errno();
      if (result !== -1 || number !== expected) faults.push(`${i}: ${result}, ${number}`);
      garbage.push(`${i}`, [i], { i });
      if (garbage.length > 10_000) garbage = [];
    }
    assertEquals(faults, []);
  });
});

describe("SystemError", () => {
  it("says what was tried, on what, and why it failed", () => {
    const error = new SystemError(2, "open", { path: "/a/b" });
    assertEquals(error.message, "open /a/b failed: No such file or directory (ENOENT)");
    assertEquals([error.name, error.code, error.errno, error.syscall], ["SystemError", "ENOENT", 2, "open"]);
    assertEquals([error.path, error.dest], ["/a/b", undefined]);
    assert(error instanceof Error);
  });

  it("says what to do, and where the second path was", () => {
    const error = new SystemError(18, "rename", { path: "a", dest: "/b/c", hint: "copy it instead" });
    assertEquals(
      error.message,
      "rename a to /b/c failed: Invalid cross-device link (EXDEV); copy it instead",
    );
    assertEquals([error.path, error.dest], ["a", "/b/c"]);
  });

  it("has no path where the call had none", () => {
    const error = new SystemError(24, "socket");
    assertEquals(error.message, "socket failed: Too many open files (EMFILE)");
    assertEquals(Object.hasOwn(error, "path"), false);
    assertEquals(Object.hasOwn(error, "dest"), false);
  });

  it("has a code for a number that nobody knows", () => {
    const error = new SystemError(4095, "ioctl");
    assertEquals([error.code, error.errno], ["E4095", 4095]);
    assertEquals(error.message, "ioctl failed: unknown error (E4095)");
  });
});

describe("check", () => {
  it("gives the result back where it is not -1", () => {
    for (const result of [0, 1, -2, 2 ** 31 - 1]) assertStrictEquals(check(result, "read"), result);
  });

  it("throws what errno says where it is -1", () => {
    const call = () => check(libc.close(-1), "close", { path: "/x", hint: "open it first" });
    const error = assertThrows(call, SystemError, "close /x failed: Bad file descriptor (EBADF); open it");
    assertEquals([error.code, error.errno, error.syscall, error.path], ["EBADF", 9, "close", "/x"]);
  });
});

describe("the names of errors", () => {
  const skip = skipping(missingHeaders.length > 0 && `${missingHeaders.join(" and ")} are not installed`);

  it("are those of the machine's headers", { skip }, () => {
    const text = headers.map((path) => readFileSync(path, "utf8")).join("");
    const defined = [...text.matchAll(/^#define\s+(E\w+)\s+(\d+)/gm)].map(([, name, number]) => ({
      number: Number(number),
      name,
    }));
    assert(defined.length > 130);
    const ours = Object.entries(ERRNO).map(([number, [name]]) => ({ number: Number(number), name }));
    assertEquals(ours, defined.sort((a, b) => a.number - b.number));
  });

  it("come with strerror's words", () => {
    const theirs: Record<string, string> = {};
    for (const number of Object.keys(ERRNO)) {
      const text = libc.strerror(Number(number));
      theirs[number] = text === null ? "" : unsafeStringAt(text);
    }
    assertEquals(
      Object.fromEntries(Object.entries(ERRNO).map(([number, [, text]]) => [number, text])),
      theirs,
    );
  });
});
