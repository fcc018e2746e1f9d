/** The shared objects of the toolkit itself that a process has once. */
import * as code from "./assembled.ts";
import { CALLS } from "./calls_memory.ts";
import type { SharedObject } from "./elf.ts";
import { LENT } from "./lend_symbols.ts";
import { MEMORY } from "./sigbus_memory.ts";
import { SONAMES } from "./sonames.ts";
import { WATCH } from "./watch_memory.ts";

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
  watch: {
    soname: SONAMES.watch,
    functions: {
      napi_register_module_v1: code.watchRegister,
      [WATCH.start]: code.watchStart,
      [WATCH.thread]: code.watchThread,
      [WATCH.make]: code.watchMake,
      [WATCH.arm]: code.watchArm,
      [WATCH.disarm]: code.watchDisarm,
      [WATCH.fired]: code.watchFired,
      [WATCH.ref]: code.watchRef,
      [WATCH.unref]: code.watchUnref,
      [WATCH.close]: code.watchClose,
      [WATCH.end]: code.watchEnd,
    },
  },
  calls: {
    soname: SONAMES.calls,
    functions: {
      [CALLS.submit]: code.callsSubmit,
      [CALLS.rouse]: code.callsRouse,
      [CALLS.thread]: code.callsThread,
      [CALLS.release]: code.callsRelease,
      [CALLS.close]: code.callsClose,
      [CALLS.end]: code.callsEnd,
    },
  },
} as const satisfies Readonly<Record<string, SharedObject>>;
