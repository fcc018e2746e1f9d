/**
 * Claim: a task that gives way every 100 µs costs hardly more than one that never does, and other tasks wait for it
 * little longer than that; what they wait for is the sum of the slices of all tasks that are busy.
 *
 * Busy tasks compute in slices, and give way between two. A probe sleeps until a time at random and looks how late it
 * is polled: so late would be the answer to a request. The machine's own disturbances are in the last percentiles, and
 * the first row, with nobody busy, shows how late a sleep is by itself.
 *
 * @module
 */
import { type Coroutine, now, run as runTasks, sleepUntil, spawn, yieldNow } from "../lib/task/mod.ts";

const SLICES_US = [10, 30, 100, 300, 1000, 3000, 10_000];

/** How late the probe was, sorted, in ms, and which share of the time the busy tasks computed. */
interface Sample {
  late: number[];
  share: number;
}

let isOver = false;
let computed = 0;

function* computes(sliceMs: number): Coroutine<void> {
  while (!isOver) {
    const start = performance.now();
    let end = start;
    while (end - start < sliceMs) end = performance.now();
    computed += end - start;
    yield* yieldNow();
  }
}

function* probes(ms: number): Coroutine<number[]> {
  const late: number[] = [];
  for (const end = now() + ms; now() < end;) {
    const due = now() + Math.random() * 3;
    yield* sleepUntil(due);
    late.push(now() - due);
  }
  isOver = true;
  return late.sort((a, b) => a - b);
}

function* measures(busy: number, sliceMs: number, ms: number): Coroutine<Sample> {
  isOver = false;
  computed = 0;
  const start = performance.now();
  const tasks = Array.from({ length: busy }, () => spawn(computes, sliceMs));
  const late = yield* spawn(probes, ms);
  const share = computed / (performance.now() - start);
  for (const task of tasks) yield* task;
  if (late.length === 0 || late[0] < 0) {
    throw new Error(`the earliest of ${late.length} probes was ${late[0]}`);
  }
  return { late, share };
}

function at(late: readonly number[], quantile: number): string {
  return `${Math.round(1000 * late[Math.floor(quantile * (late.length - 1))])} µs`.padStart(10);
}

function line(slice: string, { late, share }: Sample, many: Sample): void {
  const percent = `${(100 * share).toFixed()} %`.padStart(9);
  console.log(
    `  ${slice.padStart(9)}${percent}${at(late, 0.5)}${at(late, 0.99)}${at(many.late, 0.5)}${
      at(many.late, 0.99)
    }`,
  );
}

/** Prints how late other tasks are, by the length of the slices of one busy task, and of four. */
export async function run({ quick }: { quick: boolean }): Promise<void> {
  const ms = quick ? 60 : 2000;
  await runTasks(function* (): Coroutine<void> {
    yield* measures(4, 0.1, ms);
    console.log("\nHow late other tasks are, by the slices of one busy task, and of four");
    console.log("      slice computing  one: p50       p99 four: p50       p99");
    const idle = yield* measures(0, 0, ms);
    line("none", idle, idle);
    for (const us of quick ? [100, 1000] : SLICES_US) {
      const one = yield* measures(1, us / 1000, ms);
      line(`${us} µs`, one, yield* measures(4, us / 1000, ms));
    }
  }, { slowPoll: false });
}
