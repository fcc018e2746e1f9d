/**
 * Channels between tasks: messages in place of shared state.
 *
 * `mpsc` has many senders and a queue with bounded room, which senders wait for where they stand, in a loop as
 * anywhere; `oneshot` carries one value; `broadcast` gives every receiver every message; `watch` keeps the latest
 * one. Waiting is a future, and every one is cancel-safe: dropped, it has taken nothing and sent nothing, and what
 * it was given goes to the next. Nothing here is atomic, for the tasks of a thread never run at once.
 *
 * @example
 * ```ts
 * import { type Coroutine, run, spawn } from "@oxbow/oxbow/task";
 * import { mpsc, type Sender } from "@oxbow/oxbow/channel";
 *
 * function* count(tx: Sender<number>): Coroutine<void> {
 *   using _ = tx;
 *   for (let i = 0; i < 5; i++) yield* tx.send(i);
 * }
 *
 * const received = await run(async () => {
 *   const [tx, rx] = mpsc<number>(2);
 *   spawn(count, tx);
 *   return await Array.fromAsync(rx);
 * });
 * console.log(received.join()); // 0,1,2,3,4
 * ```
 *
 * Follows tokio's `sync::mpsc`, `oneshot`, `broadcast` and `watch`.
 *
 * @module
 */
// What is awaited where no runtime runs lives in the host's loop.
import "./runtime/attach.ts";

export { broadcast, type BroadcastReceiver, type BroadcastSender } from "./channel/broadcast.ts";
export { ClosedError, LaggedError } from "./channel/errors.ts";
export { mpsc, type Receiver, type Sender } from "./channel/mpsc.ts";
export { oneshot, type OneshotReceiver, type OneshotSender } from "./channel/oneshot.ts";
export type { Permit } from "./channel/permit.ts";
export { watch, type WatchReceiver, type WatchSender } from "./channel/watch.ts";
export type { WeakSender } from "./channel/weak_sender.ts";
