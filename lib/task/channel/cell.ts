import { Pending } from "../future.ts";
import type { Closable } from "./closed.ts";
import { ClosedError } from "./errors.ts";
import type { Counted } from "./forgotten.ts";
import { Waiters } from "./waiters.ts";
import { Waiting } from "./waiting.ts";

/** What the ends of a watch share. */
export class Cell<T> implements Closable, Counted {
  value: T;
  /** How often it was sent. */
  version = 0;
  senders = 1;
  receivers = 0;
  readonly awaitingChange: Waiters = new Waiters();
  readonly awaitingDeaf: Waiters = new Waiters();

  constructor(value: T) {
    this.value = value;
  }

  get isDeaf(): boolean {
    return this.receivers === 0;
  }

  set(value: T): void {
    this.value = value;
    this.version++;
    this.awaitingChange.wakeAll();
  }

  receiverGone(): void {
    if (--this.receivers === 0) this.awaitingDeaf.wakeAll();
  }

  senderGone(): void {
    if (--this.senders === 0) this.awaitingChange.wakeAll();
  }
}

/** What a receiver has seen of its cell. */
export class View<T> {
  readonly cell: Cell<T>;
  seen: number;
  isGone = false;

  constructor(cell: Cell<T>, seen: number) {
    this.cell = cell;
    this.seen = seen;
    cell.receivers++;
  }

  /** Whether a value may come yet. */
  get isOpen(): boolean {
    return this.cell.senders > 0 && !this.isGone;
  }
}

/** Waits for a value that its receiver has not seen. */
export class Changed<T> extends Waiting<boolean> {
  protected override readonly call = "changed()";
  readonly #view: View<T>;

  constructor(view: View<T>) {
    super();
    this.#view = view;
  }

  protected override get waiters(): Waiters {
    return this.#view.cell.awaitingChange;
  }

  protected override attempt(): boolean | Pending {
    const view = this.#view;
    const { version } = view.cell;
    if (view.seen === version || view.isGone) return view.isOpen ? Pending : false;
    view.seen = version;
    return true;
  }
}

/** Waits for a value of which a predicate holds. */
export class WaitFor<T> extends Waiting<T> {
  protected override readonly call = "waitFor()";
  readonly #view: View<T>;
  readonly #predicate: (value: T) => boolean;
  /** The version that it did not hold of. */
  #tried = -1;

  constructor(view: View<T>, predicate: (value: T) => boolean) {
    super();
    this.#view = view;
    this.#predicate = predicate;
  }

  protected override get waiters(): Waiters {
    return this.#view.cell.awaitingChange;
  }

  protected override attempt(): T | Pending {
    const view = this.#view;
    const { cell } = view;
    // In a loop, since the predicate may send the next value.
    while (this.#tried !== cell.version && !view.isGone) {
      const { value, version } = cell;
      this.#tried = version;
      view.seen = version;
      if (this.#predicate(value)) return value;
    }
    if (view.isOpen) return Pending;
    throw new ClosedError("cannot wait for a value: the watch was closed, and its last one is not it");
  }
}
