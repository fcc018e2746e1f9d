/** Files beneath a folder, and their bytes at an offset: linux/openat2.h and unistd.h. */
import process from "node:process";
import { dlopenQuietly } from "./dlopen.ts";
import { struct } from "./layout/struct.ts";
import { cString } from "./pointer.ts";
import { LIBC } from "./soname.ts";
import type { NativeFunctions, SymbolTable } from "./types.ts";

const table = {
  // glibc has no openat2 before 2.43: by its number, which is the same everywhere.
  openat2: {
    symbol: "syscall",
    parameters: [
      /* long number */ "usize",
      /* int dirfd */ "i32",
      /* const char *pathname */ "buffer!",
      /* struct open_how *how */ "buffer!",
      /* size_t size */ "usize",
    ],
    result: "isize",
    variadic: 1,
  },
  pread: {
    parameters: [
      /* int fd */ "i32",
      /* void *buf */ "buffer!",
      /* size_t count */ "usize",
      /* off_t offset */ "i64",
    ],
    result: "isize",
  },
} as const satisfies SymbolTable;

const SYS_OPENAT2 = 437;
const RESOLVE_NO_MAGICLINKS = 0x02;
const RESOLVE_BENEATH = 0x08;

/** `O_DIRECTORY` here. */
export const O_DIRECTORY: number = process.arch === "x64" ? 0o200000 : 0o40000;

const open_how = struct({ flags: "u53", mode: "u53", resolve: "u53" });
const how = new Uint8Array(open_how.size);
const fields = open_how.view(how);
const size = open_how.size;

let symbols: NativeFunctions<typeof table> | undefined;

function calls(): NativeFunctions<typeof table> {
  return symbols ??= dlopenQuietly(LIBC, table).symbols;
}

/** openat2(2) with `RESOLVE_BENEATH`: no link and no `..` leads out of the folder. -1 where it failed. */
export function openBeneath(folder: number, path: string, flags: number): number {
  fields.flags = flags;
  fields.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  return Number(calls().openat2(SYS_OPENAT2, folder, cString(path), how, size));
}

/** pread(2): how many bytes were read, or -1. */
export function readFrom(fd: number, into: Uint8Array<ArrayBuffer>, offset: number): number {
  return Number(calls().pread(fd, into, into.byteLength, BigInt(offset)));
}
