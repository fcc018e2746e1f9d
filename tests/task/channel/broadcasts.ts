import { assertEquals, assertThrows } from "@std/assert";
import { type BroadcastReceiver, type BroadcastSender, LaggedError } from "../../../lib/task/channel.ts";
import { Pending } from "../../../lib/task/mod.ts";

export function assertLagged(rx: BroadcastReceiver<unknown>, missed: number): void {
  assertEquals(assertThrows(() => rx.tryRecv(), LaggedError, `missed ${missed} message`).missed, missed);
}

/** What the receiver takes until it has none. */
export function taken<T>(rx: BroadcastReceiver<T>): (T | undefined)[] {
  const values: (T | undefined)[] = [];
  for (let value = rx.tryRecv(); value !== Pending && value !== undefined; value = rx.tryRecv()) {
    values.push(value);
  }
  return values;
}

export function sendAll<T>(tx: BroadcastSender<T>, ...values: T[]): void {
  for (const value of values) tx.send(value);
}
