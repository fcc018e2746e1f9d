/**
 * What the programs of this folder have in common with those of `peers/`: they are called with
 *
 *     PROGRAM WARM_MS MEASURE_MS WORK=COUNT...
 *
 * and print a line of JSON for each work: `value` is in nanoseconds of the median round an operation, of CPU for
 * `timer_fire`, and in resident bytes a task for `memory_*`.
 *
 * @module
 */
import process from "node:process";
import v8 from "node:v8";
import vm from "node:vm";
import { hostName } from "../../ffi/mod.ts";

declare const Bun: { gc(force: true): void };

/** How long `memory_*` wait before they look: what was going on has ended. */
export const SETTLING_MS = 200;
export const HOUR_MS = 3_600_000;
/** Of the tasks of `yield_many`. */
export const YIELDING_TASKS = 200;
/** Of the channels. */
export const CAPACITY = 1000;

/** What is printed of one work. */
export interface Line {
  readonly value: number;
  /** Nanoseconds of CPU an operation, of all the process's threads, where `value` is of a clock. */
  readonly cpu?: number;
  /** Microseconds after the deadline: of half the sleeps, of 99 in 100. */
  readonly late?: readonly [number, number];
  /** Bytes a task that are alive in the host's heap after a collection. */
  readonly heap?: number;
}

/** What one work is to do. */
export interface Asked {
  readonly warmMs: number;
  readonly measureMs: number;
  readonly n: number;
}

/** Does the works that the command line names, and prints their lines. */
export async function perform(work: (name: string, asked: Asked) => Promise<Line>): Promise<void> {
  const [warm, measure, ...works] = process.argv.slice(2);
  for (const [name, count] of works.map((work) => work.split("="))) {
    const asked = { warmMs: Number(warm), measureMs: Number(measure), n: Number(count) };
    console.log(JSON.stringify({ work: name, ...await work(name, asked) }));
  }
  // Timers of an hour may be left.
  process.exit();
}

/** The rounds of one work: at least one to warm up and one that counts. */
export class Rounds {
  readonly #asked: Asked;
  readonly #each: number[] = [];
  #isWarm = false;
  #since: number = performance.now();
  #cpu: NodeJS.CpuUsage = process.cpuUsage();
  #start = 0n;

  constructor(asked: Asked) {
    this.#asked = asked;
  }

  begin(): void {
    this.#start = process.hrtime.bigint();
  }

  /** Ends the round that `begin` began. Gives whether there is another. */
  end(): boolean {
    const ns = Number(process.hrtime.bigint() - this.#start);
    const now = performance.now();
    if (this.#isWarm) {
      this.#each.push(ns);
      return now - this.#since < this.#asked.measureMs;
    }
    if (now - this.#since >= this.#asked.warmMs) {
      this.#isWarm = true;
      this.#since = now;
      this.#cpu = process.cpuUsage();
    }
    return true;
  }

  /** Of the rounds that counted, an operation. */
  get line(): { value: number; cpu: number } {
    const { user, system } = process.cpuUsage(this.#cpu);
    const { n } = this.#asked;
    const each = this.#each.toSorted((a, b) => a - b);
    return { value: each[each.length >> 1] / n, cpu: 1000 * (user + system) / each.length / n };
  }
}

/** Milliseconds after their deadlines, as microseconds of half and of 99 in 100. Throws where one is early. */
export function lateness(late: Float64Array): [number, number] {
  late.sort();
  if (!(late[0] >= 0)) throw new Error(`a sleep ended ${-late[0]} ms early`);
  return [1000 * late[late.length >> 1], 1000 * late[Math.floor(late.length * 0.99)]];
}

/** How long the `i`-th sleep of `timer_fire` takes. */
export function fireMs(i: number): number {
  return 1 + i % 100;
}

/** How long the `i`-th sleep of `timer_cancel` would take. */
export function cancelMs(i: number): number {
  return 1000 + i % 60_000;
}

/** What `spawn_join`, `spawn_join_all` and the channels give. */
export function checkSum(sum: number, n: number): void {
  if (sum !== n * (n - 1) / 2) throw new Error(`the sum of 0 to ${n - 1} is not ${sum}`);
}

function collector(): () => void {
  if (hostName === "bun") return () => Bun.gc(true);
  v8.setFlagsFromString("--expose-gc");
  return vm.runInNewContext("gc");
}

/** What `n` idle tasks take. */
export class Memory {
  readonly #collect: () => void = collector();
  readonly #heap: number;
  readonly #resident: number;

  constructor() {
    this.#collect();
    this.#heap = process.memoryUsage().heapUsed;
    this.#resident = process.memoryUsage.rss();
  }

  /** A task's, of what has been taken since. */
  line(n: number): Line {
    const resident = process.memoryUsage.rss() - this.#resident;
    this.#collect();
    return { value: resident / n, heap: (process.memoryUsage().heapUsed - this.#heap) / n };
  }
}
