import { NativeBuffer } from "../../../ffi/native_buffer.ts";

/** What one call moves at most between the kernel and a caller's own bytes. */
export const SCRATCH_BYTES = 65536;

let only: NativeBuffer | undefined;

/** Between the kernel and a caller's own bytes: one for the thread, since a copy into it or out of it never waits. */
export function scratch(): NativeBuffer {
  return only ??= new NativeBuffer(SCRATCH_BYTES);
}
