/**
 * What the threads of servers share: a map in memory of 32-bit words.
 *
 *     64 words         0 HIGHEST  the highest descriptor that the table has known
 *     seat 0         64 words, the server that sits there:
 *                      0 INBOX    the descriptor that was passed to it last, plus one; 0 for none
 *                      1 RUNG     1 where its eventfd was written to and it has not looked since
 *                      2 OPEN     connections that are its, passed ones among them
 *                      3 STATE    what it does
 *                      4 COMMAND  what it is told to do
 *                      5 DEADLINE by how many milliseconds
 *                      6 SITTER   who sits there: the number of its start
 *                      7 THREAD   its thread, and 8 when that began
 *                      9 HAS_LEFT 1 once it does nothing here any more
 *                     16 TALLY    numbers of 64 bits
 *     seat 1 …
 *     descriptors    two words for each:
 *                      0 OWNER    sitter · 4 + how it has it; 0 for none of ours
 *                      1 NEXT     the next one in the same inbox, plus one
 *
 * Descriptors are the process's, and what names one here is its number. OWNER is the truth: whoever changes it, by a
 * compare-exchange, has the connection. An acceptor makes it PASSED, the sitter it is for HELD when it takes it, and 0
 * before it closes it. Of a sitter that has died the opener makes what was PASSED another's, and LOST of what was HELD,
 * which it closes once the thread is gone that may still be in a call with it. An inbox is a stack of hints: an entry
 * that is nobody's PASSED any more is passed over.
 */
import { Mmap } from "../../../mem/mmap.ts";
import type { MapHandle } from "../../../mem/handle.ts";
import type { Thread } from "../../../mem/thread.ts";
import { type Tally, TALLY_NUMBERS } from "../tally.ts";

const HIGHEST = 0;
const SEATS = 64;
const SEAT_WORDS = 64;
const INBOX = 0;
const RUNG = 1;
const OPEN = 2;
const STATE = 3;
const COMMAND = 4;
const DEADLINE = 5;
const SITTER = 6;
const THREAD = 7;
const THREAD_START = 8;
const HAS_LEFT = 9;
const TALLY = 16;

/** Descriptors above are none that Linux gives a process by itself: `fs.nr_open`. */
const DESCRIPTORS = 1 << 20;
const KINDS = 4;
const PASSED = 1;
const HELD = 2;
const LOST = 3;

/** It loads, or nobody sits there. */
export const STARTING = 0;
export const LISTENING = 1;
/** It takes no connection any more. */
export const ENDING = 2;

export const SERVE = 0;
export const DRAIN = 1;
export const STOP = 2;

function wordsBefore(seats: number): number {
  return SEATS + seats * SEAT_WORDS;
}

function at(seat: number, word: number): number {
  return SEATS + seat * SEAT_WORDS + word;
}

/** What the opener and its servers share. Each has a mapping of its own. */
export class Board implements Disposable {
  readonly #map: Mmap<"write">;
  readonly #words: Int32Array<ArrayBuffer>;
  readonly #tallies: Tally;
  readonly #table: number;

  private constructor(map: Mmap<"write">, seats: number) {
    this.#map = map;
    this.#table = wordsBefore(seats);
    this.#words = map.view(Int32Array, 0, this.#table + 2 * DESCRIPTORS);
    this.#tallies = map.view(Float64Array, 0, this.#table / 2);
  }

  /** 8 MiB, of which the kernel gives what is used. */
  static create(seats: number): Board {
    return new Board(Mmap.anonymous(4 * (wordsBefore(seats) + 2 * DESCRIPTORS)), seats);
  }

  static adopt(handle: MapHandle, seats: number): Board {
    return new Board(Mmap.adopt(handle, { mode: "r+" }), seats);
  }

  get handle(): MapHandle {
    return this.#map.share();
  }

  /** The numbers of who sits there. */
  tally(seat: number): Tally {
    const from = at(seat, TALLY) / 2;
    return this.#tallies.subarray(from, from + TALLY_NUMBERS);
  }

  /** The opener's: gives the seat to somebody else. */
  seat(seat: number, sitter: number): void {
    for (const word of [INBOX, RUNG, OPEN, STATE, COMMAND, DEADLINE, THREAD, THREAD_START, HAS_LEFT]) {
      this.#set(seat, word, 0);
    }
    this.#set(seat, SITTER, sitter);
    this.tally(seat).fill(0);
  }

  /** The sitter's: whose thread it is. */
  sit(seat: number, { id, start }: Thread): void {
    this.#set(seat, THREAD, id);
    this.#set(seat, THREAD_START, start);
  }

  /** The sitter's thread, where it has come so far. */
  thread(seat: number): Thread | undefined {
    const id = this.#get(seat, THREAD);
    return id === 0 ? undefined : { id, start: this.#get(seat, THREAD_START) };
  }

  /** The sitter's last. */
  leave(seat: number): void {
    this.#set(seat, HAS_LEFT, 1);
  }

  hasLeft(seat: number): boolean {
    return this.#get(seat, HAS_LEFT) === 1;
  }

  state(seat: number): number {
    return this.#get(seat, STATE);
  }

  enter(seat: number, state: number): void {
    this.#set(seat, STATE, state);
  }

  command(seat: number): { command: number; deadline: number } {
    return { command: this.#get(seat, COMMAND), deadline: this.#get(seat, DEADLINE) };
  }

  order(seat: number, command: number, deadline: number): void {
    this.#set(seat, DEADLINE, deadline);
    this.#set(seat, COMMAND, command);
  }

  /** Whether its eventfd is to be written to: whoever has rung and was not heard yet rings for all. */
  ring(seat: number): boolean {
    return Atomics.exchange(this.#words, at(seat, RUNG), 1) === 0;
  }

  /** The sitter's, before it looks at what it was rung for. */
  heard(seat: number): void {
    this.#set(seat, RUNG, 0);
  }

  /** How many connections are its, those that are on their way among them. */
  open(seat: number): number {
    return this.#get(seat, OPEN);
  }

  /** An acceptor's: gives the seat a descriptor. False where its number is too high for the table. */
  pass(number: number, seat: number): boolean {
    if (!this.#has(number)) return false;
    Atomics.add(this.#words, at(seat, OPEN), 1);
    Atomics.store(this.#words, this.#owner(number), this.#get(seat, SITTER) * KINDS + PASSED);
    this.#push(number, seat);
    return true;
  }

  #push(number: number, seat: number): void {
    const inbox = at(seat, INBOX);
    const next = this.#owner(number) + 1;
    for (;;) {
      const first = Atomics.load(this.#words, inbox);
      Atomics.store(this.#words, next, first);
      if (Atomics.compareExchange(this.#words, inbox, first, number + 1) === first) return;
    }
  }

  /** The sitter's: takes what was passed to it, in the order in which it was. */
  take(seat: number, sitter: number): number[] {
    const taken: number[] = [];
    let entry = Atomics.exchange(this.#words, at(seat, INBOX), 0);
    while (entry !== 0) {
      const owner = this.#owner(entry - 1);
      const next = Atomics.load(this.#words, owner + 1);
      if (this.#change(owner, sitter * KINDS + PASSED, sitter * KINDS + HELD)) taken.push(entry - 1);
      entry = next;
    }
    return taken.reverse();
  }

  /** The sitter's: has accepted it by itself. False where its number is too high for the table. */
  hold(number: number, seat: number, sitter: number): boolean {
    if (!this.#has(number)) return false;
    Atomics.add(this.#words, at(seat, OPEN), 1);
    Atomics.store(this.#words, this.#owner(number), sitter * KINDS + HELD);
    return true;
  }

  /** The sitter's, before it closes one: false where it was taken for dead, and the descriptor from it. */
  letGo(number: number, seat: number, sitter: number): boolean {
    if (!this.#change(this.#owner(number), sitter * KINDS + HELD, 0)) return false;
    Atomics.sub(this.#words, at(seat, OPEN), 1);
    return true;
  }

  /** The opener's, of a sitter that has died: what it held, and what it had not taken yet, which is the opener's now. */
  bury(sitter: number): { held: number[]; passed: number[] } {
    const held: number[] = [];
    const passed: number[] = [];
    const highest = Atomics.load(this.#words, HIGHEST);
    for (let number = 0; number <= highest; number++) {
      const owner = this.#owner(number);
      if (this.#change(owner, sitter * KINDS + HELD, sitter * KINDS + LOST)) held.push(number);
      else if (this.#change(owner, sitter * KINDS + PASSED, sitter * KINDS + LOST)) passed.push(number);
    }
    return { held, passed };
  }

  /** The opener's, before it closes one that it has buried. */
  forget(number: number): void {
    Atomics.store(this.#words, this.#owner(number), 0);
  }

  /** Whether the table has a place for it, which is looked at from now on. */
  #has(number: number): boolean {
    if (number >= DESCRIPTORS) return false;
    for (;;) {
      const highest = Atomics.load(this.#words, HIGHEST);
      if (number <= highest || this.#change(HIGHEST, highest, number)) return true;
    }
  }

  #change(index: number, from: number, to: number): boolean {
    return Atomics.compareExchange(this.#words, index, from, to) === from;
  }

  #owner(number: number): number {
    return this.#table + 2 * number;
  }

  #get(seat: number, word: number): number {
    return Atomics.load(this.#words, at(seat, word));
  }

  #set(seat: number, word: number, value: number): void {
    Atomics.store(this.#words, at(seat, word), value);
  }

  [Symbol.dispose](): void {
    this.#map[Symbol.dispose]();
  }
}
