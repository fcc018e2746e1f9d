/** System calls about files, made on another thread: syscall(2), and the numbers of `asm/unistd_64.h`. */
import { SystemError } from "../../ffi/mod.ts";
import type { SyscallContext } from "../../ffi/mod.ts";
import { type Calls, STAGE_BYTES } from "../jit/calls.ts";
import { FLAG_RETRY } from "../jit/calls_memory.ts";
import { type Context, Future, type Pending } from "../task/future.ts";
import { NativeFuture, type NativeWork } from "../task/blocking/native_future.ts";

const NUMBERS = {
  read: 0,
  write: 1,
  open: 2,
  close: 3,
  pread64: 17,
  pwrite64: 18,
  fsync: 74,
  fdatasync: 75,
  ftruncate: 77,
  rename: 82,
  mkdir: 83,
  rmdir: 84,
  unlink: 87,
  fchmod: 91,
  fchown: 93,
  getdents64: 217,
  statx: 332,
} as const;

/** How many bytes one call takes or gives at most. */
export const MOST_BYTES: number = STAGE_BYTES;

/** What a call uses meanwhile: a descriptor that must not be closed under it. */
export interface Used {
  /** Throws where it is gone. */
  add(): void;
  subtract(): void;
}

/** One call: its arguments are integers, bytes that the kernel reads, or room for so many that it writes. */
export interface SystemCall<T> {
  readonly name: keyof typeof NUMBERS;
  readonly arguments: readonly (number | Uint8Array | Room)[];
  readonly context: SyscallContext;
  /** Throws where the call is not to be made any more: it may have waited for its turn. */
  check?(): void;
  /** Makes the value of a result that is no error, and of the bytes of the room, which are there until it returns. */
  value(result: number, bytes: Uint8Array): T;
  /** Lets go of a result that nobody takes. */
  discard?(result: number): void;
  readonly used?: Used;
}

/** Where the kernel writes. */
export class Room {
  readonly byteLength: number;

  constructor(byteLength: number) {
    this.byteLength = byteLength;
  }
}

const EMPTY = new Uint8Array(0);

class SystemCallWork<T> implements NativeWork<T> {
  readonly #call: SystemCall<T>;
  #room: Uint8Array = EMPTY;

  constructor(call: SystemCall<T>) {
    this.#call = call;
  }

  describe(): string {
    const { name, context } = this.#call;
    return context.path === undefined ? name : `${name} ${context.path}`;
  }

  begin(calls: Calls, slot: number): void {
    const { name, used } = this.#call;
    this.#call.check?.();
    used?.add();
    // The descriptor is gone, whatever close(2) says.
    calls.setSystemCall(slot, NUMBERS[name], name === "close" ? 0 : FLAG_RETRY);
    let at = calls.stageOf(slot);
    const args = this.#call.arguments;
    for (let i = 0; i < args.length; i++) {
      const argument = args[i];
      if (typeof argument === "number") {
        calls.setArgument(slot, i + 1, argument);
        continue;
      }
      calls.setArgument(slot, i + 1, calls.addressOf(at));
      const end = at + argument.byteLength;
      if (argument instanceof Room) this.#room = calls.bytes.subarray(at, end);
      else calls.bytes.set(argument, at);
      // Structures of the kernel's are aligned to their widest field.
      at = end + 7 & ~7;
    }
  }

  end(calls: Calls, slot: number): T {
    const { name, context } = this.#call;
    const result = calls.resultOf(slot);
    if (result === -1) throw new SystemError(calls.errnoOf(slot), name, context);
    return this.#call.value(result, this.#room);
  }

  discard(result: number): void {
    if (result !== -1) this.#call.discard?.(result);
  }

  release(): void {
    this.#call.used?.subtract();
  }
}

/** The call as a future, begun at its first poll. It fails with a `SystemError`. */
export function systemCall<T>(call: SystemCall<T>): NativeFuture<T> {
  return new NativeFuture(new SystemCallWork(call));
}

/** What a call that was begun gives, which goes on where this is dropped, or its runtime ends. */
class Begun<T> extends Future<T> {
  readonly #call: NativeFuture<T>;

  constructor(call: NativeFuture<T>) {
    super();
    this.#call = call;
  }

  override describe(): string {
    return this.#call.describe();
  }

  override poll(context: Context): T | Pending {
    return this.#call.poll(context);
  }
}

/** Begins the call, which is made whether or not anybody waits for it. */
export function begun<T>(call: NativeFuture<T>): Future<T> {
  call.beginNow();
  return new Begun(call);
}

/** For calls whose result says no more than that they have not failed. */
export function nothing(): void {}
