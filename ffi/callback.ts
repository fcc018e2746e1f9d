import { checkOf, resultOf } from "./checked.ts";
import { host, type HostName, isFar, type RawCallback, type RawFunction } from "./host.ts";
import { pending, throwUncaught, whenIdle } from "./pending.ts";
import { refuse } from "./refusal.ts";
import { inspectCallback } from "./signature.ts";
import { openDoor } from "./thread_guard.ts";
import type {
  CallbackFunction,
  CallbackResultType,
  CallbackSignature,
  ParameterType,
  Pointer,
} from "./types.ts";

/** A C function that is written in TypeScript. */
export interface Callback extends Disposable {
  /** What C calls. */
  readonly pointer: Pointer;
}

/** Those that C may call: the hosts let go of one that nobody holds. */
const live = new Set<RawCallback>();

function setLive(raw: RawCallback, isLive: boolean): void {
  if (isLive) live.add(raw);
  else live.delete(raw);
  pending.callbacks = live.size;
}

/** What the written code calls: no name of its own is in scope there. */
const helpers = {
  host,
  is: Object.is,
  isFar,
  pending,
  throwUncaught,
  refuse(name: string, type: ParameterType, value: unknown): never {
    refuse(`cannot answer C: the result of ${name} (${type})`, type, value);
  },
};

/** What C is given where there is no answer, as the host takes it. */
function zeroOf(type: CallbackResultType, host: HostName): string {
  switch (type) {
    case "void":
      return "undefined";
    case "bool":
      return host === "node" ? "0" : "false";
    case "i64":
    case "u64":
    case "isize":
    case "usize":
      return "0n";
    case "pointer":
      return host === "bun" ? "0" : "0n";
    default:
      return "0";
  }
}

/** An integer's zero has no sign in C, and what compares gives it easily. */
function unsigned(type: CallbackResultType): string {
  return type === "f32" || type === "f64" ? "" : "if (r === 0) r = 0;";
}

/** `fn` as the host calls it: checked as a call is, the other way round, and throwing nothing. */
function wrapped(name: string, { parameters, result }: CallbackSignature, fn: RawFunction): RawFunction {
  const names = parameters.map((_, i) => `a${i}`);
  const given = parameters.map((type, i) => resultOf(type, names[i], host.name));
  const check = result === "void"
    ? ""
    : `${unsigned(result)} ${checkOf(result, "r", `refuse(name, "${result}", r);`, host.name)} return r;`;
  const zero = zeroOf(result, host.name);
  // In parentheses, for V8 to compile it now: C may call it where the stack has no room for a compiler.
  const body = `"use strict"; const { ${Object.keys(helpers).join(", ")} } = helpers;
  return (function (${names.join(", ")}) {
    if (pending.kept !== null) return ${zero};
    pending.running++;
    try {
      let r = fn(${given.join(", ")});
      ${check}
    } catch (error) {
      pending.kept = { error };
      pending.flags[0] = 1;
      return ${zero};
    } finally {
      pending.running--;
      if (pending.running === 0 && pending.kept !== null) {
        try { queueMicrotask(throwUncaught); } catch { /* The next checked call throws it. */ }
      }
    }
  })`;
  return new Function("fn", "name", "helpers", body)(fn, name, helpers) as RawFunction;
}

/**
 * A C function out of a TypeScript one, typed by its signature: `fn` is given what a call gives, and gives
 * what a call takes. C can call it until it is disposed, whether anybody holds it or not. It costs 0.1 to 0.6 µs
 * a call, and 6 to 70 µs to make.
 *
 * An exception does not cross C. It is kept, C is given zero (0, `false` or `NULL`) for this call and each
 * other until the native function is back, and then it is thrown from there. Where that function is
 * `unchecked`, the next checked call throws it, or it goes uncaught if none follows. A result that the
 * signature does not allow is such an exception too; -0 is C's 0.
 *
 * The pointer is for the thread that made the callback, and until it is disposed. Another thread that calls
 * it, or a call after that, never reaches JavaScript: C is given zero, and an error that says so is thrown
 * from the checked call that runs on the callback's own thread, or from its next. C must not count on it:
 * once 64 more callbacks were disposed, the pointer may be another one's. It is no handler for a signal: that
 * may arrive in the middle of anything. Disposing it while it runs, or twice, is fine. It ends with its thread
 * and with the process: once the worker that made it has ended, or after the last `exit` listener, C is given
 * zero, and nobody is told.
 *
 * What the three hosts do by themselves, which this keeps from you:
 *
 * | | Deno 2.9 | Bun 1.4 | Node 26 |
 * |---|---|---|---|
 * | an exception | thrown once C is back | thrown once C is back | the process aborts |
 * | a result of the wrong type | the process panics | converted, or thrown | the process aborts |
 * | another thread, this one waiting for it in C | both wait for ever | both wait for ever | the process aborts |
 * | another thread, this one in its event loop | run there, late | it waits for ever | the process aborts |
 * | disposed while it runs | a signal | fine | fine |
 * | called after disposal | a signal | undefined | a signal |
 *
 * @throws {NativeUnavailableError} where C cannot be called; Deno asks for `--allow-ffi` without a list of
 * paths here.
 * @throws {SystemError} where no page of code can be had.
 *
 * @example
 * ```ts
 * import { callback, dlopen, type Pointer, unsafeBufferAt } from "@oxbow/oxbow/ffi";
 *
 * using libc = dlopen(["libc.so.6"], {
 *   qsort: {
 *     parameters: [
 *       "buffer", // void *base
 *       "usize", // size_t nmemb
 *       "usize", // size_t size
 *       "function", // int (*compar)(const void *, const void *)
 *     ],
 *     result: "void",
 *   },
 * });
 * function at(pointer: Pointer | null): number {
 *   return pointer === null ? NaN : new Float64Array(unsafeBufferAt(pointer, 8))[0];
 * }
 * using compare = callback({ parameters: ["pointer", "pointer"], result: "i32" }, (a, b) => {
 *   return Math.sign(at(a) - at(b));
 * });
 * const numbers = Float64Array.of(3, 1, 2);
 * libc.symbols.qsort(numbers, numbers.length, 8, compare.pointer);
 * console.log(numbers); // Float64Array(3) [ 1, 2, 3 ]
 * ```
 *
 * @example nftw, which stops where it is given anything but 0
 * ```ts
 * import { callback, dlopen } from "@oxbow/oxbow/ffi";
 *
 * using libc = dlopen(["libc.so.6"], {
 *   nftw: {
 *     parameters: [
 *       "cstring!", // const char *dirpath
 *       "function!", // int (*fn)(const char *fpath, const struct stat *sb, int typeflag, struct FTW *ftwbuf)
 *       "i32", // int nopenfd
 *       "i32", // int flags
 *     ],
 *     result: "i32",
 *   },
 * });
 * const paths: string[] = [];
 * using visit = callback({ parameters: ["cstring", "pointer", "i32", "pointer"], result: "i32" }, (path) => {
 *   if (path !== null) paths.push(path);
 *   return paths.length < 10 ? 0 : 1;
 * });
 * libc.symbols.nftw("/etc", visit.pointer, 16, 0);
 * console.log(paths[0], paths.length <= 10); // /etc true
 * ```
 */
export function callback<const S extends CallbackSignature>(signature: S, fn: CallbackFunction<S>): Callback {
  if (typeof fn !== "function") throw new TypeError("cannot make a callback: fn is no function");
  const name = fn.name === "" ? "a callback" : `callback ${fn.name}`;
  inspectCallback(name, signature);
  const raw = host.callback(signature, wrapped(name, signature, fn as RawFunction));
  const door = openDoor(raw.address, name);
  setLive(raw, true);
  let disposed = false;
  return {
    pointer: door.pointer,
    [Symbol.dispose]() {
      if (disposed) return;
      disposed = true;
      door.shut();
      whenIdle(() => {
        raw.close();
        setLive(raw, false);
      });
    },
  };
}
