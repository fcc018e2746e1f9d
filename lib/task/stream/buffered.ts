import { type Context, type Future, Pending, type Waker } from "../future.ts";
import { dropAll, type Droppable } from "../futures/drop_all.ts";
import { type Spawnable, toFuture } from "../futures/to_future.ts";
import { Adapter, fail, requireCount } from "./adapter.ts";
import { Ended } from "./ended.ts";
import { Part, Parts } from "./parts.ts";
import type { Stream } from "./stream.ts";

const FREE = 0;
const RUNNING = 1;
const FULFILLED = 2;
const REJECTED = 3;

/** Room for a future and for what it comes to, used again for those that follow. */
class Slot<T> {
  readonly part: Part<Slot<T>>;
  state = FREE;
  future: Future<T> | null = null;
  value: T | Pending = Pending;
  error: unknown = undefined;
  /** Its neighbours among those in use, which are in the order of the source. */
  before: Slot<T> | null = null;
  after: Slot<T> | null = null;

  constructor(parts: Parts<Slot<T>>) {
    this.part = new Part(parts, this);
  }

  get isSettled(): boolean {
    return this.state >= FULFILLED;
  }

  start(future: Future<T>): void {
    this.state = RUNNING;
    this.future = future;
  }

  reject(error: unknown): void {
    this.state = REJECTED;
    this.future = null;
    this.error = error;
  }

  /** Polls its future, if there is one. */
  poll(): void {
    if (this.future === null) return;
    try {
      const value = this.future.poll(this.part);
      if (value === Pending) return;
      this.state = FULFILLED;
      this.future = null;
      this.value = value;
    } catch (error) {
      this.reject(error);
    }
  }
}

/** The context of the source, which is polled again only where it was woken or has given an item. */
class SourceContext implements Context, Waker {
  isReady = true;
  #parts: { wake(): void };

  constructor(parts: { wake(): void }) {
    this.#parts = parts;
  }

  get waker(): Waker {
    return this;
  }

  wake(): void {
    if (this.isReady) return;
    this.isReady = true;
    this.#parts.wake();
  }
}

class Buffered<T> extends Adapter<Spawnable<T>, T> {
  #n: number;
  #isOrdered: boolean;
  #parts: Parts<Slot<T>> = new Parts();
  #context: SourceContext = new SourceContext(this.#parts);
  #first: Slot<T> | null = null;
  #last: Slot<T> | null = null;
  #used = 0;
  #free: Slot<T> | null = null;

  constructor(source: Stream<Spawnable<T>>, n: number, isOrdered: boolean) {
    super(source);
    this.#n = n;
    this.#isOrdered = isOrdered;
  }

  override pollNext(context: Context): T | Pending | Ended {
    this.#parts.begin(context.waker);
    const slot = this.#settled();
    if (slot === null) return this.#first === null && this.source === null ? Ended : Pending;
    const { state, value, error } = slot;
    this.#release(slot);
    return state === REJECTED ? fail(this, error) : value;
  }

  /** Polls whoever is new or was woken. Gives the one whose turn it is to be given out. */
  #settled(): Slot<T> | null {
    for (let slot = this.#next(); slot !== null; slot = this.#next()) {
      slot.poll();
      if (slot.isSettled && !this.#isOrdered) return slot;
    }
    const first = this.#first;
    return first !== null && first.isSettled ? first : null;
  }

  #next(): Slot<T> | null {
    return this.#started() ?? this.#parts.take();
  }

  /** The source's next future, where there is room. The source's failure takes its place in the order, too. */
  #started(): Slot<T> | null {
    const { source } = this;
    const context = this.#context;
    if (source === null || this.#used >= this.#n || !context.isReady) return null;
    context.isReady = false;
    try {
      const item = source.pollNext(context);
      if (item === Pending) return null;
      if (item === Ended) {
        this.end();
        return null;
      }
      context.isReady = true;
      const future = toFuture(item);
      const slot = this.#claim();
      slot.start(future);
      return slot;
    } catch (error) {
      return this.#sourceFailed(source, error);
    }
  }

  #sourceFailed(source: Stream<Spawnable<T>>, error: unknown): Slot<T> {
    this.source = null;
    const slot = this.#claim();
    try {
      fail(source, error);
    } catch (error) {
      slot.reject(error);
    }
    return slot;
  }

  #claim(): Slot<T> {
    const slot = this.#free ?? new Slot(this.#parts);
    this.#free = slot.after;
    slot.after = null;
    slot.before = this.#last;
    if (this.#last === null) this.#first = slot;
    else this.#last.after = slot;
    this.#last = slot;
    this.#used++;
    return slot;
  }

  #release(slot: Slot<T>): void {
    const { before, after } = slot;
    if (before === null) this.#first = after;
    else before.after = after;
    if (after === null) this.#last = before;
    else after.before = before;
    slot.state = FREE;
    slot.value = Pending;
    slot.error = undefined;
    slot.before = null;
    slot.after = this.#free;
    this.#free = slot;
    this.#used--;
  }

  override drop(): void {
    const { source } = this;
    const abandoned: (Droppable | null)[] = [];
    for (let slot = this.#first; slot !== null; slot = slot.after) {
      abandoned.push(slot.future);
      slot.future = null;
    }
    abandoned.push(source);
    this.source = null;
    this.#first = null;
    this.#last = null;
    this.#free = null;
    this.#used = 0;
    this.#parts.end();
    dropAll(abandoned);
  }
}

/** {@linkcode Stream.buffered} */
export function buffered<T>(source: Stream<Spawnable<T>>, n: number): Stream<T> {
  requireCount(n, 1, "buffer a stream");
  return new Buffered(source, n, true);
}

/** {@linkcode Stream.bufferedUnordered} */
export function bufferedUnordered<T>(source: Stream<Spawnable<T>>, n: number): Stream<T> {
  requireCount(n, 1, "buffer a stream");
  return new Buffered(source, n, false);
}
