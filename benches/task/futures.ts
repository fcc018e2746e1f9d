/**
 * The works with tasks that are hand-written futures: state machines that keep their place in fields.
 *
 * @module
 */
import { oneshot, type OneshotReceiver, type OneshotSender } from "../../lib/task/channel.ts";
import {
  type Context,
  Future,
  type JoinHandle,
  Pending,
  sleep,
  spawn,
  yieldNow,
} from "../../lib/task/mod.ts";
import { Countdown, measure, Never } from "./column.ts";
import { Messages } from "./messages.ts";
import { Registrations } from "./registrations.ts";
import { checkSum, HOUR_MS, YIELDING_TASKS } from "./rounds.ts";

class Given extends Future<number> {
  readonly #i: number;

  constructor(i: number) {
    super();
    this.#i = i;
  }

  override poll(): number {
    return this.#i;
  }
}

function given(i: number): Given {
  return new Given(i);
}

class SpawnJoin extends Future<void> {
  readonly #n: number;
  #i = 0;
  #sum = 0;
  #task: JoinHandle<number> | null = null;

  constructor(n: number) {
    super();
    this.#n = n;
  }

  override poll(context: Context): void | Pending {
    for (; this.#i < this.#n; this.#i++) {
      this.#task ??= spawn(given, this.#i);
      const value = this.#task.poll(context);
      if (value === Pending) return Pending;
      this.#sum += value;
      this.#task = null;
    }
    checkSum(this.#sum, this.#n);
  }
}

class SpawnJoinAll extends Future<void> {
  readonly #n: number;
  readonly #tasks: JoinHandle<number>[] = [];
  #i = 0;
  #sum = 0;

  constructor(n: number) {
    super();
    this.#n = n;
  }

  override poll(context: Context): void | Pending {
    while (this.#tasks.length < this.#n) this.#tasks.push(spawn(given, this.#tasks.length));
    for (; this.#i < this.#n; this.#i++) {
      const value = this.#tasks[this.#i].poll(context);
      if (value === Pending) return Pending;
      this.#sum += value;
    }
    checkSum(this.#sum, this.#n);
  }
}

class Finish extends Future<void> {
  readonly #countdown: Countdown;

  constructor(countdown: Countdown) {
    super();
    this.#countdown = countdown;
  }

  override poll(): void {
    this.#countdown.finish();
  }
}

function finish(countdown: Countdown): Finish {
  return new Finish(countdown);
}

/** Starts something at its first poll, and waits for its countdown. */
abstract class Counted extends Future<void> {
  readonly #countdown: Countdown;
  #hasStarted = false;

  constructor(n: number) {
    super();
    this.#countdown = new Countdown(n);
  }

  abstract start(countdown: Countdown): void;

  override poll(context: Context): void | Pending {
    if (!this.#hasStarted) {
      this.#hasStarted = true;
      this.start(this.#countdown);
    }
    return this.#countdown.zero.poll(context);
  }
}

class SpawnMany extends Counted {
  readonly #n: number;

  constructor(n: number) {
    super(n);
    this.#n = n;
  }

  override start(countdown: Countdown): void {
    for (let i = 0; i < this.#n; i++) spawn(finish, countdown);
  }
}

class Yielding extends Future<void> {
  #left: number;
  readonly #countdown: Countdown;
  #turn: Future<void> | null = null;

  constructor(times: number, countdown: Countdown) {
    super();
    this.#left = times;
    this.#countdown = countdown;
  }

  override poll(context: Context): void | Pending {
    for (; this.#left > 0; this.#left--) {
      this.#turn ??= yieldNow();
      if (this.#turn.poll(context) === Pending) return Pending;
      this.#turn = null;
    }
    this.#countdown.finish();
  }
}

function yielding(times: number, countdown: Countdown): Yielding {
  return new Yielding(times, countdown);
}

class YieldMany extends Counted {
  readonly #n: number;

  constructor(n: number) {
    super(YIELDING_TASKS);
    this.#n = n;
  }

  override start(countdown: Countdown): void {
    for (let i = 0; i < YIELDING_TASKS; i++) spawn(yielding, this.#n / YIELDING_TASKS, countdown);
  }
}

class Answer extends Future<void> {
  readonly #pinged: OneshotReceiver<number>;
  readonly #pong: OneshotSender<number>;

  constructor(pinged: OneshotReceiver<number>, pong: OneshotSender<number>) {
    super();
    this.#pinged = pinged;
    this.#pong = pong;
  }

  override poll(context: Context): void | Pending {
    const value = this.#pinged.poll(context);
    if (value === Pending) return Pending;
    this.#pong.send(value + 1);
  }
}

function answer(pinged: OneshotReceiver<number>, pong: OneshotSender<number>): Answer {
  return new Answer(pinged, pong);
}

class Ask extends Future<void> {
  readonly #i: number;
  readonly #countdown: Countdown;
  #ponged: OneshotReceiver<number> | null = null;

  constructor(i: number, countdown: Countdown) {
    super();
    this.#i = i;
    this.#countdown = countdown;
  }

  #start(): OneshotReceiver<number> {
    const [ping, pinged] = oneshot<number>();
    const [pong, ponged] = oneshot<number>();
    spawn(answer, pinged, pong);
    ping.send(this.#i);
    return ponged;
  }

  override poll(context: Context): void | Pending {
    this.#ponged ??= this.#start();
    const value = this.#ponged.poll(context);
    if (value === Pending) return Pending;
    if (value !== this.#i + 1) throw new Error(`a wrong answer to ${this.#i}`);
    this.#countdown.finish();
  }
}

function ask(i: number, countdown: Countdown): Ask {
  return new Ask(i, countdown);
}

class PingPong extends Counted {
  readonly #n: number;

  constructor(n: number) {
    super(n);
    this.#n = n;
  }

  override start(countdown: Countdown): void {
    for (let i = 0; i < this.#n; i++) spawn(ask, i, countdown);
  }
}

class Link extends Future<void> {
  readonly #left: number;
  readonly #countdown: Countdown;

  constructor(left: number, countdown: Countdown) {
    super();
    this.#left = left;
    this.#countdown = countdown;
  }

  override poll(): void {
    if (this.#left === 0) this.#countdown.finish();
    else spawn(link, this.#left - 1, this.#countdown);
  }
}

function link(left: number, countdown: Countdown): Link {
  return new Link(left, countdown);
}

class ChainedSpawn extends Counted {
  readonly #n: number;

  constructor(n: number) {
    super(1);
    this.#n = n;
  }

  override start(countdown: Countdown): void {
    spawn(link, this.#n, countdown);
  }
}

class Sleeper extends Future<number> {
  readonly #ms: number;
  #deadline = 0;
  #sleep: Future<void> | null = null;

  constructor(ms: number) {
    super();
    this.#ms = ms;
  }

  override poll(context: Context): number | Pending {
    if (this.#sleep === null) {
      this.#deadline = performance.now() + this.#ms;
      this.#sleep = sleep(this.#ms);
    }
    return this.#sleep.poll(context) === Pending ? Pending : performance.now() - this.#deadline;
  }
}

await measure({
  timed: {
    spawn_join: (n) => new SpawnJoin(n),
    spawn_join_all: (n) => new SpawnJoinAll(n),
    spawn_many: (n) => new SpawnMany(n),
    yield_many: (n) => new YieldMany(n),
    ping_pong: (n) => new PingPong(n),
    chained_spawn: (n) => new ChainedSpawn(n),
    mpsc_1: (n) => new Messages(n, 1),
    mpsc_5: (n) => new Messages(n, 5),
    timer_cancel: (n) => new Registrations(n),
  },
  sleeper: (ms) => new Sleeper(ms),
  pending: () => new Never(),
  asleep: () => sleep(HOUR_MS),
});
