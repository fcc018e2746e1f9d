/**
 * Counts of buffers that are lent, which machine code takes from on any thread. Their memory stays for as long as the
 * process: a thread ends, and a buffer that it has passed on may come back later.
 */
import {
  errno,
  libc,
  NULL,
  offset,
  type Pointer,
  pointerAt,
  SystemError,
  unsafeBufferAt,
} from "../../ffi/mod.ts";

const PROT_READ_WRITE = 0x1 | 0x2;
const MAP_PRIVATE_ANONYMOUS = 0x02 | 0x20;
const BYTES = 1 << 14;
const WORD = 4;

/** One count. */
export interface LoanCount {
  readonly pointer: Pointer;
  readonly words: Int32Array<ArrayBuffer>;
  readonly index: number;
}

const free: LoanCount[] = [];

function addCounts(): void {
  const address = libc().mmap(NULL, BYTES, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0);
  if (address === -1n) throw new SystemError(errno(), "mmap");
  const pointer = pointerAt(address);
  // SAFETY: it is never unmapped.
  const words = new Int32Array(unsafeBufferAt(pointer, BYTES));
  for (let index = words.length - 1; index >= 0; index--) {
    free.push({ pointer: offset(pointer, index * WORD), words, index });
  }
}

/** A count of 0. */
export function takeCount(): LoanCount {
  if (free.length === 0) addCounts();
  const [count] = free.splice(-1);
  return count;
}

/** Gives back a count that is 0. */
export function giveCount(count: LoanCount): void {
  free.push(count);
}
