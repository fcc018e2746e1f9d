import { EventFd } from "../../../io/event_fd.ts";
import { Fd } from "../../../io/fd.ts";
import { HandleError } from "../../../mem/mmap.ts";
import { isAlive, type Thread } from "../../../mem/thread.ts";
import {
  BELL,
  DEAF,
  END,
  flightAt,
  FLIGHTS,
  FLIGHTS_USED,
  GONE,
  JOINS,
  OWN_PROMISED,
  OWN_RECEIVERS,
  OWN_SENDERS,
  OWN_WEAK,
  PROMISED,
  RECEIVER,
  RECEIVERS,
  RUNG,
  SEAT_WORDS,
  seatAt,
  SEATS,
  SEATS_USED,
  SECRET,
  SEEN,
  SENDERS,
  SLEEPS,
  START,
  STATE,
  THREAD,
  TICKET,
  TICKETS,
  USERS,
  WAITING,
  WANTED,
  WEAK,
} from "./layout.ts";
import type { Memory } from "./memory.ts";

/** An end in flight, and in a seat: the number is its word in a flight's `END`. */
export const SENDER = 1;
export const WEAK_SENDER = 2;
export const RECEIVING = 3;
export type EndKind = typeof SENDER | typeof WEAK_SENDER | typeof RECEIVING;

const COUNTS: Readonly<Record<EndKind, readonly [own: number, all: number]>> = {
  [SENDER]: [OWN_SENDERS, SENDERS],
  [WEAK_SENDER]: [OWN_WEAK, WEAK],
  [RECEIVING]: [OWN_RECEIVERS, RECEIVERS],
};

/** Other threads' eventfds by their numbers: nothing but a number is kept of each. */
const bells: Map<number, EventFd> = new Map();

function write(number: number): void {
  let bell = bells.get(number);
  if (bell === undefined) bells.set(number, bell = new EventFd(Fd.unsafeOwn(number)));
  bell.write();
}

/**
 * Who has which ends, and who waits: what is written here is written by who holds the mutex, and counted anew from the
 * seats and the ends in flight where an owner of it died.
 */
export class Roster {
  readonly #memory: Memory;
  /** The first word of this thread's seat; 0 where it has none. */
  mine = 0;
  /** Whether this thread is to look: it has rung for itself. */
  isRung = false;

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  get #words(): Int32Array<ArrayBuffer> {
    return this.#memory.words;
  }

  /** What this thread counts in its seat. */
  own(field: number): number {
    return this.#words[this.mine + field];
  }

  set(field: number, value: number): void {
    Atomics.store(this.#words, this.mine + field, value);
  }

  /** Takes a seat for this thread, and has the others look who is there. */
  join({ id, start }: Thread, bell: number): void {
    const words = this.#words;
    for (let seat = 0; seat < SEATS; seat++) {
      const at = seatAt(seat);
      if (words[at + THREAD] !== 0) continue;
      words.fill(0, at, at + SEAT_WORDS);
      words[at + START] = start;
      words[at + BELL] = bell;
      Atomics.store(words, at + THREAD, id);
      words[USERS]++;
      Atomics.add(words, JOINS, 1);
      if (seat >= words[SEATS_USED]) Atomics.store(words, SEATS_USED, seat + 1);
      this.ringAll();
      this.mine = at;
      return;
    }
    throw new Error(`cannot take an end of a channel: ${SEATS} threads have ends of it already`);
  }

  /** Counts one end more, or fewer, in this thread's seat. */
  count(kind: EndKind, by: 1 | -1): void {
    const [own, all] = COUNTS[kind];
    this.#words[this.mine + own] += by;
    Atomics.add(this.#words, all, by);
    if (kind === RECEIVING && by > 0) this.#receiveHere();
  }

  #receiveHere(): void {
    this.#words[RECEIVER] = (this.mine - seatAt(0)) / SEAT_WORDS + 1;
  }

  /** This thread has so many places more, or fewer. */
  promise(by: number): void {
    this.#words[this.mine + OWN_PROMISED] += by;
    Atomics.add(this.#words, PROMISED, by);
  }

  /** Moves an end of this thread's seat into flight. Returns its place, and what its handle has to know. */
  launch(kind: EndKind, seen: number): { place: number; secret: number } {
    const words = this.#words;
    for (let place = 0; place < FLIGHTS; place++) {
      const at = flightAt(place);
      if (words[at + END] !== 0) continue;
      const [secret] = crypto.getRandomValues(new Int32Array(1));
      words[this.mine + COUNTS[kind][0]]--;
      words[at + SECRET] = secret;
      words[at + SEEN] = seen;
      words[at + END] = kind;
      words[USERS]++;
      if (place >= words[FLIGHTS_USED]) words[FLIGHTS_USED] = place + 1;
      if (kind === RECEIVING) words[RECEIVER] = 0;
      return { place, secret };
    }
    throw new Error(`cannot send an end of a channel: ${FLIGHTS} of its ends are on their way already`);
  }

  /** Whether the end is in flight. */
  isInFlight(kind: EndKind, place: number, secret: number): boolean {
    const at = flightAt(place);
    return this.#words[at + END] === kind && this.#words[at + SECRET] === secret;
  }

  /** Moves an end in flight into this thread's seat. Returns what it had seen. */
  land(kind: EndKind, place: number): number {
    const words = this.#words;
    const at = flightAt(place);
    words[at + END] = 0;
    words[USERS]--;
    words[this.mine + COUNTS[kind][0]]++;
    if (kind === RECEIVING) this.#receiveHere();
    return words[at + SEEN];
  }

  /** Counts in a seat no more what it counts, and has it wait for nothing. */
  disown(at: number): void {
    const words = this.#words;
    for (const [own, all] of Object.values(COUNTS)) {
      Atomics.sub(words, all, words[at + own]);
      words[at + own] = 0;
    }
    Atomics.sub(words, PROMISED, words[at + OWN_PROMISED]);
    words[at + OWN_PROMISED] = 0;
    this.withdraw(at);
    if (words[RECEIVER] !== 0 && seatAt(words[RECEIVER] - 1) === at) words[RECEIVER] = 0;
  }

  /** Frees a seat, with all that it counts. */
  leave(at: number): void {
    const words = this.#words;
    this.disown(at);
    Atomics.store(words, at + THREAD, 0);
    words[USERS]--;
    if (at === this.mine) this.mine = 0;
  }

  /** Frees the seats of threads that have ended. Whether there was one. */
  reap(): boolean {
    let found = false;
    for (const { at, thread } of this.others()) {
      if (isAlive(thread)) continue;
      this.leave(at);
      found = true;
    }
    if (found) this.ringAll();
    return found;
  }

  /** The seats of other threads. */
  others(): { at: number; thread: Thread }[] {
    const words = this.#words;
    const found: { at: number; thread: Thread }[] = [];
    for (let seat = 0; seat < words[SEATS_USED]; seat++) {
      const at = seatAt(seat);
      const id = words[at + THREAD];
      if (id !== 0 && at !== this.mine) found.push({ at, thread: { id, start: words[at + START] } });
    }
    return found;
  }

  /** Has the seat wait for so many places, after those that wait already. */
  enqueue(at: number, count: number): void {
    const words = this.#words;
    words[at + WANTED] = count;
    words[TICKETS] = (words[TICKETS] + 1) & 0x7fffffff || 1;
    words[at + TICKET] = words[TICKETS];
    Atomics.add(words, WAITING, 1);
  }

  /** Has the seat wait for room no more. */
  withdraw(at: number): void {
    const words = this.#words;
    words[at + WANTED] = 0;
    if (words[at + TICKET] === 0) return;
    words[at + TICKET] = 0;
    Atomics.sub(words, WAITING, 1);
  }

  /** The seat that has waited longest for room; 0 where none waits. */
  #first(): number {
    const words = this.#words;
    let first = 0;
    for (let seat = 0; seat < words[SEATS_USED]; seat++) {
      const at = seatAt(seat);
      if (words[at + TICKET] === 0) continue;
      if (first === 0 || ((words[at + TICKET] - words[first + TICKET]) << 1) < 0) first = at;
    }
    return first;
  }

  /** Gives places to those who wait, first come first served. Returns how many are left. */
  grant(room: number): number {
    const words = this.#words;
    while (room > 0 && words[WAITING] > 0 && (words[STATE] & DEAF) === 0) {
      const at = this.#first();
      const part = Math.min(room, words[at + WANTED]);
      words[at + WANTED] -= part;
      words[at + OWN_PROMISED] += part;
      Atomics.add(words, PROMISED, part);
      room -= part;
      if (words[at + WANTED] > 0) break;
      this.withdraw(at);
      this.ring(at);
    }
    return room;
  }

  /** Has a thread look, which wakes those of it that can go on. */
  ring(at: number): void {
    const words = this.#words;
    if (at === this.mine) this.isRung = true;
    else if (Atomics.exchange(words, at + RUNG, 1) === 0) write(words[at + BELL]);
  }

  /** Has everybody look who waits. */
  ringAll(): void {
    const words = this.#words;
    for (let seat = 0; seat < words[SEATS_USED]; seat++) {
      const at = seatAt(seat);
      if (words[at + THREAD] !== 0 && Atomics.load(words, at + SLEEPS) !== 0) this.ring(at);
    }
  }

  /** Counts all anew: an owner of the mutex died in the middle of it. */
  mend(): void {
    const words = this.#words;
    const sums = [SENDERS, WEAK, RECEIVERS, PROMISED, WAITING, USERS];
    for (const field of sums) words[field] = 0;
    for (let seat = 0; seat < SEATS; seat++) {
      const at = seatAt(seat);
      if (words[at + THREAD] === 0) continue;
      for (const [own, all] of Object.values(COUNTS)) words[all] += words[at + own];
      words[PROMISED] += words[at + OWN_PROMISED];
      if (words[at + TICKET] !== 0) words[WAITING]++;
      words[USERS]++;
      Atomics.store(words, SEATS_USED, Math.max(words[SEATS_USED], seat + 1));
      // Whoever died may have meant to ring, and said so already.
      Atomics.store(words, at + RUNG, 0);
    }
    for (let place = 0; place < FLIGHTS; place++) {
      const kind = words[flightAt(place) + END];
      if (kind !== SENDER && kind !== WEAK_SENDER && kind !== RECEIVING) continue;
      words[COUNTS[kind][1]]++;
      words[USERS]++;
      words[FLIGHTS_USED] = Math.max(words[FLIGHTS_USED], place + 1);
    }
    if (words[RECEIVERS] === 0) words[STATE] |= DEAF | GONE;
    this.ringAll();
  }
}

/** Throws where a handle says what none of ours says. */
export function requirePlace(place: unknown, secret: unknown): void {
  const isOne = Number.isInteger(place) && Number.isInteger(secret) && Number(place) >= 0 &&
    Number(place) < FLIGHTS;
  if (!isOne) throw new HandleError("cannot adopt an end of a channel: what was given is no handle of one");
}
