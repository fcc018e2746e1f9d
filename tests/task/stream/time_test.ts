import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { mpsc } from "../../../lib/task/channel.ts";
import { BUDGET, coop } from "../../../lib/task/runtime/coop.ts";
import { currentRuntime } from "../../../lib/task/runtime/current.ts";
import { interval, now, Pending, ready, run, sleep, spawn } from "../../../lib/task/mod.ts";
import { Ended, Stream } from "../../../lib/task/stream.ts";
import { HandFed } from "./hand_fed.ts";

/** `[wait, item]`: each item comes so many milliseconds after the one before. */
type Step<T> = readonly [ms: number, item: T];

/** On a clock that stands, whatever `stream` gives, with when it gives it. */
function timed<T, U>(
  steps: readonly Step<T>[],
  stream: (source: Stream<T>) => Stream<U>,
): Promise<[number, U][]> {
  return run(async () => {
    const source = Stream.from(steps).andThen(([ms, item]) => sleep(ms).map(() => item));
    const items: [number, U][] = [];
    for await (const item of stream(source)) items.push([now(), item]);
    return items;
  }, { clock: "paused" });
}

describe("throttle()", () => {
  it("gives an item at once, and the next ones no sooner than ms later each", async () => {
    assertEquals(await timed([[0, "a"], [0, "b"], [0, "c"]], (s) => s.throttle(100)), [
      [0, "a"],
      [100, "b"],
      [200, "c"],
    ]);
  });

  it("holds back nothing that comes later, and counts from when an item was given", async () => {
    const steps: Step<string>[] = [[10, "a"], [150, "b"], [20, "c"], [500, "d"]];
    // The source is asked once the time is up, and takes its own from then on.
    assertEquals(await timed(steps, (s) => s.throttle(100)), [[10, "a"], [260, "b"], [380, "c"], [980, "d"]]);
  });

  it("leaves items in its source while it waits", async () => {
    await run(async () => {
      const source = new HandFed(1, 2);
      const stream = source.throttle(100);
      assertStrictEquals(await stream.next(), 1);
      const next = stream.next();
      await Promise.race([next.toPromise(), sleep(50).toPromise()]);
      assertEquals(source.polls, 1);
    }, { clock: "paused" });
  });

  it("of 0 ms holds back nothing", async () => {
    assertEquals(
      await timed([[0, "a"], [0, "b"]], (s) => s.throttle(0).enumerate()),
      [
        [0, [0, "a"]],
        [0, [1, "b"]],
      ].map(([time, item]) => [Number(time), item]),
    );
  });
});

describe("timeout() of a stream", () => {
  it("passes on what comes in time", async () => {
    assertEquals(await timed([[90, 1], [90, 2]], (s) => s.timeout(100)), [[90, 1], [180, 2]]);
  });

  it("fails with a TimeoutError where an item takes longer, drops its source and has ended", async () => {
    await run(async () => {
      const source = new HandFed(1);
      const stream = source.timeout(100);
      assertStrictEquals(await stream.next(), 1);
      const error = await assertRejects(() => stream.next().toPromise(), DOMException);
      assertEquals([error.name, error.message, now()], [
        "TimeoutError",
        "the next item was not there within 100 ms",
        100,
      ]);
      assertEquals(source.drops, 1);
      assertStrictEquals(await stream.next(), Ended);
    }, { clock: "paused" });
  });

  it("does not count the time in which nobody asks for an item", async () => {
    await run(async () => {
      const stream = Stream.from([1, 2]).andThen((n) => sleep(60).map(() => n)).timeout(100);
      assertStrictEquals(await stream.next(), 1);
      await sleep(1000);
      assertStrictEquals(await stream.next(), 2);
    }, { clock: "paused" });
  });

  it("fails also where its source spends the whole budget at each poll", async () => {
    await run(async () => {
      const stream = Stream.repeat(1).filter(() => false).timeout(1);
      await assertRejects(() => stream.next().toPromise(), DOMException, "within 1 ms");
    });
  });
});

describe("debounce()", () => {
  it("gives the items behind which it was quiet, and the last one at the end", async () => {
    const steps: Step<string>[] = [[0, "a"], [50, "b"], [200, "c"], [10, "d"]];
    assertEquals(await timed(steps, (s) => s.debounce(100)), [[150, "b"], [260, "d"]]);
  });
});

describe("chunksTimeout()", () => {
  it("gives a chunk once it is full, or so long after its first item", async () => {
    const steps: Step<number>[] = [[0, 1], [0, 2], [0, 3], [0, 4], [300, 5], [10, 6]];
    assertEquals(await timed(steps, (s) => s.chunksTimeout(3, 100)), [
      [0, [1, 2, 3]],
      [100, [4]],
      [310, [5, 6]],
    ]);
  });

  it("gives a full chunk before its time, and begins another time with the next", async () => {
    const steps: Step<number>[] = [[0, 1], [90, 2], [50, 3], [90, 4]];
    assertEquals(await timed(steps, (s) => s.chunksTimeout(2, 100)), [[90, [1, 2]], [230, [3, 4]]]);
  });

  it("gives no empty chunk, however long nothing comes", async () => {
    assertEquals(await timed([[1000, 1]], (s) => s.chunksTimeout(2, 100)), [[1000, [1]]]);
  });

  it("gives what has come in time where its source spends the whole budget at each poll", async () => {
    await run(async () => {
      const chunk = await Stream.repeat(1).chunksTimeout(Infinity, 1).next();
      assert(chunk !== Ended && chunk.length > BUDGET);
    });
  });

  it("of 0 ms gives what is ready", async () => {
    await run(async () => {
      const stream = new HandFed(1, 2).chunksTimeout(10, 0);
      assertEquals(await stream.next(), [1, 2]);
    }, { clock: "paused" });
  });

  it("goes on by the host's clock, too", async () => {
    const chunks = await run(async () => {
      const [tx, rx] = mpsc<number>(8);
      const reading = spawn(() => Stream.from(rx).chunksTimeout(2, 5).collect());
      await tx.send(1);
      await sleep(40);
      await tx.send(2);
      await tx.send(3);
      tx.close();
      return await reading;
    });
    assertEquals(chunks, [[1], [2, 3]]);
  });
});

describe("the stream of an interval", () => {
  it("gives when each tick was due", async () => {
    await run(async () => {
      const ticks = Stream.ticks(interval(100)).take(3);
      assertEquals(await ticks.collect(), [0, 100, 200]);
    }, { clock: "paused" });
  });

  it("paces another stream by zip", async () => {
    await run(async () => {
      const paced = Stream.ticks(interval(100)).zip(["a", "b"]).andThen(([due, item]) =>
        ready([due, item, now()])
      );
      assertEquals(await paced.collect(), [[0, "a", 0], [100, "b", 100]]);
    }, { clock: "paused" });
  });
});

describe("an operator that waits for a time", () => {
  it("waits for it no more once it has given what came in time", async () => {
    await run(async () => {
      const source = new HandFed(1);
      const stream = source.chunksTimeout(2, 100);
      coop.left = BUDGET;
      assertStrictEquals(stream.pollNext({ waker: { wake() {} } }), Pending);
      source.push(2);
      assertEquals(stream.pollNext({ waker: { wake() {} } }), [1, 2]);
      assertEquals(currentRuntime().timers.next, Infinity);
      await sleep(0);
    }, { clock: "paused" });
  });

  const operators: Readonly<Record<string, (source: Stream<number>) => Stream<unknown>>> = {
    chunksTimeout: (source) => source.chunksTimeout(5, 100),
    debounce: (source) => source.debounce(100),
    throttle: (source) => source.throttle(100),
    timeout: (source) => source.timeout(100),
    ticks: () => Stream.ticks(interval(100)),
  };
  for (const [name, operator] of Object.entries(operators)) {
    it(`waits for it no more once it is dropped: ${name}`, async () => {
      await run(async () => {
        const stream = operator(new HandFed(1));
        for (let i = 0; i < 2; i++) {
          coop.left = BUDGET;
          stream.pollNext({ waker: { wake() {} } });
        }
        const { timers } = currentRuntime();
        assert(timers.next < Infinity);
        stream.drop();
        assertEquals(timers.next, Infinity);
        await sleep(0);
      }, { clock: "paused" });
    });
  }
});
