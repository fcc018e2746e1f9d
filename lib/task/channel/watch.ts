import type { Future } from "../future.ts";
import { Cell, View } from "./cell.ts";
import { Closed } from "./closed.ts";
import { ClosedError } from "./errors.ts";
import { unwatchSender, watchSender } from "./forgotten.ts";
import { WatchEnd } from "./watch_end.ts";

/** One of the ends that set the value. End each one by `close()` or `using`: the receivers end when all are. */
export class WatchSender<T> implements Disposable {
  readonly #cell: Cell<T>;
  #isClosed = false;

  /** The channel's own: it is counted already. */
  constructor(cell: Cell<T>) {
    this.#cell = cell;
    watchSender(this, "a sender of a watch", cell);
  }

  /** The value that was sent last. */
  get value(): T {
    return this.#cell.value;
  }

  /** Sets the value, where somebody receives; whether somebody does. `sendReplace` sets it in any case. */
  send(value: T): boolean {
    if (this.isClosed) return false;
    this.#cell.set(value);
    return true;
  }

  /** Sets the value; gives the one before. Throws a `ClosedError` where this sender was closed. */
  sendReplace(value: T): T {
    this.#checkOpen("replace the value");
    const before = this.#cell.value;
    this.#cell.set(value);
    return before;
  }

  /**
   * Sets the value to what `change` makes of it, which may be the same object, changed. Where `change` throws,
   * nobody is told. Throws a `ClosedError` where this sender was closed.
   */
  sendModify(change: (value: T) => T): void {
    this.#checkOpen("modify the value");
    this.#cell.set(change(this.#cell.value));
  }

  /** As `sendModify`, but tells nobody where `change` gives the very value that it was given; whether it did not. */
  sendIfModified(change: (value: T) => T): boolean {
    this.#checkOpen("modify the value");
    const { value } = this.#cell;
    const changed = change(value);
    if (Object.is(changed, value)) return false;
    this.#cell.set(changed);
    return true;
  }

  /** A receiver that has seen the value as it is now. */
  subscribe(): WatchReceiver<T> {
    return new WatchReceiver(new View(this.#cell, this.#cell.version));
  }

  /** How many receivers there are. */
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

  /** Whether both set the same value. */
  sameChannel(other: WatchSender<T>): boolean {
    return this.#cell === other.#cell;
  }

  /** Another sender of the channel, to be closed for itself. Throws a `ClosedError` where this one was closed. */
  clone(): WatchSender<T> {
    this.#checkOpen("clone a sender");
    this.#cell.senders++;
    return new WatchSender(this.#cell);
  }

  /** Ends this sender. The value stays. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    unwatchSender(this);
    this.#cell.senderGone();
  }

  #checkOpen(tried: string): void {
    if (this.#isClosed) throw new ClosedError(`cannot ${tried}: the sender was closed`);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** One that sees the latest value, and waits for others. What it does not see in time, it never sees. */
export class WatchReceiver<T> extends WatchEnd<T> {
  readonly #view: View<T>;

  /** The channel's own. */
  constructor(view: View<T>) {
    super(view);
    this.#view = view;
  }

  /** Whether both see the same value. */
  sameChannel(other: WatchReceiver<T>): boolean {
    return this.#view.cell === other.#view.cell;
  }

  /** Another receiver, which has seen what this one has. */
  clone(): WatchReceiver<T> {
    return new WatchReceiver(new View(this.#view.cell, this.#view.seen));
  }

  /** Waits for no other value: what waits here ends. */
  override close(): void {
    const view = this.#view;
    if (view.isGone) return;
    view.isGone = true;
    view.cell.receiverGone();
    view.cell.awaitingChange.wakeAll();
  }
}

/** A channel that keeps the latest value alone, for any number of receivers: a setting, a state. */
export function watch<T>(initial: T): [tx: WatchSender<T>, rx: WatchReceiver<T>] {
  const cell = new Cell(initial);
  return [new WatchSender(cell), new WatchReceiver(new View(cell, 0))];
}
