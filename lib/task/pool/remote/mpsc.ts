import { requireNames, shown } from "../../../io/arguments.ts";
import { type Codec, plainBytes, values } from "./codec.ts";
import { makeQueue } from "./queue_end.ts";
import { RemoteReceiver } from "./receiver.ts";
import { leastRing } from "./records.ts";
import { RemoteSender } from "./sender.ts";

const MOST = 2 ** 20;
const LEAST_BYTES = 2 ** 12;
const MOST_BYTES = 2 ** 30;
/** Of each message, where nothing is said. */
const USUAL_BYTES = 512;

/** How a channel between threads is made. */
export interface RemoteMpscOptions {
  /**
   * Bytes of the ring that messages lie in, rounded up to a power of two: 512 for each message where nothing is said.
   * There is no room for messages while seven eighths of it are taken; one for which the rest is too small lies in a
   * file in memory, which costs a few system calls.
   */
  bytes?: number;
}

function make<T>(
  capacity: number,
  options: RemoteMpscOptions,
  codec: Codec<T>,
): [tx: RemoteSender<T>, rx: RemoteReceiver<T>] {
  const what = "cannot make a channel between threads";
  if (!(Number.isInteger(capacity) && capacity >= 1 && capacity <= MOST)) {
    throw new RangeError(`${what}: capacity is ${shown(capacity)}, not an integer from 1 to ${MOST}`);
  }
  requireNames(what, "options are", options, ["bytes"]);
  const { bytes = capacity * USUAL_BYTES } = options;
  if (!(Number.isInteger(bytes) && bytes >= 0 && bytes <= MOST_BYTES)) {
    throw new RangeError(`${what}: bytes is ${shown(bytes)}, not an integer from 0 to ${MOST_BYTES}`);
  }
  const ringBytes = 2 ** Math.ceil(Math.log2(Math.max(bytes, 2 * leastRing(capacity), LEAST_BYTES)));
  const queue = makeQueue(capacity, ringBytes, codec);
  return [new RemoteSender(queue), new RemoteReceiver(queue)];
}

/**
 * As `mpsc`, for ends that are in different threads: messages are structured clones, in shared memory, with room for
 * `capacity` of them. No `postMessage` takes part but in the way of an end's handle to its thread.
 *
 * Throws a RangeError where `capacity` is no integer from 1 to 2^20, and a `SystemError` where there are no descriptors
 * left: a channel has one, and one in each thread that has an end.
 */
export function remoteMpsc<T>(
  capacity: number,
  options: RemoteMpscOptions = {},
): [tx: RemoteSender<T>, rx: RemoteReceiver<T>] {
  return make(capacity, options, values<T>());
}

/** As `remoteMpsc`, for bytes: each message is copied into the ring, and out of it. */
export function remoteMpscBytes(
  capacity: number,
  options: RemoteMpscOptions = {},
): [tx: RemoteSender<Uint8Array>, rx: RemoteReceiver<Uint8Array>] {
  return make(capacity, options, plainBytes);
}
