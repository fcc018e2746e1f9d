/**
 * The works on bare promises. A task is a call of an async function; unlike a spawned task it runs at once, up to its
 * first `await`, so that where a work is about scheduling, the body starts with `await null`.
 *
 * @module
 */
import {
  type Asked,
  cancelMs,
  CAPACITY,
  checkSum,
  fireMs,
  HOUR_MS,
  lateness,
  type Line,
  Memory,
  perform,
  Rounds,
  SETTLING_MS,
  YIELDING_TASKS,
} from "./rounds.ts";

/** A bounded queue with one receiver, of which `undefined` says that all senders have closed. */
class Channel {
  readonly #ring: number[] = new Array(CAPACITY).fill(0);
  #first = 0;
  #length = 0;
  #open: number;
  readonly #senders: (() => void)[] = [];
  #receiver: (() => void) | null = null;

  constructor(senders: number) {
    this.#open = senders;
  }

  async send(value: number): Promise<void> {
    while (this.#length === CAPACITY) await new Promise<void>((resolve) => this.#senders.push(resolve));
    this.#ring[(this.#first + this.#length) % CAPACITY] = value;
    this.#length++;
    this.#wakeReceiver();
  }

  close(): void {
    if (--this.#open === 0) this.#wakeReceiver();
  }

  async recv(): Promise<number | undefined> {
    while (this.#length === 0) {
      if (this.#open === 0) return undefined;
      await new Promise<void>((resolve) => this.#receiver = resolve);
    }
    const value = this.#ring[this.#first];
    this.#first = (this.#first + 1) % CAPACITY;
    this.#length--;
    this.#senders.shift()?.();
    return value;
  }

  #wakeReceiver(): void {
    const receiver = this.#receiver;
    this.#receiver = null;
    receiver?.();
  }
}

/** Tasks that have not finished; the last resolves `zero`. */
class Countdown {
  #left: number;
  readonly #zero: PromiseWithResolvers<void> = Promise.withResolvers();

  constructor(n: number) {
    this.#left = n;
  }

  get zero(): Promise<void> {
    return this.#zero.promise;
  }

  finish(): void {
    if (--this.#left === 0) this.#zero.resolve();
  }
}

// deno-lint-ignore require-await -- an async function that waits for nothing is what is measured.
async function atOnce(i: number): Promise<number> {
  return i;
}

async function deferred(i: number): Promise<number> {
  await null;
  return i;
}

async function spawnJoin(n: number): Promise<void> {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += await atOnce(i);
  checkSum(sum, n);
}

async function spawnJoinDeferred(n: number): Promise<void> {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += await deferred(i);
  checkSum(sum, n);
}

async function spawnJoinAll(n: number): Promise<void> {
  const tasks: Promise<number>[] = [];
  for (let i = 0; i < n; i++) tasks.push(deferred(i));
  let sum = 0;
  for (const task of tasks) sum += await task;
  checkSum(sum, n);
}

async function finish(countdown: Countdown): Promise<void> {
  await null;
  countdown.finish();
}

async function spawnMany(n: number): Promise<void> {
  const countdown = new Countdown(n);
  for (let i = 0; i < n; i++) finish(countdown);
  await countdown.zero;
}

async function yielding(times: number, countdown: Countdown): Promise<void> {
  for (let i = 0; i < times; i++) await null;
  countdown.finish();
}

async function yieldMany(n: number): Promise<void> {
  const countdown = new Countdown(YIELDING_TASKS);
  for (let i = 0; i < YIELDING_TASKS; i++) yielding(n / YIELDING_TASKS, countdown);
  await countdown.zero;
}

async function answer(pinged: Promise<number>, pong: (value: number) => void): Promise<void> {
  await null;
  pong(await pinged + 1);
}

async function ask(i: number, countdown: Countdown): Promise<void> {
  await null;
  const ping = Promise.withResolvers<number>();
  const pong = Promise.withResolvers<number>();
  answer(ping.promise, pong.resolve);
  ping.resolve(i);
  if (await pong.promise !== i + 1) throw new Error(`a wrong answer to ${i}`);
  countdown.finish();
}

async function pingPong(n: number): Promise<void> {
  const countdown = new Countdown(n);
  for (let i = 0; i < n; i++) ask(i, countdown);
  await countdown.zero;
}

async function link(left: number, end: () => void): Promise<void> {
  await null;
  if (left === 0) end();
  else link(left - 1, end);
}

async function chainedSpawn(n: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  link(n, resolve);
  await promise;
}

async function produce(channel: Channel, first: number, n: number, step: number): Promise<void> {
  await null;
  for (let i = first; i < n; i += step) await channel.send(i);
  channel.close();
}

async function messages(n: number, senders: number): Promise<void> {
  const channel = new Channel(senders);
  for (let first = 0; first < senders; first++) produce(channel, first, n, senders);
  let sum = 0;
  let count = 0;
  for (let i = await channel.recv(); i !== undefined; i = await channel.recv()) {
    sum += i;
    count++;
  }
  checkSum(sum, count === n ? n : NaN);
}

function timerCancel(n: number): void {
  const timers: ReturnType<typeof setTimeout>[] = [];
  for (let i = 0; i < n; i++) timers.push(setTimeout(() => {}, cancelMs(i)));
  for (const timer of timers) clearTimeout(timer);
}

async function sleeper(ms: number): Promise<number> {
  const deadline = performance.now() + ms;
  await new Promise((resolve) => setTimeout(resolve, ms));
  return performance.now() - deadline;
}

async function timerFire(asked: Asked): Promise<Line> {
  const rounds = new Rounds(asked);
  let late: [number, number];
  do {
    rounds.begin();
    const each = await Promise.all(Array.from({ length: asked.n }, (_, i) => sleeper(fireMs(i))));
    // A host's timer may end a fraction of a millisecond early.
    late = lateness(Float64Array.from(each, (ms) => Math.max(0, ms)));
  } while (rounds.end());
  return { value: rounds.line.cpu, late };
}

const never = new Promise<void>(() => {});

async function pending(): Promise<void> {
  await never;
}

async function asleep(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, HOUR_MS));
}

async function memory(n: number, idle: () => Promise<void>): Promise<Line> {
  const memory = new Memory();
  const tasks: Promise<void>[] = [];
  for (let i = 0; i < n; i++) tasks.push(idle());
  await new Promise((resolve) => setTimeout(resolve, SETTLING_MS));
  return memory.line(tasks.length);
}

const bodies: Readonly<Record<string, (n: number) => Promise<void> | void>> = {
  spawn_join: spawnJoin,
  spawn_join_deferred: spawnJoinDeferred,
  spawn_join_all: spawnJoinAll,
  spawn_many: spawnMany,
  yield_many: yieldMany,
  ping_pong: pingPong,
  chained_spawn: chainedSpawn,
  mpsc_1: (n) => messages(n, 1),
  mpsc_5: (n) => messages(n, 5),
  timer_cancel: timerCancel,
};

async function timed(asked: Asked, body: (n: number) => Promise<void> | void): Promise<Line> {
  const rounds = new Rounds(asked);
  do {
    rounds.begin();
    await body(asked.n);
  } while (rounds.end());
  return rounds.line;
}

await perform((name, asked) => {
  switch (name) {
    case "timer_fire":
      return timerFire(asked);
    case "memory_pending":
      return memory(asked.n, pending);
    case "memory_sleep":
      return memory(asked.n, asleep);
    default:
      return timed(asked, bodies[name]);
  }
});
