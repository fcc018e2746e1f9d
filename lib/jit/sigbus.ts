/**
 * A guard against files that shrink under their maps. A read past the end of a truncated file is SIGBUS, of
 * which every host dies; here a handler in machine code puts a page of zeros under the read, counts it, and
 * the read goes on. A fault elsewhere goes to whoever had the signal before, or kills as it would have.
 *
 * The handler is loaded once in the process, whichever threads ask, and stays; what ranges it guards is in a table
 * that it reads without a lock. It calls the kernel and nothing else, so that errno and what it interrupts are
 * left alone. Each new range looks whether the handler has the signal still, and installs it again where
 * somebody has taken it. Source: sigaction(2), mmap(2).
 *
 * @module
 */
import { NULL, type Pointer, SystemError, unsafeBufferAt } from "../../ffi/mod.ts";
import { openForProcess } from "./library.ts";
import { processObjects } from "./process_objects.ts";
import { RANGES } from "./sigbus_memory.ts";

interface Guard {
  /** The range's index, or the negative errno. */
  readonly guard: (start: Pointer, bytes: number, protection: number) => number;
  /** Gives the range's faults. */
  readonly release: (index: number) => number;
  readonly counts: Uint32Array<ArrayBuffer>;
}

/** PROT_READ, PROT_WRITE, which x86-64 lets be read, and PROT_EXEC. */
const READABLE = 1 | 2;
const PROTECTIONS = 1 | 2 | 4;

let loaded: Guard | undefined;

function open(): Guard {
  const { symbols } = openForProcess(processObjects.sigbus, {
    sigbus_guard: { parameters: ["pointer!", "u64", "u32"], result: "i32" },
    sigbus_release: { parameters: ["u32"], result: "u32" },
    sigbus_counts: { parameters: [], result: "pointer" },
  });
  // SAFETY: the process keeps that memory, of which the counts are RANGES numbers of 32 bits.
  const counts = new Uint32Array(unsafeBufferAt(symbols.sigbus_counts() ?? NULL, 4 * RANGES));
  return { guard: symbols.sigbus_guard, release: symbols.sigbus_release, counts };
}

/** A range of memory whose faults read zeros. */
export interface GuardedRange extends Disposable {
  /** How many pages of zeros were put into it. Read as memory, at no call's cost; it may wrap at 2³². */
  readonly faults: number;
}

/**
 * Guards `byteLength` bytes from `start`, which a file is mapped to: a page whose file has no bytes for it any
 * more is replaced by a private page of zeros, where something reads or writes it. It stays so if the file
 * grows again. Whole pages are guarded: those that the range touches.
 *
 * Dispose it before the memory is unmapped, or what is mapped there next is guarded: then no handler runs for
 * it any more. `protection` is what mmap(2) takes for the pages of zeros: 1 to be read, 3 to be written too.
 *
 * Where it is the kernel that reads or writes such a page, as write(2) from the map does, there is no signal: the
 * call fails with `EFAULT`, and nothing is put in or counted. And `process.on("SIGBUS", ...)` takes the signal on
 * Bun and Node, and so does `process.off`: whichever comes after a range leaves all ranges unguarded, until the
 * next one is guarded.
 *
 * Costs a call of C; the first one loads the handler, in a few milliseconds.
 *
 * @throws {RangeError} where `byteLength` is no count from 1, or `protection` no pages that can be read.
 * @throws {NativeUnavailableError} as `load` does: there is no guard then.
 * @throws {SystemError} `ENOSPC` where 65,536 ranges are guarded.
 */
export function guardRange(start: Pointer, byteLength: number, protection: number): GuardedRange {
  if (!Number.isSafeInteger(byteLength) || byteLength < 1) {
    throw new RangeError(`cannot guard memory: byteLength is ${byteLength}, not a count from 1`);
  }
  if ((protection & ~PROTECTIONS) !== 0 || (protection & READABLE) === 0 || !Number.isInteger(protection)) {
    throw new RangeError(
      `cannot guard memory: protection is ${protection}, not PROT_READ (1) with PROT_WRITE (2) or PROT_EXEC (4)`,
    );
  }
  const { guard, release, counts } = loaded ??= open();
  const index = guard(start, byteLength, protection);
  if (index < 0) throw new SystemError(-index, "guard");
  let faults: number | undefined;
  return {
    get faults() {
      return faults ?? counts[index];
    },
    [Symbol.dispose]() {
      faults ??= release(index);
    },
  };
}
