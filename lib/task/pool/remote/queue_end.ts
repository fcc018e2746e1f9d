import { type Codec, plainBytes, values } from "./codec.ts";
import { land, type RemoteEnd, type RemoteEndHandle } from "./handle.ts";
import { QUEUE } from "./layout.ts";
import { Memory } from "./memory.ts";
import type { Port } from "./port.ts";
import { RemoteQueue } from "./queue.ts";
import { type EndKind, RECEIVING, SENDER } from "./roster.ts";

/** A queue with a sender and its receiver in this thread, counted. */
export function makeQueue<T>(capacity: number, ringBytes: number, codec: Codec<T>): RemoteQueue<T> {
  const queue = new RemoteQueue(Memory.create({ kind: QUEUE, capacity, ringBytes }), codec);
  queue.begin([SENDER, RECEIVING]);
  return queue;
}

type QueueEnd = "sender" | "receiver";

/** What a handle says of an end of the queue. */
export function endOf<T>(queue: RemoteQueue<T>, end: QueueEnd): RemoteEnd {
  return Object.is(queue.codec, plainBytes) ? `bytes ${end}` : end;
}

function isQueue<T>(port: Port): port is RemoteQueue<T> {
  return port instanceof RemoteQueue;
}

/** The queue of an end that was on its way, counted in this thread. */
export function landQueue<T>(handle: RemoteEndHandle, end: QueueEnd, kind: EndKind): RemoteQueue<T>;
export function landQueue(handle: RemoteEndHandle, end: QueueEnd, kind: EndKind): RemoteQueue<unknown> {
  if (Object(handle).end !== `bytes ${end}`) return landValues(handle, end, kind);
  const { port } = land(
    handle,
    `bytes ${end}`,
    kind,
    isQueue<Uint8Array>,
    (memory) => new RemoteQueue(memory, plainBytes),
  );
  return port;
}

/** As `landQueue`, of a queue of structured clones. */
export function landValues<T>(handle: RemoteEndHandle, end: RemoteEnd, kind: EndKind): RemoteQueue<T>;
export function landValues(handle: RemoteEndHandle, end: RemoteEnd, kind: EndKind): RemoteQueue<unknown> {
  return land(handle, end, kind, isQueue<unknown>, (memory) => new RemoteQueue(memory, values())).port;
}
