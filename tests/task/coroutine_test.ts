import { describe, it } from "node:test";
import { assertEquals, assertMatch, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  type Context,
  type Coroutine,
  Future,
  join,
  Pending,
  run,
  sleep,
  spawn,
} from "../../lib/task/mod.ts";
import { currentRuntime } from "../../lib/task/runtime/current.ts";

/** There after so many polls, each of which wakes its task for the next; tells what was done with it. */
class After<T> extends Future<T> {
  polls = 0;
  drops = 0;
  #left: number;
  #end: () => T;

  constructor(polls: number, end: () => T) {
    super();
    this.#left = polls;
    this.#end = end;
  }

  override poll(context: Context): T | Pending {
    this.polls++;
    if (this.#left-- === 0) return this.#end();
    context.waker.wake();
    return Pending;
  }

  override drop(): void {
    this.drops++;
  }
}

function after<T>(polls: number, value: T): After<T> {
  return new After(polls, () => value);
}

function failing(polls: number, message: string): After<never> {
  return new After(polls, () => {
    throw new Error(message);
  });
}

describe("a coroutine", () => {
  it("needs no return type to be spawned, run and joined", async () => {
    function* inferred(n: number) {
      yield* sleep(0);
      return n;
    }
    const sum: number = await run(function* () {
      const [a, b]: [number, number] = yield* join(inferred(1), spawn(inferred, 2));
      const c: number = yield* spawn(function* () {
        yield* sleep(0);
        return 3;
      });
      return a + b + c;
    });
    assertEquals(sum, 6);
  });

  it("waits for a future by yield*, and has its value", async () => {
    function* sum(): Coroutine<number> {
      const a: number = yield* after(0, 1);
      const b: string = yield* after(3, "20");
      return a + Number(b);
    }
    assertEquals(await run(() => sum()), 21);
  });

  it("waits for another coroutine by yield*", async () => {
    function* power(base: number, exponent: number): Coroutine<number> {
      if (exponent === 0) return yield* after(1, 1);
      return base * (yield* power(base, exponent - 1));
    }
    assertEquals(await run(() => power(3, 5)), 243);
  });

  it("may be nested a thousand deep, and wait a hundred thousand times", async () => {
    function* nested(depth: number): Coroutine<number> {
      return depth === 0 ? yield* after(3, 0) : 1 + (yield* nested(depth - 1));
    }
    assertEquals(await run(() => nested(1_000)), 1_000);
    function* long(): Coroutine<number> {
      let sum = 0;
      for (let i = 0; i < 100_000; i++) sum += yield* after(i & 1, 1);
      return sum;
    }
    assertEquals(await run(() => long()), 100_000);
  });

  it("polls each future until it is there, and not once more", async () => {
    const futures = [after(0, "a"), after(1, "b"), after(5, "c")];
    function* all(): Coroutine<string> {
      let text = "";
      for (const future of futures) text += yield* future;
      return text;
    }
    assertEquals(await run(() => all()), "abc");
    assertEquals(futures.map(({ polls, drops }) => [polls, drops]), [[1, 0], [2, 0], [6, 0]]);
  });

  it("does what the same async function does, step by step", async () => {
    type Step = [kind: "value" | "error" | "caught", polls: number];
    function* coroutine(steps: Step[], log: string[]): Coroutine<number> {
      for (const [i, [kind, polls]] of steps.entries()) {
        if (kind === "value") log.push(`${i}: ${yield* after(polls, i)}`);
        else if (kind === "error") yield* failing(polls, `error ${i}`);
        else {
          try {
            yield* failing(polls, `error ${i}`);
          } catch (error) {
            log.push(`${i}: ${error}`);
          } finally {
            log.push(`${i}: finally ${yield* after(polls, "ended")}`);
          }
        }
      }
      return steps.length;
    }
    async function native(steps: Step[], log: string[]): Promise<number> {
      for (const [i, [kind]] of steps.entries()) {
        if (kind === "value") log.push(`${i}: ${await i}`);
        else if (kind === "error") throw new Error(`error ${i}`);
        else {
          try {
            throw new Error(`error ${i}`);
          } catch (error) {
            log.push(`${i}: ${error}`);
          } finally {
            log.push(`${i}: finally ${await "ended"}`);
          }
        }
      }
      return steps.length;
    }
    const step: fc.Arbitrary<Step> = fc.tuple(
      fc.constantFrom("value", "error", "caught", "value"),
      fc.nat(2),
    );
    await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 8 }), async (steps) => {
      const [ours, theirs]: string[][] = [[], []];
      const outcome = await run(() => coroutine(steps, ours)).catch(String);
      assertStrictEquals(outcome, await native(steps, theirs).catch(String));
      assertEquals(ours, theirs);
    }));
  });

  it("has a future's error thrown where it waits", async () => {
    function* caught(): Coroutine<string> {
      try {
        yield* failing(2, "no");
        return "not reached";
      } catch (error) {
        return `caught ${error}`;
      }
    }
    assertEquals(await run(() => caught()), "caught Error: no");
    function* uncaught(): Coroutine<void> {
      yield* failing(0, "at once");
    }
    await assertRejects(() => run(() => uncaught()), Error, "at once");
  });

  it("cannot wait for what it yields itself, and is told so there", async () => {
    function* wrong(value: unknown): Generator<unknown, string, void> {
      try {
        yield value;
        return "not reached";
      } catch (error) {
        return `${error}`;
      }
    }
    for (const value of [5, undefined, Promise.resolve(1), sleep(1)]) {
      const outcome = await Reflect.apply(run, undefined, [() => wrong(value)]);
      assertEquals(outcome, "TypeError: cannot wait for what a coroutine yields: use yield*");
    }
  });

  it("waits only where a task drives it", () => {
    function* waits(): Coroutine<void> {
      yield* sleep(1);
    }
    assertThrows(
      () => waits().next(),
      Error,
      "cannot wait for a future here: the coroutine is driven by no task",
    );
  });
});

describe("aborting a coroutine", () => {
  it("runs its finally blocks at once, from the inside out", async () => {
    const log: string[] = [];
    function* inner(): Coroutine<void> {
      try {
        yield* sleep(1e9);
      } finally {
        log.push("inner");
      }
    }
    function* outer(): Coroutine<void> {
      try {
        try {
          yield* inner();
        } finally {
          log.push("middle");
        }
      } finally {
        log.push("outer");
      }
    }
    function* main(): Coroutine<void> {
      const handle = spawn(outer);
      yield* sleep(1);
      log.push("before");
      handle.abort();
      log.push("after");
      assertEquals(handle.isFinished, true);
    }
    await run(() => main());
    assertEquals(log, ["before", "inner", "middle", "outer", "after"]);
  });

  it("disposes what it is using", async () => {
    const log: string[] = [];
    function* holder(): Coroutine<void> {
      using _first = { [Symbol.dispose]: () => log.push("first") };
      using _second = { [Symbol.dispose]: () => log.push("second") };
      yield* sleep(1e9);
    }
    await run(function* (): Coroutine<void> {
      const handle = spawn(holder);
      yield* sleep(0);
      handle.abort();
    });
    assertEquals(log, ["second", "first"]);
  });

  it("drops what it waits for, once, and nothing else", async () => {
    const done = after(0, 1);
    const waited = new class extends After<number> {
      override poll(): Pending {
        this.polls++;
        return Pending;
      }
    }(1, () => 0);
    const never = after(0, 1);
    function* body(): Coroutine<void> {
      yield* done;
      yield* waited;
      yield* never;
    }
    await run(function* (): Coroutine<void> {
      const handle = spawn(body);
      yield* sleep(1);
      handle.abort();
      handle.abort();
      yield* sleep(1);
    });
    assertEquals([done.drops, waited.drops, never.drops], [0, 1, 0]);
    assertEquals([waited.polls, never.polls], [1, 0]);
  });

  it("does not begin what was never polled", async () => {
    const log: string[] = [];
    function* body(): Coroutine<void> {
      try {
        log.push("begun");
        yield* sleep(1);
      } finally {
        log.push("ended");
      }
    }
    await run(function* (): Coroutine<void> {
      const handle = spawn(body);
      handle.abort();
      yield* sleep(1);
      const outcome = yield* outcomeOf(handle);
      assertEquals(outcome, "AbortError: the task was aborted");
    });
    assertEquals(log, []);
  });

  it("does nothing once it has ended", async () => {
    function* body(): Coroutine<number> {
      return yield* after(1, 42);
    }
    await run(function* (): Coroutine<void> {
      const handle = spawn(body);
      assertEquals(yield* handle, 42);
      handle.abort();
      assertEquals(handle.isFinished, true);
    });
  });

  it("does not catch in the coroutine", async () => {
    const log: string[] = [];
    function* body(): Coroutine<void> {
      try {
        yield* sleep(1e9);
      } catch (error) {
        log.push(`caught ${error}`);
      }
      log.push("went on");
    }
    await run(function* (): Coroutine<void> {
      const handle = spawn(body);
      yield* sleep(0);
      handle.abort();
    });
    assertEquals(log, []);
  });

  it("leaves in the handle what a finally block throws", async () => {
    function* body(): Coroutine<void> {
      try {
        yield* sleep(1e9);
      } finally {
        // deno-lint-ignore no-unsafe-finally
        throw new Error("in finally");
      }
    }
    await run(function* (): Coroutine<void> {
      const handle = spawn(body);
      yield* sleep(0);
      handle.abort();
      assertEquals(yield* outcomeOf(handle), "Error: in finally");
    });
  });

  it("refuses a finally block that waits", async () => {
    function* body(): Coroutine<void> {
      try {
        yield* sleep(1e9);
      } finally {
        yield* sleep(1);
      }
    }
    await run(function* (): Coroutine<void> {
      const handles = [spawn(body), spawn(body)];
      yield* sleep(0);
      for (const handle of handles) {
        handle.abort();
        assertMatch(yield* outcomeOf(handle), /^WaitInFinallyError: cannot wait in a finally block/);
      }
    });
  });

  it("leaves a finally block that never gives up where it stands", async () => {
    let rounds = 0;
    function* body(): Coroutine<void> {
      for (;;) {
        try {
          yield* sleep(1e9);
        } finally {
          rounds++;
          // deno-lint-ignore no-unsafe-finally -- what is shown
          continue;
        }
      }
    }
    await run(function* (): Coroutine<void> {
      const handle = spawn(body);
      yield* sleep(0);
      handle.abort();
      assertMatch(yield* outcomeOf(handle), /^WaitInFinallyError/);
    });
    assertEquals(rounds, 2);
  });

  it("is not undone by a return in a finally block", async () => {
    function* body(): Coroutine<number> {
      try {
        yield* sleep(1e9);
      } finally {
        // deno-lint-ignore no-unsafe-finally -- what is shown
        return 5;
      }
    }
    await run(function* (): Coroutine<void> {
      const handle = spawn(body);
      yield* sleep(0);
      handle.abort("enough");
      assertEquals(yield* outcomeOf(handle), "enough");
    });
  });

  it("ends one that aborts itself where it would wait next", async () => {
    const log: string[] = [];
    function* body(): Coroutine<void> {
      try {
        yield* sleep(0);
        handle().abort("by myself");
        handle().abort("again");
        log.push("goes on");
        yield* sleep(0);
        log.push("not reached");
      } finally {
        log.push("finally");
      }
    }
    let own = (): { abort(reason: unknown): void } => {
      throw new Error("there is no handle yet");
    };
    function handle(): { abort(reason: unknown): void } {
      return own();
    }
    await run(function* (): Coroutine<void> {
      const { live } = currentRuntime().executor;
      const spawned = spawn(body);
      own = () => spawned;
      assertEquals(yield* outcomeOf(spawned), "by myself");
      assertEquals(currentRuntime().executor.live, live);
    });
    assertEquals(log, ["goes on", "finally"]);
  });

  it("keeps the value of one that aborts itself and then returns", async () => {
    let abort = (): void => {};
    function* body(): Coroutine<number> {
      yield* sleep(0);
      abort();
      return 7;
    }
    await run(function* (): Coroutine<void> {
      const handle = spawn(body);
      abort = () => handle.abort();
      assertEquals(yield* handle, 7);
    });
  });

  it("may be done by another in its finally block", async () => {
    const log: string[] = [];
    let second = (): void => {};
    function* body(name: string, then: () => void): Coroutine<void> {
      try {
        yield* sleep(1e9);
      } finally {
        log.push(name);
        then();
      }
    }
    await run(function* (): Coroutine<void> {
      const b = spawn(body, "b", () => a.abort());
      const a = spawn(body, "a", () => second());
      second = () => b.abort();
      yield* sleep(0);
      a.abort();
      assertEquals([a.isFinished, b.isFinished], [true, true]);
    });
    assertEquals(log, ["a", "b"]);
  });
});

/** What a task came to, as text. */
function* outcomeOf(task: Future<unknown>): Coroutine<string> {
  try {
    return `value ${yield* task}`;
  } catch (error) {
    return `${error}`;
  }
}
