/**
 * The works with tasks that are coroutines.
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
import { type Coroutine, type JoinHandle, sleep, spawn, yieldNow } from "../../lib/task/mod.ts";
import { Countdown, measure, Never } from "./column.ts";
import { Registrations } from "./registrations.ts";
import { CAPACITY, checkSum, HOUR_MS, YIELDING_TASKS } from "./rounds.ts";

// deno-lint-ignore require-yield -- a coroutine that waits for nothing is what is measured.
function* given(i: number): Coroutine<number> {
  return i;
}

function* spawnJoin(n: number): Coroutine<void> {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += yield* spawn(given, i);
  checkSum(sum, n);
}

function* spawnJoinAll(n: number): Coroutine<void> {
  const tasks: JoinHandle<number>[] = [];
  for (let i = 0; i < n; i++) tasks.push(spawn(given, i));
  let sum = 0;
  for (const task of tasks) sum += yield* task;
  checkSum(sum, n);
}

// deno-lint-ignore require-yield -- the same.
function* finish(countdown: Countdown): Coroutine<void> {
  countdown.finish();
}

function* spawnMany(n: number): Coroutine<void> {
  const countdown = new Countdown(n);
  for (let i = 0; i < n; i++) spawn(finish, countdown);
  yield* countdown.zero;
}

function* yielding(times: number, countdown: Countdown): Coroutine<void> {
  for (let i = 0; i < times; i++) yield* yieldNow();
  countdown.finish();
}

function* yieldMany(n: number): Coroutine<void> {
  const countdown = new Countdown(YIELDING_TASKS);
  for (let i = 0; i < YIELDING_TASKS; i++) spawn(yielding, n / YIELDING_TASKS, countdown);
  yield* countdown.zero;
}

function* answer(pinged: OneshotReceiver<number>, pong: OneshotSender<number>): Coroutine<void> {
  pong.send((yield* pinged) + 1);
}

function* ask(i: number, countdown: Countdown): Coroutine<void> {
  const [ping, pinged] = oneshot<number>();
  const [pong, ponged] = oneshot<number>();
  spawn(answer, pinged, pong);
  ping.send(i);
  if ((yield* ponged) !== i + 1) throw new Error(`a wrong answer to ${i}`);
  countdown.finish();
}

function* pingPong(n: number): Coroutine<void> {
  const countdown = new Countdown(n);
  for (let i = 0; i < n; i++) spawn(ask, i, countdown);
  yield* countdown.zero;
}

// deno-lint-ignore require-yield -- the same.
function* link(left: number, end: OneshotSender<void>): Coroutine<void> {
  if (left === 0) end.send();
  else spawn(link, left - 1, end);
}

function* chainedSpawn(n: number): Coroutine<void> {
  const [end, ended] = oneshot<void>();
  spawn(link, n, end);
  yield* ended;
}

function* produce(tx: Sender<number>, first: number, n: number, step: number): Coroutine<void> {
  for (let i = first; i < n; i += step) yield* tx.send(i);
  tx.close();
}

/** Waits only where there is no room. */
function* produceTrying(tx: Sender<number>, first: number, n: number, step: number): Coroutine<void> {
  for (let i = first; i < n; i += step) if (!tx.trySend(i)) yield* tx.send(i);
  tx.close();
}

function* messages(n: number, senders: number, producer: typeof produce): Coroutine<void> {
  const [tx, rx] = mpsc<number>(CAPACITY);
  for (let first = 0; first < senders; first++) spawn(producer, tx.clone(), first, n, senders);
  tx.close();
  let sum = 0;
  let count = 0;
  for (;;) {
    const i = yield* rx.recv();
    if (i === undefined) break;
    sum += i;
    count++;
  }
  checkSum(sum, count === n ? n : NaN);
}

function* timerCancel(n: number): Coroutine<void> {
  yield* new Registrations(n);
}

function* sleeper(ms: number): Coroutine<number> {
  const deadline = performance.now() + ms;
  yield* sleep(ms);
  return performance.now() - deadline;
}

function* pending(): Coroutine<void> {
  yield* new Never();
}

function* asleep(): Coroutine<void> {
  yield* sleep(HOUR_MS);
}

await measure({
  timed: {
    spawn_join: spawnJoin,
    spawn_join_all: spawnJoinAll,
    spawn_many: spawnMany,
    yield_many: yieldMany,
    ping_pong: pingPong,
    chained_spawn: chainedSpawn,
    mpsc_1: (n) => messages(n, 1, produce),
    mpsc_5: (n) => messages(n, 5, produce),
    mpsc_1_trying: (n) => messages(n, 1, produceTrying),
    timer_cancel: timerCancel,
  },
  sleeper,
  pending,
  asleep,
});
