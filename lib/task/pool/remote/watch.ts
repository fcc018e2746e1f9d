import { unwatch, watch as watchEnd } from "../../../mem/forgotten.ts";
import { View } from "../../channel/cell.ts";
import { Closed } from "../../channel/closed.ts";
import { ClosedError } from "../../channel/errors.ts";
import { WatchEnd } from "../../channel/watch_end.ts";
import type { Future } from "../../future.ts";
import { RemoteCell } from "./cell.ts";
import { values } from "./codec.ts";
import { registerEnd } from "./end_crossing.ts";
import { land, launch, type RemoteEndHandle } from "./handle.ts";
import type { Port } from "./port.ts";
import { RECEIVING, SENDER } from "./roster.ts";

function isCell<T>(port: Port): port is RemoteCell<T> {
  return port instanceof RemoteCell;
}

/** One of the ends that set the value. End each one by `close()` or `using`: the receivers end when all are. */
export class RemoteWatchSender<T> implements Disposable {
  readonly #cell: RemoteCell<T>;
  #isClosed = false;

  /** The channel's own: it is counted already. */
  constructor(cell: RemoteCell<T>) {
    this.#cell = cell;
    watchEnd(this, "a sender of a watch between threads", () => cell.senderGone());
  }

  /** That of a handle, which is adopted once. Throws a `HandleError` where it was, or is no such sender's. */
  static adopt<T>(handle: RemoteEndHandle): RemoteWatchSender<T> {
    const { port } = land(
      handle,
      "watch sender",
      SENDER,
      isCell<T>,
      (memory) => new RemoteCell(memory, values<T>()),
    );
    return new RemoteWatchSender(port);
  }

  /** A clone of the value that was sent last, made once for each that this thread looks at. */
  get value(): T {
    return this.#cell.value;
  }

  /** Sets the value, where somebody receives; whether somebody does. `sendReplace` sets it in any case. */
  send(value: T): boolean {
    if (this.isClosed) return false;
    this.#cell.set(value);
    return true;
  }

  /** Sets the value; gives a clone of the one before. Throws a `ClosedError` where this sender was closed. */
  sendReplace(value: T): T {
    this.#checkOpen("replace the value");
    for (;;) {
      const before = this.#cell.read();
      if (this.#cell.setAfter(before.version, value)) return before.value;
    }
  }

  /**
   * Sets the value to what `change` makes of a clone of it, which may be the same object, changed. Where another thread
   * sets it meanwhile, `change` is called again, with that one's. Where it throws, nobody is told. Throws a
   * `ClosedError` where this sender was closed.
   */
  sendModify(change: (value: T) => T): void {
    this.#checkOpen("modify the value");
    for (;;) {
      const { version, value } = this.#cell.read();
      if (this.#cell.setAfter(version, change(value))) return;
    }
  }

  /** As `sendModify`, but tells nobody where `change` gives the very value that it was given; whether it did not. */
  sendIfModified(change: (value: T) => T): boolean {
    this.#checkOpen("modify the value");
    for (;;) {
      const { version, value } = this.#cell.read();
      const changed = change(value);
      if (Object.is(changed, value)) return false;
      if (this.#cell.setAfter(version, changed)) return true;
    }
  }

  /** A receiver that has seen the value as it is now. */
  subscribe(): RemoteWatchReceiver<T> {
    this.#checkOpen("subscribe to a watch");
    return new RemoteWatchReceiver(this.#cell, this.#cell.version);
  }

  /** How many receivers there are, in all threads and on their way. */
  get receiverCount(): number {
    return this.#cell.receivers;
  }

  /** How many senders there are. */
  get senderCount(): number {
    return this.#cell.senders;
  }

  /** Waits until there is no receiver. */
  closed(): Future<void> {
    return new Closed(this.#cell);
  }

  /** Whether there is no receiver, or this sender was closed. */
  get isClosed(): boolean {
    return this.#isClosed || this.#cell.isDeaf;
  }

  /** Another sender of the channel, to be closed for itself. Throws a `ClosedError` where this one was closed. */
  clone(): RemoteWatchSender<T> {
    this.#checkOpen("clone a sender");
    this.#cell.senderAdded();
    return new RemoteWatchSender(this.#cell);
  }

  /** As `RemoteSender.intoHandle`. */
  intoHandle(): RemoteEndHandle {
    this.#checkOpen("send a sender");
    const handle = launch(this.#cell, "watch sender", SENDER);
    this.#isClosed = true;
    unwatch(this);
    return handle;
  }

  /** Ends this sender. The value stays. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    unwatch(this);
    this.#cell.senderGone();
  }

  #checkOpen(tried: string): void {
    if (this.#isClosed) throw new ClosedError(`cannot ${tried}: the sender was closed`);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/**
 * One that sees the latest value, and waits for others. What it does not see in time, it never sees. `value` is a clone,
 * made once for each value that this thread looks at.
 */
export class RemoteWatchReceiver<T> extends WatchEnd<T> {
  readonly #cell: RemoteCell<T>;
  readonly #view: View<T>;

  /** The channel's own: it counts itself. */
  constructor(cell: RemoteCell<T>, seen: number) {
    const view = new View(cell, seen);
    super(view);
    this.#cell = cell;
    this.#view = view;
    watchEnd(this, "a receiver of a watch between threads", () => cell.receiverGone());
  }

  /** That of a handle, which has seen what it had. Throws a `HandleError` where it was adopted, or is no such receiver's. */
  static adopt<T>(handle: RemoteEndHandle): RemoteWatchReceiver<T> {
    const { port, seen } = land(
      handle,
      "watch receiver",
      RECEIVING,
      isCell<T>,
      (memory) => new RemoteCell(memory, values<T>()),
    );
    const receiver = new RemoteWatchReceiver(port, seen);
    // It has counted itself beside the one that was on its way.
    port.receiverGone();
    return receiver;
  }

  /** Another receiver, which has seen what this one has. Throws a `ClosedError` where this one was closed. */
  clone(): RemoteWatchReceiver<T> {
    if (this.#view.isGone) throw new ClosedError("cannot clone a receiver: it was closed");
    return new RemoteWatchReceiver(this.#cell, this.#view.seen);
  }

  /** As `RemoteReceiver.intoHandle`, with what it has seen. What waits for it here ends. */
  intoHandle(): RemoteEndHandle {
    const view = this.#view;
    if (view.isGone) throw new ClosedError("cannot send a receiver: it was closed, or sent already");
    const handle = launch(this.#cell, "watch receiver", RECEIVING, view.seen);
    view.isGone = true;
    unwatch(this);
    this.#cell.look();
    return handle;
  }

  /** Waits for no other value: what waits here ends. */
  override close(): void {
    const view = this.#view;
    if (view.isGone) return;
    view.isGone = true;
    unwatch(this);
    this.#cell.look();
    this.#cell.receiverGone();
  }
}

registerEnd(RemoteWatchSender, ["watch sender"], RemoteWatchSender.adopt<unknown>);
registerEnd(RemoteWatchReceiver, ["watch receiver"], RemoteWatchReceiver.adopt<unknown>);

/**
 * As `watch`, for ends that are in different threads. The value is a structured clone, which each thread makes when it
 * looks; what crosses by reference, such as a map, cannot be in it.
 */
export function remoteWatch<T>(initial: T): [tx: RemoteWatchSender<T>, rx: RemoteWatchReceiver<T>] {
  const cell = RemoteCell.make(initial, values<T>());
  return [new RemoteWatchSender(cell), new RemoteWatchReceiver(cell, cell.version)];
}
