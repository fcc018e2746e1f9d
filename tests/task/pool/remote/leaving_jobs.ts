/**
 * Jobs that keep what they were given, or have made, past their ends, and end nothing of it.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { Mmap } from "../../../../lib/mem/mmap.ts";
import { type Context, type Future, Pending } from "../../../../lib/task/future.ts";
import {
  remoteMpsc,
  type RemoteReceiver,
  type RemoteSender,
  type RemoteWatchReceiver,
  type RemoteWatchSender,
} from "../../../../lib/task/pool/remote.ts";

const kept: unknown[] = [];

/** Polls it once, and leaves it waiting. */
function begin(future: Future<unknown>): void {
  const context: Context = { waker: { wake: () => {} } };
  assertEquals(future.poll(context), Pending);
  kept.push(future);
}

/** Keeps an end. */
export function keep(end: unknown): void {
  kept.push(end);
}

/** Waits for room in each. */
export function send(txs: readonly RemoteSender<number>[], waiters: number): void {
  for (const tx of txs) {
    tx.trySend(1);
    for (let i = 0; i < waiters; i++) begin(tx.send(i));
  }
}

/** Waits until nobody will receive. */
export function closed(tx: RemoteSender<unknown> | RemoteWatchSender<unknown>): void {
  begin(tx.closed());
}

/** Waits for a message. */
export function receive(rx: RemoteReceiver<unknown>): void {
  begin(rx.recv());
}

/** Waits for another value. */
export function change(rx: RemoteWatchReceiver<unknown>): void {
  begin(rx.changed());
}

/** Has maps, a channel of its own, and an end of another in a message that nobody reads. */
export function make(): void {
  const [inner, innerRx] = remoteMpsc<number>(1);
  const [tx, rx] = remoteMpsc<unknown>(2);
  tx.trySend({ inner, map: Mmap.memfd("left", 4096) });
  begin(innerRx.recv());
  kept.push(tx, rx, Mmap.memfd("kept", 4096));
}
