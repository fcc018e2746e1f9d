/** Network interfaces by their names: net/if.h. */
import { dlopenQuietly } from "./dlopen.ts";
import { errno } from "./errno.ts";
import { LIBC } from "./soname.ts";
import { SystemError } from "./system_error.ts";
import type { NativeFunctions, SymbolTable } from "./types.ts";

const table = {
  if_nametoindex: { parameters: [/* const char *ifname */ "cstring!"], result: "u32" },
} as const satisfies SymbolTable;

let symbols: NativeFunctions<typeof table> | undefined;

/** Its number, from 1. Throws a `SystemError`: `ENODEV`, where there is none of that name. */
export function interfaceNumber(name: string): number {
  symbols ??= dlopenQuietly(LIBC, table).symbols;
  const number = symbols.if_nametoindex(name);
  if (number > 0) return number;
  throw new SystemError(errno(), "if_nametoindex", {
    path: name,
    hint: "an address has the name or the number of an interface of this machine behind its %",
  });
}
