/**
 * An end of a channel, in a thread of `channel.ts`.
 *
 * @module
 */
import { type MessagePort, parentPort } from "node:worker_threads";
import { type Coroutine, run } from "../../../lib/task/mod.ts";
import { type RemoteEndHandle, RemoteReceiver, RemoteSender } from "../../../lib/task/pool/remote.ts";

/** How many messages may be on their way. */
export const CAPACITY = 1024;
/** After so many the receiver of a port says how far it is. */
const STEP = CAPACITY / 2;

/** What the thread is to do. */
export interface EndInit {
  readonly way: string;
  readonly side: "sending" | "receiving";
  readonly count: number;
  readonly end: MessagePort | RemoteEndHandle;
}

function requireNext(i: number, message: number | undefined): void {
  if (message !== i) throw new Error(`message ${i} is ${message}`);
}

/** Messages a second since `start`, but for the first. */
function rate(count: number, start: number): number {
  return 1e3 * (count - 1) / (performance.now() - start);
}

function* send(tx: RemoteSender<number>, count: number): Coroutine<number> {
  for (let i = 0; i < count; i++) yield* tx.send(i);
  tx.close();
  return count;
}

function* receive(rx: RemoteReceiver<number>, count: number): Coroutine<number> {
  requireNext(0, yield* rx.recv());
  const start = performance.now();
  for (let i = 1; i < count; i++) requireNext(i, yield* rx.recv());
  return rate(count, start);
}

function* receiveMany(rx: RemoteReceiver<number>, count: number): Coroutine<number> {
  requireNext(0, yield* rx.recv());
  const start = performance.now();
  const messages: number[] = [];
  for (let i = 1; i < count; messages.length = 0) {
    if ((yield* rx.recvMany(messages, STEP)) === 0) throw new Error(`it ended after ${i} messages`);
    for (const message of messages) requireNext(i++, message);
  }
  return rate(count, start);
}

function sendByPort(port: MessagePort, count: number): Promise<number> {
  return new Promise((resolve) => {
    let sent = 0;
    function fill(taken: number): void {
      while (sent < Math.min(count, taken + CAPACITY)) port.postMessage(sent++);
      if (taken >= count) resolve(count);
    }
    port.on("message", fill);
    fill(0);
  });
}

function receiveByPort(port: MessagePort, count: number): Promise<number> {
  return new Promise((resolve) => {
    let [start, received] = [0, 0];
    port.on("message", (message) => {
      requireNext(received, message);
      if (received++ === 0) start = performance.now();
      if (received % STEP === 0 || received === count) port.postMessage(received);
      if (received === count) resolve(rate(count, start));
    });
  });
}

function exchange({ way, side, count, end }: EndInit): Promise<number> {
  if (!("kind" in end)) return side === "sending" ? sendByPort(end, count) : receiveByPort(end, count);
  return run(function* () {
    if (side === "sending") return yield* send(RemoteSender.adopt<number>(end), count);
    const rx = RemoteReceiver.adopt<number>(end);
    return way === "recvMany" ? yield* receiveMany(rx, count) : yield* receive(rx, count);
  }, { slowPoll: false });
}

parentPort?.once("message", async (init: EndInit) => parentPort?.postMessage(await exchange(init)));
