/** What a connection is doing, by which its deadline is chosen. */
export const IDLE = 0;
export const HEAD = 1;
export const BODY = 2;
export const HANDLER = 3;
export const WRITING = 4;
export const CLOSING = 5;
const PHASES = 6;

/** What has deadlines. All but the methods is the list's own. */
export interface Timed {
  phase: number;
  /** The turn of the sweeper in which the phase began, or last got on. */
  since: number;
  previous: Timed | null;
  next: Timed | null;
  /** It has taken too long. */
  expire(): void;
  /** It ends now. */
  cut(): void;
  /** It ends now, where it does nothing. */
  cutIdle(): void;
}

/** Where a ring begins and ends. */
class Ring implements Timed {
  phase = IDLE;
  since = 0;
  previous: Timed = this;
  next: Timed = this;

  expire(): void {}

  cut(): void {}

  cutIdle(): void {}
}

/**
 * Who must have got on by when: a ring for each phase, in the order in which it was entered, so that those who are
 * late stand first, and the sweeper looks at them and at nobody else, however many there are.
 */
export class Deadlines {
  readonly #rings: readonly Ring[] = Array.from({ length: PHASES }, () => new Ring());
  readonly #limits: readonly number[];
  #turn = 0;
  #size = 0;

  /** By phase: how many turns of the sweeper it may last. */
  constructor(limits: readonly number[]) {
    this.#limits = limits;
  }

  /** How many there are, in whichever phase. */
  get size(): number {
    return this.#size;
  }

  add(timed: Timed): void {
    this.#size++;
    this.#link(timed, timed.phase);
  }

  /** Its deadline begins anew. */
  enter(timed: Timed, phase: number): void {
    const { previous, next } = timed;
    // It has left.
    if (previous === null || next === null) return;
    previous.next = next;
    next.previous = previous;
    this.#link(timed, phase);
  }

  /** Whether it was there still. */
  remove(timed: Timed): boolean {
    const { previous, next } = timed;
    if (previous === null || next === null) return false;
    previous.next = next;
    next.previous = previous;
    timed.previous = timed.next = null;
    this.#size--;
    return true;
  }

  #link(timed: Timed, phase: number): void {
    const ring = this.#rings[phase];
    const last = ring.previous;
    timed.phase = phase;
    timed.since = this.#turn;
    timed.previous = last;
    timed.next = ring;
    last.next = timed;
    ring.previous = timed;
  }

  /** A turn of the sweeper: tells those that have taken too long. */
  sweep(): void {
    this.#turn++;
    for (let phase = 0; phase < PHASES; phase++) {
      const ring = this.#rings[phase];
      const latest = this.#turn - this.#limits[phase];
      for (let first = ring.next; first !== ring && first.since < latest; first = ring.next) {
        first.expire();
        // Where it stands there still, it is told again when its time is over anew.
        if (ring.next === first) this.enter(first, phase);
      }
    }
  }

  /** Those in a phase, as they are now. */
  in(phase: number): Timed[] {
    const ring = this.#rings[phase];
    const found: Timed[] = [];
    for (let at: Timed | null = ring.next; at !== null && at !== ring; at = at.next) found.push(at);
    return found;
  }

  /** All of them, as they are now. */
  all(): Timed[] {
    return this.#rings.flatMap((_, phase) => this.in(phase));
  }
}
