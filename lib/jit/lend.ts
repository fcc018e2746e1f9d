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
import type { SharedObject } from "./elf.ts";
import { LENT } from "./lend_symbols.ts";
import { openForProcess } from "./library.ts";
import { processObjects } from "./process_objects.ts";

/** Where the process has the symbol of an object that it keeps. */
function symbolOf(object: SharedObject, symbol: string): Pointer {
  return symbolIn(openForProcess(object, {}).path, symbol) ?? NULL;
}

function release(): Pointer {
  return symbolOf(processObjects.lentRelease, LENT.release);
}

function addon(): string {
  // A path, since Deno knows no sonames.
  return pathOf(symbolOf(processObjects.lentAddon, LENT.make));
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
