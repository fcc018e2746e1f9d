import { describe, it } from "node:test";
import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { BUDGET, coop } from "../../../lib/task/runtime/coop.ts";
import { type Coroutine, Pending, run, spawn, yieldNow } from "../../../lib/task/mod.ts";
import { type Notified, Notify } from "../../../lib/task/sync.ts";
import type { Probe } from "../probe.ts";
import { Calling, ready, waiting } from "./by_hand.ts";

/** So many waits of one that are polled once. */
function waits(notify: Notify, count: number): { futures: Notified[]; probes: Probe[] } {
  const futures = Array.from({ length: count }, () => notify.notified());
  return { futures, probes: futures.map((future) => waiting(future)) };
}

function wakesOf(probes: readonly Probe[]): number[] {
  return probes.map(({ wakes }) => wakes);
}

describe("a notification", () => {
  it("that nobody waits for is there for the next who comes, once", () => {
    const notify = new Notify();
    notify.notifyOne();
    notify.notifyOne();
    ready(notify.notified());
    waiting(notify.notified());
  });

  it("of notifyLast is stored too", () => {
    const notify = new Notify();
    notify.notifyLast();
    ready(notify.notified());
    waiting(notify.notified());
  });

  it("wakes who waits", () => {
    const notify = new Notify();
    const { futures: [future], probes: [probe] } = waits(notify, 1);
    notify.notifyOne();
    assertEquals(probe.wakes, 1);
    assertStrictEquals(ready(future), undefined);
    assertThrows(() => ready(future), Error, "cannot wait for notified() again");
  });

  it("wakes who waits first, and nobody else", () => {
    const notify = new Notify();
    const { futures, probes } = waits(notify, 2);
    notify.notifyOne();
    assertEquals(wakesOf(probes), [1, 0]);
    ready(futures[0]);
    waiting(futures[1]);
  });

  it("of notifyLast wakes who waits last", () => {
    const notify = new Notify();
    const { futures, probes } = waits(notify, 2);
    notify.notifyLast();
    assertEquals(wakesOf(probes), [0, 1]);
    waiting(futures[0]);
    ready(futures[1]);
  });

  it("goes to the next where the one before took the stored one", () => {
    const notify = new Notify();
    notify.notifyOne();
    const [first, second] = [notify.notified(), notify.notified()];
    ready(first);
    const probe = waiting(second);
    notify.notifyOne();
    assertEquals(probe.wakes, 1);
    ready(second);
  });

  it("is not given to a wait that was dropped", () => {
    const notify = new Notify();
    const { futures: [first, second], probes } = waits(notify, 2);
    first.drop();
    first.drop();
    notify.notifyOne();
    assertEquals(wakesOf(probes), [0, 1]);
    ready(second);
    assertThrows(() => ready(first), Error, "again");
  });

  it("is passed on by a wait that is dropped before it was polled", () => {
    const notify = new Notify();
    const { futures, probes } = waits(notify, 3);
    notify.notifyOne();
    futures[0].drop();
    assertEquals(wakesOf(probes), [1, 1, 0]);
    ready(futures[1]);
    waiting(futures[2]);
  });

  it("of notifyLast is passed on to who waits last", () => {
    const notify = new Notify();
    const { futures, probes } = waits(notify, 3);
    notify.notifyLast();
    futures[2].drop();
    assertEquals(wakesOf(probes), [0, 1, 1]);
    ready(futures[1]);
    waiting(futures[0]);
  });

  it("is stored where who passes it on was the last to wait", () => {
    const notify = new Notify();
    const { futures: [future] } = waits(notify, 1);
    notify.notifyOne();
    future.drop();
    future.drop();
    ready(notify.notified());
    waiting(notify.notified());
  });

  it("is not passed on by a wait that took it", () => {
    const notify = new Notify();
    notify.notifyOne();
    const future = notify.notified();
    ready(future);
    future.drop();
    waiting(notify.notified());
  });

  it("finds the waker of the newest poll", () => {
    const notify = new Notify();
    const future = notify.notified();
    const [first, second] = [waiting(future), waiting(future)];
    notify.notifyOne();
    assertEquals(wakesOf([first, second]), [0, 1]);
  });

  it("is lost neither where the budget is spent nor where the wait is dropped then", () => {
    const notify = new Notify();
    const { futures: [future], probes: [probe] } = waits(notify, 1);
    notify.notifyOne();
    coop.left = 0;
    assertStrictEquals(probe.poll(future), Pending);
    assertEquals(probe.wakes, 2);
    future.drop();
    ready(notify.notified());
    coop.left = BUDGET;
  });

  it("reaches tasks in the order in which they wait", async () => {
    const notify = new Notify();
    const order: number[] = [];
    function* body(index: number): Coroutine<void> {
      yield* notify.notified();
      order.push(index);
    }
    await run(async () => {
      const tasks = [0, 1, 2].map((index) => spawn(body, index));
      await yieldNow();
      for (let i = 0; i < 3; i++) notify.notifyOne();
      for (const task of tasks) await task;
    });
    assertEquals(order, [0, 1, 2]);
  });
});

describe("notifyWaiters", () => {
  it("ends every wait, and nothing is stored", () => {
    const notify = new Notify();
    const { futures, probes } = waits(notify, 2);
    notify.notifyWaiters();
    assertEquals(wakesOf(probes), [1, 1]);
    for (const future of futures) ready(future);
    waiting(notify.notified());
  });

  it("ends a wait that was made before, though it was not polled", () => {
    const notify = new Notify();
    const future = notify.notified();
    notify.notifyWaiters();
    ready(future);
    waiting(notify.notified());
  });

  it("leaves the stored notification to who comes later", () => {
    const notify = new Notify();
    const future = notify.notified();
    notify.notifyWaiters();
    notify.notifyOne();
    ready(future);
    ready(notify.notified());
    waiting(notify.notified());
  });

  it("is not passed on by a wait that is dropped", () => {
    const notify = new Notify();
    const { futures: [future] } = waits(notify, 1);
    notify.notifyWaiters();
    future.drop();
    waiting(notify.notified());
  });

  it("and a drop leave alone what notifyOne has stored since", () => {
    const notify = new Notify();
    const { futures: [future] } = waits(notify, 1);
    notify.notifyWaiters();
    notify.notifyOne();
    future.drop();
    ready(notify.notified());
  });

  it("may be called by what it wakes", () => {
    const notify = new Notify();
    const future = notify.notified();
    const later: Notified[] = [];
    const probe = waiting(
      future,
      new Calling(() => {
        const next = notify.notified();
        later.push(next);
        waiting(next);
        notify.notifyWaiters();
      }),
    );
    notify.notifyWaiters();
    assertEquals([probe.wakes, later.length], [1, 1]);
    ready(future);
    ready(later[0]);
  });

  it("ends all waits though what it wakes drops them and begins others", () => {
    const notify = new Notify();
    const futures = Array.from({ length: 4 }, () => notify.notified());
    const begun: Notified[] = [];
    waiting(
      futures[0],
      new Calling(() => {
        futures[1].drop();
        ready(futures[3]);
        begun.push(notify.notified());
        waiting(begun[0]);
      }),
    );
    const probes = futures.slice(1).map((future) => waiting(future));
    notify.notifyWaiters();
    assertEquals(wakesOf(probes), [0, 1, 1]);
    ready(futures[0]);
    ready(futures[2]);
    waiting(begun[0]);
  });

  it("ends all waits though a waker throws", () => {
    const notify = new Notify();
    const bad = notify.notified();
    waiting(
      bad,
      new Calling(() => {
        throw new Error("a waker threw");
      }),
    );
    const { futures, probes } = waits(notify, 32);
    assertThrows(() => notify.notifyWaiters(), Error, "a waker threw");
    assertEquals(wakesOf(probes), Array(32).fill(1));
    for (const future of [bad, ...futures]) ready(future);
  });

  it("wakes ten thousand, and no stack ends", () => {
    const notify = new Notify();
    const { probes } = waits(notify, 10_000);
    notify.notifyWaiters();
    assertEquals(probes.filter(({ wakes }) => wakes === 1).length, 10_000);
  });
});

describe("a wait that is enabled", () => {
  it("gets the notification of notifyOne though it was not polled", () => {
    const notify = new Notify();
    const [future, other] = [notify.notified(), notify.notified()];
    assertEquals(future.enable(), false);
    notify.notifyOne();
    waiting(other);
    assertEquals(future.enable(), true);
    ready(future);
    assertEquals(future.enable(), true);
  });

  it("that was not is none of those who wait: the notification is stored", () => {
    const notify = new Notify();
    const future = notify.notified();
    notify.notifyOne();
    ready(future);
  });

  it("waits on when it is polled", () => {
    const notify = new Notify();
    const future = notify.notified();
    assertEquals([future.enable(), future.enable()], [false, false]);
    const probe = waiting(future);
    notify.notifyOne();
    assertEquals(probe.wakes, 1);
  });

  it("after a poll is as it was", () => {
    const notify = new Notify();
    const future = notify.notified();
    waiting(future);
    assertEquals(future.enable(), false);
  });

  it("takes the stored notification", () => {
    const notify = new Notify();
    notify.notifyOne();
    assertEquals([notify.notified().enable(), notify.notified().enable()], [true, false]);
  });

  it("passes what it took on where it is dropped", () => {
    const notify = new Notify();
    notify.notifyOne();
    const future = notify.notified();
    future.enable();
    future.drop();
    ready(notify.notified());
  });
});

describe("notifications, by random steps", () => {
  it("are neither lost nor made", () => {
    const step = fc.record({
      kind: fc.constantFrom("wait", "enable", "poll", "drop", "one", "last", "all"),
      n: fc.nat(7),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const notify = new Notify();
        // What was stored, and for each wait: whether it is made, queued, or notified, and how.
        let stored = false;
        type Wait = { future: Notified; state: "made" | "queued" | "one" | "last" | "all" };
        let open: Wait[] = [];
        let queue: Wait[] = [];
        function give(how: "one" | "last"): void {
          const waiter = how === "one" ? queue.shift() : queue.pop();
          if (waiter === undefined) stored = true;
          else waiter.state = how;
        }
        function begin(wait: Wait): void {
          if (wait.state !== "made") return;
          if (stored) {
            stored = false;
            wait.state = "one";
          } else {
            wait.state = "queued";
            queue.push(wait);
          }
        }
        for (const { kind, n } of steps) {
          const wait: Wait | undefined = open[n % open.length];
          switch (kind) {
            case "wait":
              open.push({ future: notify.notified(), state: "made" });
              break;
            case "enable":
              if (wait === undefined) break;
              begin(wait);
              assertEquals(wait.future.enable(), wait.state !== "queued");
              break;
            case "poll":
              if (wait === undefined) break;
              begin(wait);
              if (wait.state === "queued") waiting(wait.future);
              else {
                ready(wait.future);
                open = open.filter((each) => each !== wait);
              }
              break;
            case "drop":
              if (wait === undefined) break;
              wait.future.drop();
              open = open.filter((each) => each !== wait);
              queue = queue.filter((each) => each !== wait);
              if (wait.state === "one" || wait.state === "last") give(wait.state);
              break;
            case "one":
              notify.notifyOne();
              give("one");
              break;
            case "last":
              notify.notifyLast();
              give("last");
              break;
            case "all":
              notify.notifyWaiters();
              for (const each of open) {
                if (each.state === "made" || each.state === "queued") each.state = "all";
              }
              queue = [];
          }
        }
        for (const each of open) {
          begin(each);
          if (each.state === "queued") waiting(each.future);
          else ready(each.future);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("reach another task where the first that waits is aborted, before or after, and nobody where it was polled", async () => {
    for (const when of ["before", "after", "polled"]) {
      const notify = new Notify();
      const told: number[] = [];
      const body = function* (index: number): Coroutine<void> {
        yield* notify.notified();
        told.push(index);
      };
      await run(async () => {
        const [first, second] = [spawn(body, 0), spawn(body, 1)];
        await yieldNow();
        if (when === "before") first.abort();
        notify.notifyOne();
        if (when === "polled") await first;
        first.abort();
        await yieldNow();
        assertEquals([first.isFinished, second.isFinished], [true, when !== "polled"]);
      });
      assertEquals(told, [when === "polled" ? 0 : 1]);
    }
  });
});
