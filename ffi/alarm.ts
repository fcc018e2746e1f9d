/** Functions of JavaScript that C may call on any thread: they are run later, in a turn of their own thread's loop. */
import { addonAt } from "./addon.ts";
import { fromPointer } from "./host.ts";
import type { Pointer } from "./types.ts";
import { NativeUnavailableError } from "./unavailable.ts";

/** Makes one, and tells C in the memory at `block`. Gives whether it was made. */
export type AlarmMaker = (fn: () => void, name: string, block: Pointer) => boolean;

/** The maker of a Node-API addon, whose export takes the same, and gives `undefined` for a success. */
export function openAlarms(path: string): AlarmMaker {
  let make: (fn: () => void, name: string, block: number) => unknown;
  try {
    make = addonAt(path) as typeof make;
  } catch (cause) {
    if (!(cause instanceof Error) || !("code" in cause)) throw cause;
    if (cause.code !== "ERR_DLOPEN_DISABLED" && cause.code !== "ERR_ACCESS_DENIED") throw cause;
    throw new NativeUnavailableError(
      "let C wake the loop",
      "Node lets no addon in: run this again without --no-addons, or with --allow-addons under --permission",
      { cause },
    );
  }
  return (fn, name, block) => make(fn, name, Number(fromPointer(block))) === undefined;
}
