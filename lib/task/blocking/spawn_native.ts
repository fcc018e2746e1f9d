import type { Library, NativeFunctions, SymbolTable } from "../../../ffi/mod.ts";
import {
  type NativeArgument,
  nativeArguments,
  nativeResult,
  type NativeTarget,
  nativeTarget,
} from "../../../ffi/native_call.ts";
import { requireFlag, requireNames } from "../../io/arguments.ts";
import { type Calls, STAGE_BYTES } from "../../jit/calls.ts";
import { FLAG_RETRY } from "../../jit/calls_memory.ts";
import type { Future } from "../future.ts";
import { NativeFuture, type NativeWork } from "./native_future.ts";

/** How a call on another thread is made. */
export interface NativeCallOptions {
  /** Fails with the signal's reason once it is aborted: a call that was not begun is never made, another one goes on. */
  signal?: AbortSignal;
  /** Made again where it gives -1 and errno is `EINTR`. */
  retry?: boolean;
}

/** What a call on another thread has given. */
export interface NativeResult<R> {
  readonly result: R;
  /** errno on the thread that made the call, right after it: 0 where the function has not set it. */
  readonly errno: number;
}

type FunctionOf<F> = Extract<F, (...args: never[]) => unknown>;

/** What the function takes, as `dlopen`'s own does. */
export type NativeArguments<T extends SymbolTable, K extends keyof T> = Parameters<
  FunctionOf<NativeFunctions<T>[K]>
>;

/** What it gives. */
export type NativeOutput<T extends SymbolTable, K extends keyof T> = ReturnType<
  FunctionOf<NativeFunctions<T>[K]>
>;

const NAMES: readonly string[] = ["signal", "retry"] satisfies (keyof NativeCallOptions)[];
/** What `malloc` aligns to. */
const ALIGNMENT = 16;

function padded(byteLength: number): number {
  return Math.ceil(byteLength / ALIGNMENT) * ALIGNMENT;
}

/** A buffer of the call, and where its copy is. */
interface Copied {
  readonly view: ArrayBufferView;
  readonly at: number;
  readonly byteLength: number;
}

function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

/** What C reads and writes is a copy: what it has made of a buffer is copied back at the end. */
class TargetWork implements NativeWork<NativeResult<unknown>> {
  readonly #target: NativeTarget;
  readonly #arguments: readonly NativeArgument[];
  readonly #flags: number;
  #memory: Uint8Array = new Uint8Array(0);
  #copied: Copied[] = [];

  constructor(target: NativeTarget, args: readonly NativeArgument[], retry: boolean) {
    this.#target = target;
    this.#arguments = args;
    this.#flags = retry ? FLAG_RETRY : 0;
  }

  describe(): string {
    return `${this.#target.name}() on another thread`;
  }

  begin(calls: Calls, slot: number): void {
    calls.setFunction(slot, this.#target.address, this.#flags);
    const sources = this.#arguments.map((argument) => {
      if (typeof argument === "bigint") return undefined;
      return ArrayBuffer.isView(argument) ? bytesOf(argument) : argument.text;
    });
    const address = this.#take(
      calls,
      slot,
      sources.reduce((sum, source) => sum + padded(source?.length ?? 0), 0),
    );
    let at = 0;
    for (const [i, argument] of this.#arguments.entries()) {
      const source = sources[i];
      if (typeof argument === "bigint") calls.setWideArgument(slot, i, argument);
      if (source === undefined) continue;
      this.#memory.set(source, at);
      calls.setArgument(slot, i, address + at);
      if (ArrayBuffer.isView(argument)) this.#copied.push({ view: argument, at, byteLength: source.length });
      at += padded(source.length);
    }
  }

  /** Memory for the buffers: its address. */
  #take(calls: Calls, slot: number, size: number): number {
    if (size > STAGE_BYTES) {
      const { address, bytes } = calls.addMemory(slot, size);
      this.#memory = bytes;
      return address;
    }
    const stage = calls.stageOf(slot);
    this.#memory = calls.bytes.subarray(stage, stage + size);
    return calls.addressOf(stage);
  }

  end(calls: Calls, slot: number): NativeResult<unknown> {
    for (const { view, at, byteLength } of this.#copied) {
      if (view.byteLength !== byteLength) {
        throw new TypeError(
          `cannot copy back what ${this.#target.name} has written: its buffer was transferred away`,
        );
      }
      bytesOf(view).set(this.#memory.subarray(at, at + byteLength));
    }
    const result = nativeResult(this.#target.result, calls.wideResultOf(slot));
    return { result, errno: calls.errnoOf(slot) };
  }
}

/**
 * Calls a C function on a thread of its own, so that one that blocks or takes long keeps nothing else from its turn. The
 * function is one of a library that `dlopen` has opened, and stays loaded from then on; its arguments are checked by the
 * table before anything is called: up to six, of integers and addresses, and a result of these.
 *
 * A `buffer` goes as a copy, made when the future is first polled, and what C has written comes back when the call has
 * ended; so no garbage collector meets C, and a future that is dropped leaves the buffer alone. It costs as much as
 * copying twice: for large memory pass a `pointer` into an `Mmap`, which must stay until the call has ended. A function
 * that keeps a buffer's address beyond its return must not be given one. A `callback` is called on its own thread
 * alone: on the thread of the call it gives zero.
 *
 * Dropped or aborted, a call that no thread has begun is never made; one that has goes on, and its result is nobody's.
 * Nothing waits for such a one: neither the process's exit nor a worker's end.
 *
 * There are up to 64 threads for each thread of JavaScript, made where none is idle and ended after ten idle seconds,
 * and places for 256 calls: who comes then waits for one. 64 calls that block for ever leave no thread for others.
 *
 * As all of `/ffi` this is `unsafe`: the table may be wrong, and the function one that must not be called on another
 * thread. A call costs 10 to 60 µs more than one here, which is what waking two threads costs.
 *
 * @throws {TypeError | RangeError} for arguments that the table refuses, and a function with other types or more of them.
 * @throws {NativeUnavailableError} where no machine code can be loaded; when it is awaited.
 *
 * @example
 * ```ts
 * import { dlopen } from "@oxbow/oxbow/ffi";
 * import { run } from "@oxbow/oxbow/task";
 * import { spawnNative } from "@oxbow/oxbow/pool";
 *
 * using libc = dlopen(["libc.so.6"], {
 *   usleep: { parameters: ["u32"], result: "i32" },
 *   close: { parameters: ["i32"], result: "i32" },
 * });
 * await run(async () => {
 *   const slept = spawnNative(libc, "usleep", [2000]);
 *   console.log(await spawnNative(libc, "close", [-1])); // { result: -1, errno: 9 }
 *   console.log((await slept).result); // 0
 * });
 * ```
 */
export function spawnNative<T extends SymbolTable, K extends keyof T & string>(
  library: Library<T>,
  name: K,
  args: NativeArguments<T, K>,
  options?: NativeCallOptions,
): Future<NativeResult<NativeOutput<T, K>>>;
export function spawnNative(
  library: Library<SymbolTable>,
  name: string,
  args: readonly unknown[],
  options: NativeCallOptions = {},
): Future<NativeResult<unknown>> {
  requireNames(`cannot call ${name}`, "options are", options, NAMES);
  const { signal, retry = false } = options;
  requireFlag(`cannot call ${name}`, "retry", retry);
  const target = nativeTarget(library, name);
  const future = new NativeFuture(new TargetWork(target, nativeArguments(target, args), retry));
  return signal === undefined ? future : future.abortable(signal);
}
