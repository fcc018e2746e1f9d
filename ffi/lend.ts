/** Buffers over memory whose owner is told, in C and on any thread, when nobody has them. */
import { fromPointer, host } from "./host.ts";
import type { Pointer } from "./types.ts";

/** A buffer over `length` bytes at `pointer`. One is taken off the 32 bits at `count` when nobody has it any more. */
export type Lender = (pointer: Pointer, length: number, count: Pointer) => ArrayBuffer;

/** The code that a host asks for: each is loaded where the host is one for it. */
export interface LendingCode {
  /** `void release(void *bytes, int32_t *count)`. */
  release(): Pointer;
  /** The path of a Node-API addon whose export makes a buffer of an address, a length and the count's address. */
  addon(): string;
}

/** `undefined` where the host tells nobody, or only at a turn of the loop: on Node. */
export function openLender(code: LendingCode): Lender | undefined {
  const lend = host.lenderByFunction?.(fromPointer(code.release())) ?? host.lenderByAddon?.(code.addon());
  if (lend === undefined) return undefined;
  return (pointer, length, count) => lend(fromPointer(pointer), length, fromPointer(count));
}
