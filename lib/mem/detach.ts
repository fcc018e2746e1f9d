/** Detaching buffers, whatever their owner has put on them since: an own `transfer` or `detached` is not asked. */

const { transfer } = ArrayBuffer.prototype;
const detached = Object.getOwnPropertyDescriptor(ArrayBuffer.prototype, "detached");

/** Whether the buffer's memory is no longer its own. */
export function isDetached(buffer: ArrayBuffer): boolean {
  return detached?.get !== undefined && Reflect.apply(detached.get, buffer, []);
}

/**
 * Leaves every view of the buffer with length 0. Gives whether it could be done: JSC copies a buffer that one of its
 * own asynchronous calls holds, and V8 does not detach one that was marked as not to be transferred.
 */
export function detach(buffer: ArrayBuffer): boolean {
  try {
    // To none, or the whole would be counted as a new buffer's, for the collector to look after.
    Reflect.apply(transfer, buffer, [0]);
  } catch {
    return false;
  }
  return isDetached(buffer);
}
