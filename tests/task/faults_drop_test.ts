import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { NativeBuffer } from "../../lib/io/mod.ts";
import {
  type Context,
  type Coroutine,
  Future,
  Pending,
  run,
  scope,
  spawn,
  yieldNow,
} from "../../lib/task/mod.ts";
import { currentRuntime } from "../../lib/task/runtime/current.ts";
import { pair } from "../io/pair.ts";
import { channels, everything, locks, newWorld, sets, sleeps, socket, tree, type World } from "./programs.ts";

/** Polls its future so often, then drops it. */
class Cut extends Future<boolean> {
  #future: Future<void>;
  #left: number;

  constructor(future: Future<void>, polls: number) {
    super();
    this.#future = future;
    this.#left = polls;
  }

  override poll(context: Context): boolean | Pending {
    if (this.#left-- === 0) {
      this.#future.drop();
      return false;
    }
    return this.#future.poll(context) === Pending ? Pending : true;
  }

  override drop(): void {
    this.#future.drop();
  }
}

/** Cuts the program after each number of polls that it takes. Returns that number. */
async function cutEverywhere(
  program: (world: World) => Coroutine<void>,
  abort: boolean,
  poller: "epoll" | "poll",
): Promise<number> {
  using ends = pair();
  const world = newWorld(ends);
  function* main(): Coroutine<number> {
    const { executor, reactor, timers } = currentRuntime();
    // Turns are quick and sleeps take their time: after some hundred each, ever more.
    for (let polls = 0;; polls = polls < 300 ? polls + 1 : Math.ceil(polls * 1.5)) {
      const handle = spawn(() => new Cut(scope(() => program(world)), abort ? Infinity : polls));
      if (abort) {
        for (let i = 0; i < polls && !handle.isFinished; i++) yield* yieldNow();
        handle.abort();
      }
      const outcome = yield* handle.settled();
      // Who was dropped in a scope's end has ended by now, and who was woken has nothing to do.
      yield* yieldNow();
      const found = {
        polls,
        live: executor.live,
        registrations: reactor.registrations,
        next: timers.next,
        permits: world.permits.availablePermits,
        isLocked: world.lock.isLocked,
        isSet: world.local.isSet,
        left: world.begun - world.ended,
      };
      assertEquals(found, {
        polls,
        live: 1,
        registrations: 0,
        next: Infinity,
        permits: 3,
        isLocked: false,
        isSet: false,
        left: 0,
      });
      if (outcome.status === "fulfilled" && outcome.value) return polls;
      while (ends.client.read(new NativeBuffer(64)) > 0);
      if (polls > 100_000_000) throw new Error("the program does not come to its end");
    }
  }
  return await run(main, { poller });
}

describe("a program that is dropped after its nth poll, for every n", () => {
  for (
    const program of [
      sleeps,
      socket,
      locks,
      channels,
      (world: World) => tree(world, 2),
      sets,
      everything,
    ]
  ) {
    const name = program.name || "a tree of scopes";
    it(`leaves nothing behind: ${name}`, async () => {
      assert(await cutEverywhere(program, false, "epoll") > 0);
      assert(await cutEverywhere(program, true, "epoll") > 0);
    });
  }

  it("leaves nothing behind on poll(2)", async () => {
    for (const program of [socket, everything]) assert(await cutEverywhere(program, false, "poll") > 1);
  });
});
