import { createServer } from "node:http";
import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  attach,
  type Context,
  type Coroutine,
  Future,
  interval,
  now,
  Pending,
  run,
  sleep,
  sleepUntil,
  spawn,
  timeout,
  yieldNow,
} from "../../../lib/task/mod.ts";
import { clock } from "../../../lib/task/testing.ts";
import { TcpListener, TcpStream } from "../../../lib/net/mod.ts";
import { Probe } from "../probe.ts";

const PAUSED = { clock: "paused" } as const;
const YEAR = 365 * 24 * 3_600_000;

describe("a paused clock", () => {
  it("stands at 0 from the start, however long it takes", async () => {
    await run(() => {
      for (let i = 0; i < 5; i++) {
        const start = performance.now();
        while (performance.now() - start < 1);
        assertEquals([now(), clock.isPaused], [0, true]);
      }
      return Promise.resolve();
    }, PAUSED);
  });

  it("moves to the nearest deadline where nothing else is to do", async () => {
    await run(async () => {
      for (const ms of [1, 10, 60, 5, 60, 0.25, 1.000001, 3_600_000]) {
        const start = now();
        await sleep(ms);
        assertEquals(now(), start + ms);
        await sleepUntil(start + 2 * ms);
        assertEquals(now(), start + 2 * ms);
      }
    }, PAUSED);
  });

  it("sleeps years at once", async () => {
    await run(async () => {
      let expected = 0;
      for (const ms of [YEAR, YEAR, 5 * YEAR, 10 * YEAR, 30 * YEAR + 1, Number.MAX_SAFE_INTEGER / 4]) {
        await sleep(ms);
        expected += ms;
        assertEquals(now(), expected);
      }
      await sleepUntil(Number.MAX_SAFE_INTEGER);
      assertEquals(now(), Number.MAX_SAFE_INTEGER);
    }, PAUSED);
  });

  it("does not wait for what never ends", async () => {
    await run(async () => {
      const probe = new Probe();
      const never = sleep(Infinity);
      assert(probe.isPending(never));
      await sleep(1);
      assertEquals([now(), probe.wakes], [1, 0]);
    }, PAUSED);
  });

  it("moves in coroutines, futures and async functions alike", async () => {
    const log: string[] = [];
    function* coroutine(): Coroutine<void> {
      for (let i = 0; i < 3; i++) {
        yield* sleep(20);
        log.push(`coroutine ${now()}`);
      }
    }
    async function asynchronous(): Promise<void> {
      for (let i = 0; i < 3; i++) {
        await sleep(15);
        for (let j = 0; j < 50; j++) await null;
        log.push(`async ${now()}`);
      }
    }
    await run(async () => {
      const handles = [spawn(coroutine), spawn(asynchronous)];
      await sleep(50);
      log.push(`main ${now()}`);
      for (const handle of handles) await handle;
    }, PAUSED);
    assertEquals(log, [
      "async 15",
      "coroutine 20",
      "async 30",
      "coroutine 40",
      "async 45",
      "main 50",
      "coroutine 60",
    ]);
  });

  it("tells the same times in each of two runs of 10,000 sleeps", async () => {
    async function times(): Promise<number[]> {
      const times: number[] = [];
      let seed = 1;
      await run(function* (): Coroutine<void> {
        for (let i = 0; i < 10_000; i++) {
          seed = Math.imul(seed, 1_664_525) + 1_013_904_223 | 0;
          yield* sleep((seed >>> 0) / 2 ** 32 * 1_000);
          times.push(now());
        }
      }, PAUSED);
      return times;
    }
    const [first, second] = [await times(), await times()];
    assertEquals(first, second);
    assert(first[9_999] > 1_000_000);
  });

  it("stands while a task gives way to others, and has something to do", async () => {
    await run(async () => {
      const handle = spawn(function* (): Coroutine<number> {
        for (let i = 0; i < 1_000; i++) yield* yieldNow();
        return now();
      });
      const slept = spawn(() => sleep(1));
      assertEquals(await handle, 0);
      await slept;
      assertEquals(now(), 1);
    }, PAUSED);
  });

  it("stands while a descriptor is ready: bytes that are there are read before a timeout", async () => {
    await run(async () => {
      const log: string[] = [];
      using listener = TcpListener.bind({ hostname: "127.0.0.1", port: 0 });
      using near = await TcpStream.connect(listener.address);
      using far = (await listener.accept()).stream;
      function* read(): Coroutine<void> {
        const buffer = new Uint8Array(8);
        for (let i = 0; i < 3; i++) log.push(`${yield* timeout(300, near.read(buffer))} bytes at ${now()}`);
      }
      const reading = spawn(read);
      for (let i = 1; i <= 3; i++) {
        await sleep(299);
        await far.writeAll(new Uint8Array(i));
      }
      await reading;
      assertEquals(log, ["1 bytes at 299", "2 bytes at 598", "3 bytes at 897"]);
    }, PAUSED);
  });

  it("moves on before what the host has under way, unless a task waits for it alone", async () => {
    const order: string[] = [];
    const server = createServer((_, response) => response.end("hello"));
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    const address = server.address();
    assert(address !== null && typeof address === "object");
    try {
      await run(async () => {
        const request = fetch(`http://127.0.0.1:${address.port}`).then((response) => response.text());
        await sleep(3_600_000);
        order.push(`slept till ${now()}`);
        order.push(`${await request} at ${now()}`);
      }, PAUSED);
    } finally {
      server.closeAllConnections();
      server.close();
    }
    assertEquals(order, ["slept till 3600000", "hello at 3600000"]);
  });

  it("is that of one runtime, and the next one's runs", async () => {
    await run(() => sleep(10_000), PAUSED);
    await run(async () => {
      const start = performance.now();
      const before = now();
      await sleep(1);
      assert(now() >= before + 1 && performance.now() - start >= 1 && !clock.isPaused);
    });
  });
});

describe("clock.pause", () => {
  it("stops a clock that runs, in main and in a task, and resume lets it go on", async () => {
    await run(async () => {
      const before = now();
      clock.pause();
      const paused = now();
      assert(paused >= before);
      await sleep(10_000);
      assertEquals(now(), paused + 10_000);
      clock.resume();
      assert(!clock.isPaused && now() >= paused + 10_000);
      await spawn(function* (): Coroutine<void> {
        clock.pause();
        const start = now();
        yield* sleep(5);
        assertEquals(now(), start + 5);
      });
      clock.resume();
      const start = now();
      const real = performance.now();
      await sleep(3);
      assert(now() >= start + 3 && performance.now() >= real + 3);
    });
  });

  it("never lets the clock go back, however often it is called", async () => {
    await run(() => {
      let last = now();
      for (let i = 0; i < 10_000; i++) {
        if (i % 2 === 0) clock.pause();
        else clock.resume();
        const time = now();
        assert(time >= last, `${time} after ${last}`);
        last = time;
      }
      return Promise.resolve();
    });
  });

  it("keeps the time of a sleep that began in the same turn", async () => {
    await run(async () => {
      const probe = new Probe();
      const before = now();
      const [future, unread] = [sleep(50), sleep(50)];
      for (const each of [future, unread]) assert(probe.isPending(each));
      clock.pause();
      await clock.advance(1);
      assert(future.deadline >= before + 50 && future.deadline <= now() + 49);
      await clock.advance(49);
      assertEquals([probe.wakes, unread.deadline], [2, future.deadline]);
    });
  });

  it("twice, and resume of a clock that runs, are errors", async () => {
    await run(() => {
      assertThrows(() => clock.resume(), Error, "cannot resume the clock: it is not paused");
      clock.pause();
      assertThrows(() => clock.pause(), Error, "cannot pause the clock: it is paused already");
      return Promise.resolve();
    });
  });
});

describe("a clock in the host's loop", () => {
  it("is paused, moved and advanced as another one", async () => {
    using _ = attach();
    clock.pause();
    const start = now();
    const log: string[] = [];
    spawn(async () => {
      for await (const due of interval(10)) {
        for (let i = 0; i < 20; i++) await null;
        log.push(`tick ${Math.round(due - start)}`);
      }
    });
    await sleep(25);
    log.push(`main ${Math.round(now() - start)}`);
    await clock.advance(5);
    log.push(`main ${Math.round(now() - start)}`);
    assertEquals(log, ["tick 0", "tick 10", "tick 20", "main 25", "tick 30", "main 30"]);
    clock.resume();
    const real = performance.now();
    await sleep(2);
    assert(performance.now() - real >= 2);
  });
});

describe("clock.advance", () => {
  it("moves the clock by as much, whole milliseconds or not", async () => {
    await run(async () => {
      let expected = 0;
      for (const ms of [1, 1, 51.592, 0.001, 3_141.592, 3_123.456, 0, YEAR]) {
        await clock.advance(ms);
        expected += ms;
        assertEquals(now(), expected);
      }
    }, PAUSED);
  });

  it("ends no sleep before its time, polled before or not", async () => {
    await run(async () => {
      const probe = new Probe();
      await clock.advance(1);
      const [polled, fresh] = [sleepUntil(301), sleepUntil(301)];
      assert(probe.isPending(polled));
      await clock.advance(100);
      assert(probe.isPending(polled) && probe.isPending(fresh));
      await clock.advance(51.592);
      assertEquals([probe.wakes, probe.isPending(polled), probe.isPending(fresh)], [0, true, true]);
      await clock.advance(148.408);
      assertEquals([now(), probe.wakes, polled.isElapsed, fresh.isElapsed], [301, 2, true, true]);
    }, PAUSED);
  });

  it("ends a sleep once the parts make it up, exactly", async () => {
    await run(async () => {
      const probe = new Probe();
      const future = sleep(1);
      assert(probe.isPending(future));
      for (let i = 0; i < 3; i++) {
        await clock.advance(0.25);
        assert(probe.isPending(future));
      }
      await clock.advance(0.25);
      assertEquals([probe.wakes, probe.poll(future)], [1, undefined]);
    }, PAUSED);
  });

  it("is polled by a future beside a sleep that it moves towards", async () => {
    class Both extends Future<number> {
      #sleep = sleepUntil(300);
      #advance = clock.advance(100);

      override poll(context: Context): number | Pending {
        this.#sleep.poll(context);
        if (this.#advance.poll(context) === Pending) return Pending;
        this.#sleep.drop();
        return now();
      }
    }
    await run(async () => assertEquals(await new Both(), 100), PAUSED);
  });

  it("lets what an earlier deadline wakes go on before a later one, and be waited for", async () => {
    const log: string[] = [];
    function* ticker(): Coroutine<void> {
      for (;;) {
        yield* sleep(10);
        log.push(`tick ${now()}`);
        yield* yieldNow();
        log.push(`tock ${now()}`);
      }
    }
    async function asynchronous(): Promise<void> {
      for (let i = 0; i < 4; i++) {
        await sleep(7);
        for (let j = 0; j < 20; j++) await null;
        log.push(`async ${now()}`);
      }
    }
    await run(async () => {
      spawn(ticker);
      spawn(asynchronous);
      await clock.advance(25);
      log.push(`main ${now()}`);
      await clock.advance(5);
      log.push(`main ${now()}`);
    }, PAUSED);
    assertEquals(log, [
      "async 7",
      "tick 10",
      "tock 10",
      "async 14",
      "tick 20",
      "tock 20",
      "async 21",
      "main 25",
      "async 28",
      "tick 30",
      "tock 30",
      "main 30",
    ]);
  });

  it("of 0 lets what is due and ready go on", async () => {
    await run(async () => {
      const log: string[] = [];
      spawn(function* (): Coroutine<void> {
        log.push("spawned");
        for (let i = 0; i < 5; i++) yield* yieldNow();
        log.push("yielded");
        yield* sleep(1);
        log.push("slept");
      });
      await clock.advance(0);
      assertEquals([now(), log], [0, ["spawned", "yielded"]]);
    }, PAUSED);
  });

  it("goes on though a task always has something to do", async () => {
    await run(async () => {
      const busy = spawn(function* (): Coroutine<void> {
        for (;;) yield* yieldNow();
      });
      let ticks = 0;
      const ticking = spawn(function* (): Coroutine<void> {
        const seconds = interval(1_000);
        for (;;) {
          yield* seconds.tick();
          ticks++;
        }
      });
      await clock.advance(2_500);
      assertEquals([now(), ticks], [2_500, 3]);
      busy.abort();
      ticking.abort();
    }, PAUSED);
  });

  it("is taken up by two tasks at once, each for its own time", async () => {
    const log: string[] = [];
    function* advancing(ms: number): Coroutine<void> {
      yield* clock.advance(ms);
      log.push(`${ms} at ${now()}`);
    }
    await run(async () => {
      for (const handle of [30, 10, 20, 10].map((ms) => spawn(advancing, ms))) await handle;
    }, PAUSED);
    assertEquals(log, ["10 at 10", "10 at 10", "20 at 20", "30 at 30"]);
  });

  it("is taken back where it is dropped", async () => {
    await run(async () => {
      const probe = new Probe();
      clock.advance(5).drop();
      const dropped = clock.advance(10);
      assert(probe.isPending(dropped));
      assertThrows(() => clock.resume(), Error, "cannot resume the clock: a task is advancing it");
      dropped.drop();
      dropped.drop();
      const settling = clock.advance(0);
      assert(probe.isPending(settling));
      settling.drop();
      const task = spawn(() => clock.advance(1_000));
      await yieldNow();
      task.abort();
      await assertRejects(() => task.toPromise(), DOMException, "the task was aborted");
      await sleep(20);
      assertEquals([now(), probe.wakes], [20, 0]);
      clock.resume();
    }, PAUSED);
  });

  it("gives its value once", async () => {
    await run(async () => {
      const advance = clock.advance(1);
      await advance;
      assertThrows(() => new Probe().poll(advance), Error, "cannot wait for an advance again");
    }, PAUSED);
  });

  it("refuses a clock that runs, and what is no time", async () => {
    for (const ms of [-1, NaN, -Infinity]) {
      assertThrows(() => clock.advance(ms), RangeError, `cannot advance the clock: ms is ${ms}`);
    }
    await run(async () => {
      await assertRejects(
        () => clock.advance(1).toPromise(),
        Error,
        "cannot advance the clock: it is not paused",
      );
      clock.pause();
      clock.resume();
    });
  });
});

describe("run", () => {
  it("refuses a clock of another name", async () => {
    const options = JSON.parse('{ "clock": "stopped" }');
    await assertRejects(() => run(() => sleep(1), options), TypeError, 'cannot run: clock is "stopped"');
  });
});
