/** The shared objects of the toolkit itself that a process has once. */
import * as code from "./assembled.ts";
import type { SharedObject } from "./elf.ts";
import { LENT } from "./lend_symbols.ts";
import { MEMORY } from "./sigbus_memory.ts";
import { SONAMES } from "./sonames.ts";

/** By their names in `sonames.ts`, which `scripts/assemble.ts` writes: whoever reads a map need not compute a hash. */
export const processObjects = {
  sigbus: {
    soname: SONAMES.sigbus,
    functions: {
      sigbus_guard: code.sigbusGuard,
      sigbus_release: code.sigbusRelease,
      sigbus_counts: code.sigbusCounts,
      sigbus_handler: code.sigbusHandler,
      sigbus_restorer: code.restorer,
    },
    memory: MEMORY,
  },
  lentRelease: {
    soname: SONAMES.lentRelease,
    functions: { [LENT.release]: code.lentRelease },
  },
  lentAddon: {
    soname: SONAMES.lentAddon,
    functions: {
      napi_register_module_v1: code.lentRegister,
      [LENT.make]: code.lentMake,
      [LENT.finalize]: code.lentFinalize,
    },
  },
} as const satisfies Readonly<Record<string, SharedObject>>;
