/**
 * Does the works on our runtime, with tasks of one kind: `coroutines.ts`, `futures.ts` and `asyncs.ts` say which.
 *
 * @module
 */
import { oneshot, type OneshotSender } from "../../lib/task/channel.ts";
import { type Coroutine, Future, Pending, run, sleep, spawn } from "../../lib/task/mod.ts";
import { type Asked, fireMs, lateness, type Line, Memory, perform, Rounds, SETTLING_MS } from "./rounds.ts";

/** A task's body. */
export type Body<A extends unknown[], T> = (...args: A) => Coroutine<T> | Future<T> | Promise<T>;

/** The bodies of one kind of task. */
export interface Column {
  /** Those of the works that are timed, given the count of operations. */
  readonly timed: Readonly<Record<string, Body<[n: number], void>>>;
  /** Sleeps and gives how late it was. */
  readonly sleeper: Body<[ms: number], number>;
  /** Waits for what never comes. */
  readonly pending: Body<[], void>;
  /** Sleeps for an hour. */
  readonly asleep: Body<[], void>;
}

/** Waits for ever, and takes nothing for it. */
export class Never extends Future<void> {
  override poll(): Pending {
    return Pending;
  }
}

/** Tasks that have not finished; the last sends. */
export class Countdown {
  readonly zero: Future<void>;
  readonly #end: OneshotSender<void>;
  #left: number;

  constructor(n: number) {
    [this.#end, this.zero] = oneshot();
    this.#left = n;
  }

  finish(): void {
    if (--this.#left === 0) this.#end.send();
  }
}

function* timed(asked: Asked, body: Body<[n: number], void>): Coroutine<Line> {
  const rounds = new Rounds(asked);
  do {
    rounds.begin();
    yield* spawn(body, asked.n);
  } while (rounds.end());
  return rounds.line;
}

function* fire(asked: Asked, sleeper: Body<[ms: number], number>): Coroutine<Line> {
  const rounds = new Rounds(asked);
  const each = new Float64Array(asked.n);
  let late: [number, number];
  do {
    rounds.begin();
    const tasks = Array.from(each, (_, i) => spawn(sleeper, fireMs(i)));
    for (let i = 0; i < tasks.length; i++) each[i] = yield* tasks[i];
    late = lateness(each);
  } while (rounds.end());
  return { value: rounds.line.cpu, late };
}

function* memory(n: number, idle: Body<[], void>): Coroutine<Line> {
  const memory = new Memory();
  // Their handles are dropped, as tokio's are.
  for (let i = 0; i < n; i++) spawn(idle);
  yield* sleep(SETTLING_MS);
  return memory.line(n);
}

/** Does the works that the command line names. */
export function measure({ timed: bodies, sleeper, pending, asleep }: Column): Promise<void> {
  return perform((name, asked) => {
    switch (name) {
      case "timer_fire":
        return run(() => fire(asked, sleeper));
      case "memory_pending":
        return run(() => memory(asked.n, pending));
      case "memory_sleep":
        return run(() => memory(asked.n, asleep));
      default:
        return run(() => timed(asked, bodies[name]));
    }
  });
}
