/**
 * Locks and queues inside a shared map, for the threads and processes that map it: a mutex, a condition variable, a
 * semaphore, and a ring of messages.
 *
 * Each lies at a multiple of 64 bytes of a map of mode `r+`, `w+` or `a+`, or of anonymous memory. One makes it
 * with `create`, the others find it with `open`, which refuses what is no such object by a header that is written
 * last. Whoever is killed in the middle leaves nothing torn and blocks nobody: the kernel tells the next owner of a
 * mutex, and what sleeps looks up ten times a second, for a killed process wakes nobody. What waits blocks its
 * thread, and its name ends in `Sync`.
 *
 * Those who share one are trusted: each can write anything into the map. They run on one machine, in one PID
 * namespace. A file that is older than the machine's last start is to be created anew, for what was locked then
 * stays locked.
 *
 * @example
 * ```ts
 * import { Mmap } from "@oxbow/oxbow/mmap";
 * import { SharedMutex, SharedRing } from "@oxbow/oxbow/shared";
 *
 * using map = Mmap.anonymous(64 + SharedRing.byteSize(1024));
 * const mutex = SharedMutex.create(map, 0);
 * using ring = SharedRing.create(map, { capacity: 1024, byteOffset: 64 });
 * {
 *   using _guard = mutex.lockSync();
 *   ring.sendSync(new TextEncoder().encode("hello"));
 * }
 * console.log(new TextDecoder().decode(ring.recvSync())); // hello
 * ```
 *
 * Follows futex(2), pthread_mutexattr_setrobust(3).
 *
 * @module
 */
export { SharedCondvar } from "./shared/condvar.ts";
export type { WaitOptions } from "./shared/deadline.ts";
export { SharedMutex, SharedMutexGuard } from "./shared/mutex.ts";
export { RingEndedError, SharedRing, type SharedRingOptions } from "./shared/ring.ts";
export { RingMessage, RingReservation } from "./shared/ring_pieces.ts";
export { type RingPeer, RingPeerDiedError, RingTakenError } from "./shared/ring_side.ts";
export { SharedSemaphore } from "./shared/semaphore.ts";
export { SharedFormatError } from "./shared/piece.ts";
