/**
 * Buffers over foreign memory that are counted until nobody has them: whichever views were made, wherever they were
 * transferred to, whatever thread of the host reads them. The collector tells, in the machine code of a finalizer
 * that runs when the memory itself is let go.
 *
 * @module
 */
import { NativeUnavailableError, NULL, type Pointer } from "../../ffi/mod.ts";
import { type Lender, openLender } from "../../ffi/lend.ts";
import { pathOf, symbolIn } from "../../ffi/loader.ts";
import type { Code } from "./code.ts";
import { lentFinalize, lentMake, lentRegister, lentRelease } from "./assembled.ts";
import { LENT } from "./lend_symbols.ts";
import { openForProcess } from "./library.ts";

/** Where the process has the symbol of an object that it keeps. */
function symbolOf(functions: Readonly<Record<string, Code>>, symbol: string): Pointer {
  return symbolIn(openForProcess({ functions }, {}).path, symbol) ?? NULL;
}

function release(): Pointer {
  return symbolOf({ [LENT.release]: lentRelease }, LENT.release);
}

function addon(): string {
  const functions = {
    napi_register_module_v1: lentRegister,
    [LENT.make]: lentMake,
    [LENT.finalize]: lentFinalize,
  };
  // A path, since Deno knows no sonames.
  return pathOf(symbolOf(functions, LENT.make));
}

let lender: Lender | null | undefined;

/** `undefined` on Node, which calls finalizers at a turn of the loop alone, and where no code can be loaded. */
export function countingLender(): Lender | undefined {
  if (lender !== undefined) return lender ?? undefined;
  try {
    lender = openLender({ release, addon }) ?? null;
  } catch (error) {
    if (!(error instanceof NativeUnavailableError)) throw error;
    lender = null;
  }
  return lender ?? undefined;
}
