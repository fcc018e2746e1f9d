/**
 * The programs that the toolkit itself runs. `assembled.ts` has what the assembler makes of them, so that a map or
 * a signal does not load the assembler with its tables first.
 */
import * as calls from "./calls_code.ts";
import type { Code } from "./code.ts";
import { cpuidCode, xgetbvCode } from "./cpu_code.ts";
import { httpHeadCode } from "./http_head_code.ts";
import { restorerCode } from "./kernel_code.ts";
import { finalizeCode, makeCode, registerCode, releaseCode as lentReleaseCode } from "./lend_code.ts";
import { countsCode, guardCode, handlerCode as sigbusHandlerCode, releaseCode } from "./sigbus_code.ts";
import { handlerCode as signalHandlerCode, unwatchCode, watchCode } from "./signal_code.ts";
import { runCode } from "./syscall_batch_code.ts";
import * as watch from "./watch_code.ts";

/** By their names in `assembled.ts`. */
export const programs: Readonly<Record<string, () => Code>> = {
  cpuid: cpuidCode,
  xgetbv: xgetbvCode,
  runSyscalls: runCode,
  restorer: restorerCode,
  httpHead: httpHeadCode,
  lentRelease: lentReleaseCode,
  lentFinalize: finalizeCode,
  lentMake: makeCode,
  lentRegister: registerCode,
  sigbusHandler: sigbusHandlerCode,
  sigbusGuard: guardCode,
  sigbusRelease: releaseCode,
  sigbusCounts: countsCode,
  signalHandler: signalHandlerCode,
  signalWatch: watchCode,
  signalUnwatch: unwatchCode,
  watchStart: watch.startCode,
  watchThread: watch.threadCode,
  watchArm: watch.armCode,
  watchDisarm: watch.disarmCode,
  watchFired: watch.firedCode,
  watchEnd: watch.endCode,
  watchClose: watch.closeCode,
  watchRef: watch.refCode,
  watchUnref: watch.unrefCode,
  watchMake: watch.makeCode,
  watchRegister: watch.registerCode,
  callsSubmit: calls.submitCode,
  callsRouse: calls.rouseCode,
  callsThread: calls.threadCode,
  callsRelease: calls.releaseCode,
  callsClose: calls.closeCode,
  callsEnd: calls.endCode,
};
