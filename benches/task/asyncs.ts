/**
 * The works with tasks that are async functions. Of `timer_cancel` there is none: a sleep is registered by a poll, and
 * only futures poll.
 *
 * @module
 */
import {
  mpsc,
  oneshot,
  type OneshotReceiver,
  type OneshotSender,
  type Sender,
} from "../../lib/task/channel.ts";
import { type JoinHandle, sleep, spawn, yieldNow } from "../../lib/task/mod.ts";
import { Countdown, measure, Never } from "./column.ts";
import { CAPACITY, checkSum, HOUR_MS, YIELDING_TASKS } from "./rounds.ts";

// deno-lint-ignore require-await -- an async function that waits for nothing is what is measured.
async function given(i: number): Promise<number> {
  return i;
}

async function spawnJoin(n: number): Promise<void> {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += await spawn(given, i);
  checkSum(sum, n);
}

async function spawnJoinAll(n: number): Promise<void> {
  const tasks: JoinHandle<number>[] = [];
  for (let i = 0; i < n; i++) tasks.push(spawn(given, i));
  let sum = 0;
  for (const task of tasks) sum += await task;
  checkSum(sum, n);
}

// deno-lint-ignore require-await -- the same.
async function finish(countdown: Countdown): Promise<void> {
  countdown.finish();
}

async function spawnMany(n: number): Promise<void> {
  const countdown = new Countdown(n);
  for (let i = 0; i < n; i++) spawn(finish, countdown);
  await countdown.zero;
}

async function yielding(times: number, countdown: Countdown): Promise<void> {
  for (let i = 0; i < times; i++) await yieldNow();
  countdown.finish();
}

async function yieldMany(n: number): Promise<void> {
  const countdown = new Countdown(YIELDING_TASKS);
  for (let i = 0; i < YIELDING_TASKS; i++) spawn(yielding, n / YIELDING_TASKS, countdown);
  await countdown.zero;
}

async function answer(pinged: OneshotReceiver<number>, pong: OneshotSender<number>): Promise<void> {
  pong.send(await pinged + 1);
}

async function ask(i: number, countdown: Countdown): Promise<void> {
  const [ping, pinged] = oneshot<number>();
  const [pong, ponged] = oneshot<number>();
  spawn(answer, pinged, pong);
  ping.send(i);
  if (await ponged !== i + 1) throw new Error(`a wrong answer to ${i}`);
  countdown.finish();
}

async function pingPong(n: number): Promise<void> {
  const countdown = new Countdown(n);
  for (let i = 0; i < n; i++) spawn(ask, i, countdown);
  await countdown.zero;
}

// deno-lint-ignore require-await -- the same.
async function link(left: number, end: OneshotSender<void>): Promise<void> {
  if (left === 0) end.send();
  else spawn(link, left - 1, end);
}

async function chainedSpawn(n: number): Promise<void> {
  const [end, ended] = oneshot<void>();
  spawn(link, n, end);
  await ended;
}

async function produce(tx: Sender<number>, first: number, n: number, step: number): Promise<void> {
  for (let i = first; i < n; i += step) await tx.send(i);
  tx.close();
}

async function messages(n: number, senders: number): Promise<void> {
  const [tx, rx] = mpsc<number>(CAPACITY);
  for (let first = 0; first < senders; first++) spawn(produce, tx.clone(), first, n, senders);
  tx.close();
  let sum = 0;
  let count = 0;
  for (let i = await rx.recv(); i !== undefined; i = await rx.recv()) {
    sum += i;
    count++;
  }
  checkSum(sum, count === n ? n : NaN);
}

async function sleeper(ms: number): Promise<number> {
  const deadline = performance.now() + ms;
  await sleep(ms);
  return performance.now() - deadline;
}

async function pending(): Promise<void> {
  await new Never();
}

async function asleep(): Promise<void> {
  await sleep(HOUR_MS);
}

await measure({
  timed: {
    spawn_join: spawnJoin,
    spawn_join_all: spawnJoinAll,
    spawn_many: spawnMany,
    yield_many: yieldMany,
    ping_pong: pingPong,
    chained_spawn: chainedSpawn,
    mpsc_1: (n) => messages(n, 1),
    mpsc_5: (n) => messages(n, 5),
  },
  sleeper,
  pending,
  asleep,
});
