import { after, before, describe, it } from "node:test";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { check, dlopen } from "../../ffi/mod.ts";

const O_WRONLY = 0o1;
const O_CREAT = 0o100;
const F_GETFD = 1;
const F_SETFD = 2;
const FD_CLOEXEC = 1;
const FIONREAD = 0x541b;

const { symbols: libc } = dlopen(["libc.so.6"], {
  open: {
    parameters: [/* const char *pathname */ "cstring", /* int flags */ "i32", /* mode_t mode */ "u32"],
    result: "i32",
    variadic: 2,
  },
  fcntl: {
    parameters: [/* int fd */ "i32", /* int op */ "i32", /* int arg */ "i32"],
    result: "i32",
    variadic: 2,
  },
  ioctl: {
    parameters: [/* int fd */ "i32", /* unsigned long op */ "u64", /* int *arg */ "buffer"],
    result: "i32",
    variadic: 2,
  },
  formatTwo: {
    symbol: "snprintf",
    parameters: [
      /* char *str */ "buffer",
      /* size_t size */ "usize",
      /* const char *format */ "cstring",
      ...["i32", "i64"] as const,
    ],
    result: "i32",
    variadic: 3,
  },
  // More than there are registers: the rest is on the stack.
  formatMany: {
    symbol: "snprintf",
    parameters: [
      /* char *str */ "buffer",
      /* size_t size */ "usize",
      /* const char *format */ "cstring",
      ...["i32", "u64", "cstring", "i64", "u32", "i32", "u64", "i32"] as const,
    ],
    result: "i32",
    variadic: 3,
  },
  pipe: { parameters: [/* int pipefd[2] */ "buffer"], result: "i32" },
  write: {
    parameters: [/* int fd */ "i32", /* const void *buf */ "buffer", /* size_t count */ "usize"],
    result: "isize",
  },
  close: { parameters: [/* int fd */ "i32"], result: "i32" },
});

function textOf(bytes: Uint8Array, length: number): string {
  return new TextDecoder().decode(bytes.subarray(0, length));
}

describe("a variadic function through a fixed signature", () => {
  let folder: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "oxbow-variadic-"));
  });
  after(() => rmSync(folder, { recursive: true }));

  it("open makes a file of the mode that it is given", () => {
    const mask = process.umask(0);
    try {
      for (const mode of [0o600, 0o644, 0o751, 0o777, 0]) {
        const path = join(folder, mode.toString(8));
        libc.close(check(libc.open(path, O_WRONLY | O_CREAT, mode), "open", { path }));
        assertEquals(statSync(path).mode & 0o7777, mode);
      }
    } finally {
      process.umask(mask);
    }
  });

  it("fcntl sets the flags that it is given, and gets them", () => {
    const fd = check(libc.open("/dev/null", 0, 0), "open");
    assertEquals(libc.fcntl(fd, F_GETFD, 0), 0);
    assertEquals(libc.fcntl(fd, F_SETFD, FD_CLOEXEC), 0);
    assertEquals(libc.fcntl(fd, F_GETFD, 0), FD_CLOEXEC);
    assertEquals(libc.fcntl(fd, F_SETFD, 0), 0);
    assertEquals(libc.fcntl(fd, F_GETFD, 0), 0);
    libc.close(fd);
  });

  it("ioctl writes where its pointer points", () => {
    const ends = new Int32Array(2);
    check(libc.pipe(ends), "pipe");
    const waiting = new Int32Array([-1]);
    for (const expected of [0, 5, 10]) {
      assertEquals(libc.ioctl(ends[0], FIONREAD, waiting), 0);
      assertEquals(waiting[0], expected);
      libc.write(ends[1], new Uint8Array(5), 5);
    }
    for (const fd of ends) libc.close(fd);
  });

  it("snprintf formats integers, in registers and on the stack", () => {
    const bytes = new Uint8Array(200);
    const int = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
    const long = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    fc.assert(fc.property(int, long, (a, b) => {
      assertEquals(textOf(bytes, libc.formatTwo(bytes, 200, "%d %lld", a, b)), `${a} ${b}`);
    }));
    const unsigned = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
    const many = fc.tuple(int, unsigned, long, fc.nat(), int, unsigned, int);
    fc.assert(fc.property(many, ([a, b, c, d, e, f, g]) => {
      const length = libc.formatMany(bytes, 200, "%d %llu %s %lld %u %d %llx %d", a, b, "ox", c, d, e, f, g);
      assertEquals(textOf(bytes, length), `${a} ${b} ox ${c} ${d} ${e} ${f.toString(16)} ${g}`);
    }));
  });
});
