import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { Clock } from "../../../lib/task/time/clock.ts";
import type { AfterTurn } from "../../../lib/task/runtime/executor.ts";
import { Timers } from "../../../lib/task/time/timers.ts";
import { Alarm } from "./alarm.ts";

function timersOf(clock: Clock): Timers {
  return new Timers(clock, { afterTurn: null, rouse() {} });
}

describe("Timers", () => {
  it("count what has begun from the next reading of the clock, not from an earlier one", () => {
    const timers = timersOf(new Clock(false));
    const rung: number[] = [];
    const alarm = new Alarm(5, () => rung.push(alarm.due));
    timers.begin(alarm);
    timers.expire(1_000);
    timers.expire(1_004.999);
    assertEquals(rung, []);
    timers.expire(1_005);
    assertEquals(rung, [1_005]);
  });

  it("read the clock for what has begun when they are asked for the next", () => {
    const clock = new Clock(false);
    const timers = timersOf(clock);
    const before = clock.now();
    timers.begin(new Alarm(60_000, () => {}));
    const { next } = timers;
    assert(next >= before + 60_000 && next <= clock.now() + 60_000);
    assert(timers.left > 0 && timers.left <= 60_000);
    assertEquals(timers.next, next);
  });

  it("ask to be told of the turn's end once one has begun, and read the clock then", () => {
    const clock = new Clock(false);
    const executor: { afterTurn: AfterTurn | null; rouse(): void } = { afterTurn: null, rouse() {} };
    const timers = new Timers(clock, executor);
    timers.add(new Alarm(1, () => {}));
    assertEquals(executor.afterTurn, null);
    const alarm = new Alarm(5, () => {});
    timers.begin(alarm);
    assertEquals([executor.afterTurn === timers, alarm.due], [true, 5]);
    const before = clock.now();
    executor.afterTurn?.turnEnded();
    assert(alarm.due >= before + 5 && alarm.due <= clock.now() + 5);
  });

  it("count from the time of a clock that stands, though it moves before they are looked at", () => {
    const clock = new Clock(true);
    const timers = timersOf(clock);
    const rung: string[] = [];
    timers.begin(new Alarm(10, () => rung.push("it")));
    clock.step(7, true);
    timers.expire(clock.now());
    assertEquals([timers.next, timers.left, rung], [10, 3, []]);
    clock.step(timers.next, true);
    timers.expire(clock.now());
    assertEquals([clock.now(), timers.next, timers.left, rung], [10, Infinity, Infinity, ["it"]]);
  });

  it("have the thread sleep in halves of a millisecond, never less than is left", () => {
    for (const [due, left] of [[0.1, 0.5], [0.5, 0.5], [0.51, 1], [7, 7], [7.2, 7.5], [-1, 0]]) {
      const timers = timersOf(new Clock(true));
      timers.add(new Alarm(due, () => {}));
      assertEquals(timers.left, left);
    }
  });

  it("forget one that has begun and was taken out before the clock was read", () => {
    const timers = timersOf(new Clock(false));
    const rung: string[] = [];
    const [a, b, c] = ["a", "b", "c"].map((name) => new Alarm(1, () => rung.push(name)));
    for (const alarm of [a, b, c]) timers.begin(alarm);
    timers.remove(b);
    timers.remove(b);
    timers.expire(100);
    timers.remove(c);
    timers.expire(200);
    assertEquals(rung, ["a"]);
    assertEquals([timers.next, timers.left], [Infinity, Infinity]);
  });

  it("wait for nothing that is due never", () => {
    const timers = timersOf(new Clock(false));
    const alarm = new Alarm(Infinity, () => {});
    timers.begin(alarm);
    assertEquals(timers.next, Infinity);
    timers.remove(alarm);
    timers.expire(Infinity);
    assertEquals(timers.next, Infinity);
  });

  it("fire what is left when their runtime ends", () => {
    const timers = timersOf(new Clock(false));
    let rung = 0;
    for (const ms of [1, 1_000, 1e12]) timers.begin(new Alarm(ms, () => rung++));
    assertEquals(timers.hasEnded, false);
    timers.end();
    assertEquals([timers.hasEnded, rung], [true, 3]);
  });
});
