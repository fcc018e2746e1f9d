/**
 * Runs a few threads through all their interleavings: depth first, over the states of the shared words and of the
 * threads. A thread's state is what it was given since its last `cut`, and the way back to a state is to run the thread
 * again with the same answers.
 *
 * Words that only one thread uses, or that nobody writes, are no reason to change the thread; which these are is found
 * by the way, and begun anew where one more turns out to be shared.
 *
 * @module
 */
import type { Operation, Program } from "./instrument.ts";

/** Threads over shared words, and what must hold. */
export interface Scenario {
  /** How many words there are. */
  readonly size: number;
  /** Sets the words, which are 0, as they are at the start. */
  readonly setUp: (words: Int32Array) => void;
  readonly threads: readonly (() => Program)[];
  /** The thread that may be killed at any step, and the words to which 1 is added then. */
  readonly victim?: { readonly thread: number; readonly words: readonly number[] };
  /** What is wrong where nobody goes on; `isDone` says of the threads which have ended. */
  readonly check: (words: Int32Array, isDone: readonly boolean[]) => string | undefined;
  /** The name of a word, for the schedule. */
  readonly nameOf: (index: number) => string;
}

/** What came of an exploration. */
export interface Outcome {
  readonly states: number;
  /** The first thing found wrong, and the steps that lead there. */
  readonly fault?: string;
}

/** What is wrong, with its schedule. */
class Fault extends Error {}
/** One more use of a word turned out to be one that others see. */
class Widened extends Error {}

const READS: ReadonlySet<string> = new Set(["load", "get", "until"]);
const WAITS: ReadonlySet<string> = new Set(["until", "await", "wait", "wake"]);

/** Which threads read and write each word, as bits. */
class Uses {
  readonly #readers: Int32Array;
  readonly #writers: Int32Array;

  constructor(size: number) {
    this.#readers = new Int32Array(size);
    this.#writers = new Int32Array(size);
  }

  /** Whether others see it, or it sees others: what one thread alone writes it may read whenever it likes. */
  isShared(thread: number, name: string, index: number): boolean {
    const others = READS.has(name) ? this.#writers[index] : this.#writers[index] | this.#readers[index];
    return (others & ~(1 << thread)) !== 0;
  }

  /** Notes a use. Gives `false` where others' uses of the word, which were not shared, now are. */
  add(thread: number, name: string, index: number): boolean {
    const users = READS.has(name) ? this.#readers : this.#writers;
    if ((users[index] & 1 << thread) !== 0) return true;
    const others = (this.#readers[index] | this.#writers[index]) & ~(1 << thread);
    users[index] |= 1 << thread;
    return others === 0 || (READS.has(name) && this.#writers[index] === 0);
  }
}

const STATUS = { runs: 0, sleeps: 1, woken: 2, dead: 3 } as const;
type Status = keyof typeof STATUS;

/** A point of a thread's program: what it is about to do, given what it was answered so far. */
interface Point {
  readonly id: number;
  readonly before: Point | undefined;
  /** What led here from `before`. */
  readonly answer: number;
  /** Nothing where the program has ended. */
  readonly operation: Operation | undefined;
  readonly after: Map<number, Point>;
}

/** A thread's program as the graph of what it does, found as far as it is needed. */
class Graph {
  readonly #start: () => Program;
  /** The points right behind cuts, by their numbers: the way there is of no account. */
  readonly #cuts: Map<number, Point> = new Map();
  #count = 0;
  readonly first: Point;
  /** A run of the program that has come to a point. */
  #program: Program;
  #at: Point;

  constructor(start: () => Program) {
    this.#start = start;
    this.#program = start();
    this.first = this.#at = this.#point(undefined, 0, this.#program.next());
  }

  #point(before: Point | undefined, answer: number, { done, value }: IteratorResult<Operation, void>): Point {
    const operation = done === true || value === undefined ? undefined : value;
    return { id: this.#count++, before, answer, operation, after: new Map() };
  }

  /** The point that follows where the operation is answered so. */
  follow(point: Point, answer: number): Point {
    const known = point.after.get(answer);
    if (known !== undefined) return known;
    const [name, digest] = point.operation ?? ["nothing", 0];
    const sameCut = name === "cut" ? this.#cuts.get(digest) : undefined;
    const next = sameCut ?? this.#run(point, answer);
    if (name === "cut") this.#cuts.set(digest, next);
    point.after.set(answer, next);
    return next;
  }

  #run(point: Point, answer: number): Point {
    if (this.#at !== point) {
      const answers: number[] = [];
      for (let one = point; one.before !== undefined; one = one.before) answers.push(one.answer);
      this.#program = this.#start();
      this.#program.next();
      for (const given of answers.reverse()) this.#program.next(given);
    }
    return this.#at = this.#point(point, answer, this.#program.next(answer));
  }
}

/** A thread as it is in a state. */
interface Place {
  readonly point: Point;
  readonly status: Status;
}

/** Of 32 bits, by Murmur's finalizer. */
function mix(hash: number, value: number): number {
  let x = Math.imul(hash ^ value, 0x85ebca6b);
  x = Math.imul(x ^ x >>> 13, 0xc2b2ae35);
  return x ^ x >>> 16;
}

/** What a thread has done; nothing where it was killed. */
interface Step {
  readonly thread: number;
  readonly operation: Operation | undefined;
  readonly answer: number | string;
}

/** Who made the last step, and whether it may be interrupted there at no cost: it goes round a loop, or sleeps. */
interface Last {
  readonly thread: number;
  readonly yields: boolean;
}

/** The states that were seen, and how they follow each other. */
class States {
  /** By their keys. */
  readonly #numbers: Map<number, number> = new Map();
  /** With how many preemptions left each was seen. */
  readonly #preemptions: number[] = [];
  /** The one that each was first seen after, and by which step. */
  readonly #parents: number[] = [];
  readonly #steps: (Step | undefined)[] = [];
  /** Pairs of one and the next. */
  readonly #follow: number[] = [];
  readonly #ends: number[] = [];

  get count(): number {
    return this.#numbers.size;
  }

  /** The state's number, or -1 where it has been explored with as many preemptions left. */
  arrive(key: number, before: number, schedule: readonly Step[], preemptions: number): number {
    const known = this.#numbers.get(key);
    const state = known ?? this.#numbers.size;
    if (before >= 0) this.#follow.push(before, state);
    if (known === undefined) {
      this.#numbers.set(key, state);
      this.#parents.push(before);
      this.#steps.push(schedule.at(-1));
    } else if (this.#preemptions[state] >= preemptions) {
      return -1;
    }
    this.#preemptions[state] = preemptions;
    return state;
  }

  /** Nobody goes on from there. */
  end(state: number): void {
    this.#ends.push(state);
  }

  /** A state from which there is no way to an end, or -1. */
  stuck(): number {
    const before: number[][] = this.#parents.map(() => []);
    for (let i = 0; i < this.#follow.length; i += 2) before[this.#follow[i + 1]].push(this.#follow[i]);
    const isFine = new Uint8Array(this.count);
    const open = [...this.#ends];
    for (let state = open.pop(); state !== undefined; state = open.pop()) {
      if (isFine[state] === 1) continue;
      isFine[state] = 1;
      open.push(...before[state]);
    }
    return isFine.indexOf(0);
  }

  /** The steps that lead there. */
  way(state: number): Step[] {
    const steps: Step[] = [];
    for (let one = state; one >= 0; one = this.#parents[one]) {
      const { [one]: step } = this.#steps;
      if (step !== undefined) steps.push(step);
    }
    return steps.reverse();
  }
}

class Explorer {
  readonly #scenario: Scenario;
  readonly #uses: Uses;
  readonly #preemptions: number;
  readonly #limit: number;
  readonly #words: Int32Array;
  readonly #graphs: readonly Graph[];
  readonly #places: Place[];
  readonly #seen: States = new States();
  /** Pairs of an index and what was there. */
  readonly #undo: number[] = [];
  readonly #schedule: Step[] = [];
  #low = 0;
  #high = 0;

  constructor(scenario: Scenario, graphs: readonly Graph[], uses: Uses, preemptions: number, limit: number) {
    this.#scenario = scenario;
    this.#uses = uses;
    this.#preemptions = preemptions;
    this.#limit = limit;
    this.#words = new Int32Array(scenario.size);
    scenario.setUp(this.#words);
    this.#graphs = graphs;
    this.#places = graphs.map(({ first }) => ({ point: first, status: "runs" }));
  }

  /** The number of states. Throws a `Fault`, or a `Widened`. */
  run(): number {
    for (const [i] of this.#places.entries()) this.#settle(i);
    this.#explore({ thread: -1, yields: true }, this.#preemptions, -1);
    const stuck = this.#seen.stuck();
    if (stuck >= 0) {
      throw this.#fault("it goes round and round, and nobody comes to an end", this.#seen.way(stuck));
    }
    return this.#seen.count;
  }

  #write(index: number, value: number): void {
    const before = this.#words[index];
    if (before === (value | 0)) return;
    this.#undo.push(index, before);
    this.#set(index, value);
  }

  #set(index: number, value: number): void {
    const words = this.#words;
    const before = words[index];
    words[index] = value;
    this.#low ^= mix(mix(index + 1, 11), before) ^ mix(mix(index + 1, 11), words[index]);
    this.#high ^= mix(mix(index + 1, 13), before) ^ mix(mix(index + 1, 13), words[index]);
  }

  /** Does what the thread is about to do, and gives the answer. */
  #perform(thread: number, [name, index, value = 0, other = 0]: Operation): number {
    if (name === "cut") return 0;
    this.#use(thread, name, index);
    const before = this.#words[index];
    switch (name) {
      case "load":
      case "get":
      case "until":
        return before;
      case "store":
      case "put":
        this.#write(index, value);
        return 0;
      case "exchange":
        this.#write(index, value);
        return before;
      // What was there before is of no use to anybody here, and would keep states apart.
      case "add":
        this.#write(index, before + value);
        return 0;
      case "sub":
        this.#write(index, before - value);
        return 0;
      case "cas":
        if (before === value) this.#write(index, other);
        return before;
      case "await":
        this.#write(index, 0);
        return before;
      case "wake":
        for (const [i, { point, status }] of this.#places.entries()) {
          const isThere = status === "sleeps" && point.operation?.[1] === index;
          if (isThere) this.#places[i] = { point, status: "woken" };
        }
        return 0;
      default:
        throw new Error(`the model knows no ${name}`);
    }
  }

  #use(thread: number, name: string, index: number): void {
    if (!(index >= 0 && index < this.#words.length)) throw new Error(`${name} of word ${index}`);
    if (!this.#uses.add(thread, name, index)) throw new Widened();
  }

  #isVisible(thread: number, [name, index]: Operation): boolean {
    if (name === "cut") return false;
    return WAITS.has(name) || this.#uses.isShared(thread, name, index);
  }

  #answer(thread: number, answer: number): void {
    const point = this.#graphs[thread].follow(this.#places[thread].point, answer);
    this.#places[thread] = { point, status: "runs" };
  }

  /** On to the next access that others see. Gives whether there was a cut before it. */
  #settle(thread: number): boolean {
    let isCut = false;
    for (;;) {
      const { operation } = this.#places[thread].point;
      if (operation === undefined || this.#isVisible(thread, operation)) return isCut;
      isCut ||= operation[0] === "cut";
      this.#answer(thread, this.#perform(thread, operation));
    }
  }

  #isEnabled({ point, status }: Place): boolean {
    if (status === "woken") return true;
    if (status !== "runs" || point.operation === undefined) return false;
    const [name, index, value] = point.operation;
    if (name === "until") return this.#words[index] >= value;
    if (name === "await") return this.#words[index] > 0;
    return true;
  }

  #step(thread: number): Last {
    const { point, status } = this.#places[thread];
    const { operation = ["cut", 0] } = point;
    const [name, index, value] = operation;
    if (status === "runs" && name === "wait" && this.#words[index] === value) {
      this.#places[thread] = { point, status: "sleeps" };
      this.#schedule.push({ thread, operation, answer: "sleeps" });
      return { thread, yields: true };
    }
    const answer = name === "wait" ? 0 : this.#perform(thread, operation);
    this.#schedule.push({ thread, operation, answer });
    this.#answer(thread, answer);
    return { thread, yields: this.#settle(thread) };
  }

  #line({ thread, operation, answer }: Step): string {
    if (operation === undefined) return `${thread}: is killed`;
    const [name, index, ...args] = operation;
    return `${thread}: ${name} ${this.#scenario.nameOf(index)} ${args.join(" ")} = ${answer}`;
  }

  #key(): number {
    let [low, high] = [this.#low, this.#high];
    for (const { point, status } of this.#places) {
      const hash = 8 * point.id + STATUS[status];
      low = mix(low, hash);
      high = mix(high, ~hash);
    }
    return ((low >>> 0) * 0x1_0000 + (high & 0xffff)) * 16;
  }

  /** Explores from here on: whoever made the last step may be interrupted so often. */
  #explore(last: Last, preemptions: number, before: number): void {
    // Who was last decides whom it costs a preemption to go on with, and who can be killed.
    const { victim } = this.#scenario;
    const isLike = preemptions === Infinity && last.thread !== victim?.thread;
    const key = this.#key() + (isLike ? 0 : last.thread + 1 + (last.yields ? 8 : 0));
    const state = this.#seen.arrive(key, before, this.#schedule, preemptions);
    if (state < 0) return;
    if (state >= this.#limit) throw new Error(`there are more than ${this.#limit} states`);
    const places = [...this.#places];
    let enabled = 0;
    for (const [i, place] of places.entries()) if (this.#isEnabled(place)) enabled |= 1 << i;
    if (enabled === 0) this.#check(state);
    const [undone, scheduled] = [this.#undo.length, this.#schedule.length];
    const restore = (): void => {
      this.#schedule.length = scheduled;
      while (this.#undo.length > undone) {
        const value = this.#undo.pop() ?? 0;
        this.#set(this.#undo.pop() ?? 0, value);
      }
      for (const [i, place] of places.entries()) this.#places[i] = place;
    };
    const isOpen = !last.yields && (enabled & 1 << last.thread) !== 0;
    for (let i = 0; i < places.length; i++) {
      const left = isOpen && i !== last.thread ? preemptions - 1 : preemptions;
      if (left < 0 || (enabled & 1 << i) === 0) continue;
      this.#explore(this.#step(i), left, state);
      restore();
    }
    // Right behind its last step: what others do meanwhile they may as well do later.
    if (victim === undefined || last.thread !== victim.thread) return;
    const { point, status } = places[victim.thread];
    if (status === "dead" || point.operation === undefined) return;
    this.#places[victim.thread] = { point, status: "dead" };
    for (const word of victim.words) this.#write(word, this.#words[word] + 1);
    this.#schedule.push({ thread: victim.thread, operation: undefined, answer: 0 });
    this.#explore({ thread: victim.thread, yields: true }, preemptions, state);
    restore();
  }

  #check(state: number): void {
    this.#seen.end(state);
    const fault = this.#scenario.check(
      this.#words,
      this.#places.map(({ point }) => point.operation === undefined),
    );
    if (fault !== undefined) throw this.#fault(fault, this.#schedule);
  }

  #fault(what: string, schedule: readonly Step[]): Fault {
    return new Fault([what, ...schedule.map((step) => this.#line(step))].join("\n"));
  }
}

/**
 * Explores all interleavings in which threads that could go on are interrupted at most so often. Throws where there are
 * more than `limit` states.
 */
export function explore(scenario: Scenario, preemptions: number, limit = 2_000_000): Outcome {
  const graphs = scenario.threads.map((start) => new Graph(start));
  const uses = new Uses(scenario.size);
  for (;;) {
    try {
      return { states: new Explorer(scenario, graphs, uses, preemptions, limit).run() };
    } catch (error) {
      if (error instanceof Fault) return { states: 0, fault: error.message };
      if (!(error instanceof Widened)) throw error;
    }
  }
}
