import { NativeBuffer } from "../../ffi/native_buffer.ts";

/** How much `scratch` has. */
export const SCRATCH_BYTES = 65536;
/** Up to here a copy byte by byte is the cheaper one. */
const SMALL = 32;

let buffer: NativeBuffer | undefined;

/** Between the kernel and a caller's own bytes: one for the thread, since a copy into or out of it never waits. */
export function scratch(): NativeBuffer {
  return buffer ??= new NativeBuffer(SCRATCH_BYTES);
}

/** Copies the first `length` bytes. */
export function copy(from: Uint8Array, to: Uint8Array, length: number): void {
  if (length > SMALL) to.set(from.subarray(0, length));
  else for (let i = 0; i < length; i++) to[i] = from[i];
}
