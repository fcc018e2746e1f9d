import { describe, it } from "node:test";
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import type { Timer } from "../../../lib/task/time/timer_list.ts";
import { Wheel } from "../../../lib/task/time/wheel.ts";
import { tiered } from "../../tier.ts";
import { Alarm } from "./alarm.ts";

const YEAR = 365 * 24 * 3_600_000;

/** A wheel that tells what fires. */
class Rings {
  readonly wheel = new Wheel();
  #rung: string[] = [];

  add(name: string, due: number): Alarm {
    const alarm = new Alarm(due, () => this.#rung.push(name));
    this.wheel.add(alarm);
    return alarm;
  }

  /** What fires until `now`. */
  at(now: number): string[] {
    this.#rung = [];
    this.wheel.expire(now);
    return this.#rung;
  }
}

describe("Wheel", () => {
  it("goes through no round of its topmost level in which nothing is due", () => {
    const rings = new Rings();
    let looks = 0;
    const far: Timer = {
      get due() {
        looks++;
        return 2 ** 52;
      },
      list: null,
      before: null,
      after: null,
      fire() {},
    };
    rings.wheel.add(far);
    rings.add("round", 2 ** 52 - 2 ** 36);
    assertEquals(rings.at(2 ** 52 - 1), ["round"]);
    assertEquals(rings.wheel.next, 2 ** 52);
    assert(looks < 100);
  });

  it("fires each of 5,000 timers in its millisecond, over the edges of two levels", () => {
    const rings = new Rings();
    for (let due = 0; due < 5_000; due++) rings.add(`${due}`, due);
    for (let now = 0; now < 5_000; now++) {
      assertEquals(rings.wheel.next, now);
      assertEquals(rings.at(now), [`${now}`]);
    }
    assertEquals(rings.wheel.next, Infinity);
  });

  it("fires nothing of a slot that it looked at before its time", () => {
    const rings = new Rings();
    rings.add("it", 193);
    for (const now of [62, 192, 192, 192.999]) assertEquals([now, rings.at(now)], [now, []]);
    assertEquals(rings.at(193), ["it"]);
  });

  it("keeps timers of each level, first, last and beside their slots' edges", () => {
    for (let level = 0; level < 6; level++) {
      for (const place of [1, 2, 31, 32, 62, 63]) {
        for (const off of [-1, 0, 1]) {
          const due = place * 64 ** level + off;
          for (const from of [0, 1, 63, 64, 4_095, 2 ** 30 - 1].filter((from) => from < due)) {
            const rings = new Rings();
            rings.at(from);
            rings.add("it", due);
            assertEquals(rings.wheel.next, due);
            assertEquals(rings.at(due - 0.5), []);
            assertEquals(rings.at(due), ["it"]);
          }
        }
      }
    }
  });

  it("fires in the order of times within one millisecond, and of addition at one time", () => {
    const rings = new Rings();
    for (const [name, due] of [["c", 7.9], ["a", 7.1], ["d", 7.9], ["b", 7.5], ["e", 7.9]] as const) {
      rings.add(name, due);
    }
    assertEquals(rings.wheel.next, 7.1);
    assertEquals(rings.at(7.5), ["a", "b"]);
    rings.add("f", 7.9);
    rings.add("b2", 7.6);
    assertEquals(rings.wheel.next, 7.6);
    assertEquals(rings.at(8), ["b2", "c", "d", "e", "f"]);
  });

  it("keeps the order of addition of one time while timers move down its levels", () => {
    const rings = new Rings();
    const due = 64 ** 3 + 64 ** 2 * 5 + 64 * 7 + 9;
    rings.add("a", due);
    rings.at(64 ** 3);
    rings.add("b", due);
    rings.at(64 ** 3 + 64 ** 2 * 5);
    rings.add("c", due);
    rings.at(due - 3);
    rings.add("d", due);
    assertEquals(rings.at(due), ["a", "b", "c", "d"]);
  });

  it("fires what is due already at the next look", () => {
    const rings = new Rings();
    assertEquals(rings.at(1_000), []);
    rings.add("past", 3);
    rings.add("before all", -5);
    rings.add("now", 1_000);
    assertEquals(rings.at(1_000), ["before all", "past", "now"]);
  });

  it("keeps what is further away than its two years", () => {
    const rings = new Rings();
    const dues = [
      1,
      2 * YEAR,
      2.2 * YEAR,
      3 * YEAR,
      10 * YEAR,
      30 * YEAR + 0.25,
      2 ** 36,
      2 ** 36 + 1,
      2 ** 40,
    ];
    for (const due of dues) rings.add(`${due}`, due);
    for (const due of dues.toSorted((a, b) => a - b)) {
      assertEquals(rings.wheel.next, due);
      assertEquals(rings.at(due - 0.25), []);
      assertEquals(rings.at(due), [`${due}`]);
    }
    assertEquals(rings.wheel.next, Infinity);
  });

  it("fires all that is due after a clock that jumped by hours, days, years", () => {
    for (const jump of [3_600_000, 24 * 3_600_000, YEAR, 5 * YEAR]) {
      const rings = new Rings();
      rings.at(12_345.678);
      const dues = [0.5, 1, 50, 70, 5_000, 300_000, 0.99 * jump, jump];
      for (const due of dues) rings.add(`${due}`, 12_345.678 + due);
      rings.add("later", 12_345.678 + jump + 1);
      assertEquals(rings.at(12_345.678 + jump), dues.map(String));
      assertEquals(rings.at(12_345.678 + jump + 1), ["later"]);
    }
  });

  it("fires no timer twice, and none before its time, where the clock goes back", () => {
    const rings = new Rings();
    rings.add("a", 10);
    rings.add("b", 20);
    assertEquals(rings.at(15), ["a"]);
    assertEquals(rings.at(5), []);
    rings.add("c", 12);
    assertEquals(rings.at(11), []);
    assertEquals(rings.at(16), ["c"]);
    assertEquals(rings.at(20), ["b"]);
  });

  it("never fires what is due never, or later than it can tell milliseconds apart", () => {
    const rings = new Rings();
    for (const due of [Infinity, Number.MAX_VALUE, 2 ** 54]) rings.wheel.remove(rings.add("never", due));
    rings.add("never", Infinity);
    rings.add("at the end", Number.MAX_SAFE_INTEGER);
    assertEquals(rings.wheel.next, Number.MAX_SAFE_INTEGER);
    assertEquals(rings.at(Infinity), ["at the end"]);
    assertEquals(rings.wheel.next, Infinity);
  });

  it("has forgotten at once what was taken out", () => {
    const rings = new Rings();
    const alarms = [3, 3.5, 70, 5_000, 10 * YEAR].map((due) => rings.add(`${due}`, due));
    for (const alarm of alarms) {
      rings.wheel.remove(alarm);
      rings.wheel.remove(alarm);
    }
    assertEquals(rings.wheel.next, Infinity);
    assertEquals(rings.at(20 * YEAR), []);
  });

  it("asks to be looked at too early at most once for what was taken out", () => {
    const rings = new Rings();
    const first = rings.add("first", 7.1);
    rings.add("second", 7.8);
    rings.wheel.remove(first);
    assertEquals(rings.wheel.next, 7.1);
    assertEquals(rings.at(7.1), []);
    assertEquals(rings.wheel.next, 7.8);
  });

  it("fires what a timer that fires has added, if it is due", () => {
    const { wheel } = new Rings();
    const log: string[] = [];
    wheel.add(
      new Alarm(1.5, () => {
        log.push("first");
        wheel.add(new Alarm(2, () => log.push("third")));
        wheel.add(new Alarm(1.2, () => log.push("second")));
        wheel.add(new Alarm(9, () => log.push("fourth")));
      }),
    );
    wheel.expire(5);
    assertEquals([log, wheel.next], [["first", "second", "third"], 9]);
  });

  it("fires nothing that a timer that fires has taken out", () => {
    for (const others of [[1], [1, 1.5], [1, 2], [1.5, 90, 5_000]]) {
      const wheel = new Wheel();
      const log: number[] = [];
      const alarms = others.map((due) => new Alarm(due, () => log.push(due)));
      wheel.add(new Alarm(1, () => alarms.forEach((alarm) => wheel.remove(alarm))));
      for (const alarm of alarms) wheel.add(alarm);
      wheel.expire(10_000);
      assertEquals([log, wheel.next], [[], Infinity]);
    }
  });

  it("goes on after one that throws", () => {
    const rings = new Rings();
    rings.wheel.add(
      new Alarm(3, () => {
        throw new RangeError("not now");
      }),
    );
    for (const due of [3, 4, 80]) rings.add(`${due}`, due);
    assertThrows(() => rings.at(100), RangeError, "not now");
    assertEquals(rings.at(100), ["3", "4", "80"]);
  });

  it("keeps a million timers, and fires each in its order", () => {
    const wheel = new Wheel();
    let fired = 0;
    let last = 0;
    let disorder = 0;
    let seed = 1;
    const alarms: Alarm[] = [];
    for (let i = 0; i < 1_000_000; i++) {
      seed = Math.imul(seed, 1_664_525) + 1_013_904_223 | 0;
      const due = (seed >>> 0) / 1_000;
      const alarm = new Alarm(due, () => {
        fired++;
        if (due < last) disorder++;
        last = due;
      });
      alarms.push(alarm);
      wheel.add(alarm);
    }
    for (let i = 0; i < alarms.length; i += 2) wheel.remove(alarms[i]);
    for (let now = 0; now < 2 ** 32 / 1_000; now += 10_007) wheel.expire(now);
    wheel.expire(2 ** 32);
    assertEquals([fired, disorder, wheel.next], [500_000, 0, Infinity]);
  });

  interface Entry {
    alarm: Alarm;
    due: number;
    state: "set" | "taken out" | "fired";
  }
  type Step = { add: number; far: number } | { remove: number } | { expire: number; far: number } | {
    back: number;
  };

  const span = { far: fc.constantFrom(1, 1, 1, 64, 4_096, 64 ** 3, 64 ** 5, 64 ** 6) };
  const time = fc.oneof(fc.nat(100), fc.double({ min: 0, max: 70, noNaN: true }));
  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 3, arbitrary: fc.record({ add: time, ...span }) },
    { weight: 1, arbitrary: fc.record({ remove: fc.nat(1_000) }) },
    { weight: 1, arbitrary: fc.record({ expire: time, ...span }) },
    { weight: 1, arbitrary: fc.record({ back: fc.nat(10_000) }) },
  );

  it("fires as a list does that is sorted anew for each look", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120, size: "max" }), (steps) => {
        const wheel = new Wheel();
        const entries: Entry[] = [];
        let fired: number[] = [];
        let now = 0;
        for (const step of steps) {
          if ("add" in step) {
            const due = Math.max(0, now + step.add * step.far - 50);
            const place = entries.length;
            const alarm = new Alarm(due, () => {
              fired.push(place);
              entries[place].state = "fired";
            });
            entries.push({ alarm, due, state: "set" });
            wheel.add(alarm);
          } else if ("remove" in step) {
            if (entries.length === 0) continue;
            const entry = entries[step.remove % entries.length];
            wheel.remove(entry.alarm);
            if (entry.state === "set") entry.state = "taken out";
          } else if ("back" in step) {
            fired = [];
            wheel.expire(now - step.back);
            for (const place of fired) assert(entries[place].due <= now - step.back);
          } else {
            now += step.expire * step.far;
            const expected = entries.map((_, place) => place)
              .filter((place) => entries[place].state === "set" && entries[place].due <= now)
              .sort((a, b) => entries[a].due - entries[b].due);
            fired = [];
            wheel.expire(now);
            assertEquals(fired, expected);
            assert(wheel.next > now);
          }
          const nearest = Math.min(...entries.filter(({ state }) => state === "set").map(({ due }) => due));
          assert(wheel.next <= nearest, `the next is ${wheel.next}, later than ${nearest}`);
          if (nearest === Infinity) assertEquals(wheel.next, Infinity);
        }
      }),
      { numRuns: tiered({ quick: 300, full: 10_000, soak: 300_000 }) },
    );
  });
});
