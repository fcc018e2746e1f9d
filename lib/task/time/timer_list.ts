/** What the timers hold: an entry of their lists, which is the future that waits. */
export interface Timer {
  /** When it fires, by the runtime's clock; among those that have just begun, how long after that. */
  due: number;
  /** Where it waits. The three are its list's own. */
  list: TimerList | null;
  before: Timer | null;
  after: Timer | null;
  /** Its time has come, and it is in no list any more. */
  fire(): void;
}

function byTime(a: Timer, b: Timer): number {
  return a.due - b.due;
}

/** Timers that are linked to one another: one joins at the end and leaves from anywhere at no cost. */
export class TimerList {
  /** Its slot's number in the wheel. */
  readonly slot: number;
  first: Timer | null = null;
  last: Timer | null = null;
  /** None is due before, `Infinity` where there is none. Those that left may have been. */
  earliest = Infinity;
  #isInOrder = true;

  constructor(slot: number) {
    this.slot = slot;
  }

  /** How many there are, counted one by one. */
  get size(): number {
    let size = 0;
    for (let timer = this.first; timer !== null; timer = timer.after) size++;
    return size;
  }

  append(timer: Timer): void {
    const { last } = this;
    timer.list = this;
    timer.before = last;
    timer.after = null;
    this.last = timer;
    if (last === null) this.first = timer;
    else {
      last.after = timer;
      if (timer.due < last.due) this.#isInOrder = false;
    }
    if (timer.due < this.earliest) this.earliest = timer.due;
  }

  remove(timer: Timer): void {
    const { before, after } = timer;
    timer.list = null;
    timer.before = null;
    timer.after = null;
    if (before === null) this.first = after;
    else before.after = after;
    if (after === null) this.last = before;
    else after.before = before;
    if (this.first === null) {
      this.earliest = Infinity;
      this.#isInOrder = true;
    }
  }

  /** Takes out all of them: the first, and the others by their `after`. */
  takeAll(): Timer | null {
    const { first } = this;
    this.first = null;
    this.last = null;
    this.earliest = Infinity;
    this.#isInOrder = true;
    return first;
  }

  /** Puts them in the order of their times; those of one time stay in the order in which they came. */
  sort(): void {
    if (this.#isInOrder) return;
    const timers: Timer[] = [];
    for (let timer = this.takeAll(); timer !== null; timer = timer.after) timers.push(timer);
    timers.sort(byTime);
    for (let i = 0; i < timers.length; i++) this.append(timers[i]);
  }
}
