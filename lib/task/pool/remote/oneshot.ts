import { unwatch, watch } from "../../../mem/forgotten.ts";
import { Closed } from "../../channel/closed.ts";
import { ClosedError } from "../../channel/errors.ts";
import type { OneshotReceiver } from "../../channel/oneshot.ts";
import { consumed, type Context, Future, Pending, type Waker } from "../../future.ts";
import { coop, proceed } from "../../runtime/coop.ts";
import { values } from "./codec.ts";
import { registerEnd } from "./end_crossing.ts";
import { launch, type RemoteEndHandle } from "./handle.ts";
import type { RemoteQueue } from "./queue.ts";
import { landValues, makeQueue } from "./queue_end.ts";
import { RECEIVING, SENDER } from "./roster.ts";

const RING_BYTES = 2 ** 12;

/** The end that sends the one value. One that was collected, or whose thread has ended, counts as closed. */
export class RemoteOneshotSender<T> implements Disposable {
  readonly #queue: RemoteQueue<T>;
  #isOver = false;

  /** The channel's own: it is counted already. */
  constructor(queue: RemoteQueue<T>) {
    this.#queue = queue;
    watch(this, "a sender of a oneshot between threads", () => queue.senderGone());
  }

  /** That of a handle, which is adopted once. Throws a `HandleError` where it was, or is no such sender's. */
  static adopt<T>(handle: RemoteEndHandle): RemoteOneshotSender<T> {
    return new RemoteOneshotSender(landValues<T>(handle, "oneshot sender", SENDER));
  }

  /**
   * Whether the value goes to the receiver: not where that is closed, or dropped, or where it was sent already. Throws
   * what cloning throws; then it may be sent again.
   */
  send(value: T): boolean {
    const queue = this.#queue;
    if (this.#isOver || queue.isDeaf || !queue.tryClaim(1)) return false;
    queue.pushPromised(value);
    this.close();
    return true;
  }

  /** Waits until nobody will receive: what the value is made for may be left. */
  closed(): Future<void> {
    return new Closed(this.#queue);
  }

  /** Whether a value that is sent goes to nobody. */
  get isClosed(): boolean {
    return this.#isOver || this.#queue.isDeaf;
  }

  /** As `RemoteSender.intoHandle`. Throws a `ClosedError` where it was closed, or has sent. */
  intoHandle(): RemoteEndHandle {
    if (this.#isOver) throw new ClosedError("cannot send a oneshot's sender: it was closed, or has sent");
    const handle = launch(this.#queue, "oneshot sender", SENDER);
    this.#isOver = true;
    unwatch(this);
    return handle;
  }

  /** Sends nothing: the receiver fails with a `ClosedError`. Does nothing once a value was sent. */
  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    unwatch(this);
    this.#queue.senderGone();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/**
 * The end that waits for the one value: a future of it, which fails with a `ClosedError` where the sender is closed
 * with nothing sent. Dropped, it is closed.
 */
export class RemoteOneshotReceiver<T> extends Future<T> implements OneshotReceiver<T>, Disposable, Waker {
  readonly #queue: RemoteQueue<T>;
  #isOver = false;
  #waker: Waker | null = null;

  /** The channel's own. */
  constructor(queue: RemoteQueue<T>) {
    super();
    this.#queue = queue;
    watch(this, "a receiver of a oneshot between threads", () => queue.abandon());
  }

  /** That of a handle, which is adopted once. Throws a `HandleError` where it was, or is no such receiver's. */
  static adopt<T>(handle: RemoteEndHandle): RemoteOneshotReceiver<T> {
    return new RemoteOneshotReceiver(landValues<T>(handle, "oneshot receiver", RECEIVING));
  }

  override describe(): string {
    return "a oneshot between threads";
  }

  override poll(context: Context): T | Pending {
    const queue = this.#queue;
    if (this.#isOver) throw consumed("a oneshot's receiver");
    this.#waker = context.waker;
    if (queue.records.isEmpty && !queue.hasEnded && queue.park(this)) return Pending;
    if (!proceed(context)) return Pending;
    coop.left--;
    return this.#take();
  }

  wake(): void {
    this.#waker?.wake();
  }

  tryRecv(): T | Pending {
    const queue = this.#queue;
    if (!this.#isOver && queue.records.isEmpty && !queue.hasEnded) {
      queue.reapSometimes();
      if (queue.records.isEmpty && !queue.hasEnded) return Pending;
    }
    return this.#take();
  }

  /** The value, or the failure; nobody can send afterwards. */
  #take(): T {
    const queue = this.#queue;
    try {
      if (!this.#isOver && !queue.records.isEmpty) return queue.take();
    } finally {
      this.drop();
    }
    throw new ClosedError("cannot receive: nothing was sent before the oneshot was closed");
  }

  close(): void {
    if (!this.#isOver) this.#queue.close();
  }

  override drop(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    unwatch(this);
    this.#queue.abandon();
  }

  get isTerminated(): boolean {
    return this.#isOver;
  }

  get isEmpty(): boolean {
    return this.#isOver || this.#queue.records.isEmpty;
  }

  /** As `RemoteReceiver.intoHandle`. */
  intoHandle(): RemoteEndHandle {
    if (this.#isOver) {
      throw new ClosedError("cannot send a oneshot's receiver: it was dropped, or has received");
    }
    if (this.#queue.receiver !== null) {
      throw new Error("cannot send a oneshot's receiver: somebody waits for the value; drop it first");
    }
    const handle = launch(this.#queue, "oneshot receiver", RECEIVING);
    this.#isOver = true;
    unwatch(this);
    return handle;
  }

  [Symbol.dispose](): void {
    this.drop();
  }
}

registerEnd(RemoteOneshotSender, ["oneshot sender"], RemoteOneshotSender.adopt<unknown>);
registerEnd(RemoteOneshotReceiver, ["oneshot receiver"], RemoteOneshotReceiver.adopt<unknown>);

/** As `oneshot`, for ends that are in different threads: an answer. It costs a map: for many answers take `remoteMpsc`. */
export function remoteOneshot<T>(): [tx: RemoteOneshotSender<T>, rx: RemoteOneshotReceiver<T>] {
  const queue = makeQueue(1, RING_BYTES, values<T>());
  return [new RemoteOneshotSender(queue), new RemoteOneshotReceiver(queue)];
}
