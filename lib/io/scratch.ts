import { NativeBuffer } from "../../ffi/native_buffer.ts";

/** How much `scratch` has. */
export const SCRATCH_BYTES = 65536;
/** Views of up to so many bytes are kept, since one for each datagram costs JSC as much as its call. */
const KEPT = 2048;

let buffer: NativeBuffer | undefined;
/** By their length. */
const views: Uint8Array<ArrayBuffer>[] = [];

/** Between the kernel and a caller's own bytes: one for the thread, since a copy into or out of it never waits. */
export function scratch(): NativeBuffer {
  return buffer ??= new NativeBuffer(SCRATCH_BYTES);
}

/** Copies bytes, `SCRATCH_BYTES` at most, to the beginning. */
export function fillScratch(bytes: Uint8Array): void {
  scratch().bytes.set(bytes);
}

/** Copies the first `length` bytes out of it. */
export function readScratch(into: Uint8Array, length: number): void {
  into.set(length > KEPT ? scratch().bytes.subarray(0, length) : views[length] ??= viewOf(length));
}

function viewOf(length: number): Uint8Array<ArrayBuffer> {
  // No hole before it: an array with holes is looked up in more slowly.
  for (let i = views.length; i < length; i++) views.push(scratch().bytes.subarray(0, i));
  return scratch().bytes.subarray(0, length);
}
