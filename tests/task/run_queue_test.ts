import { describe, it } from "node:test";
import fc from "fast-check";
import { assertEquals, assertStrictEquals } from "@std/assert";
import { RunQueue } from "../../lib/task/runtime/run_queue.ts";
import type { Runnable } from "../../lib/task/task.ts";

const SLOTS = 256;

class Numbered implements Runnable {
  readonly number: number;

  constructor(number: number) {
    this.number = number;
  }

  run(): void {}
}

const MANY: readonly Numbered[] = Array.from({ length: 5_000 }, (_, i) => new Numbered(i));

/** Takes all that is left. */
function drained(queue: RunQueue): Runnable[] {
  const all: Runnable[] = [];
  for (let next = queue.shift(); next !== null; next = queue.shift()) all.push(next);
  return all;
}

describe("the run queue", () => {
  it("is empty at first, and again once all were taken", () => {
    const queue = new RunQueue();
    assertEquals([queue.length, queue.shift()], [0, null]);
    queue.push(MANY[0]);
    assertEquals(queue.length, 1);
    assertStrictEquals(queue.shift(), MANY[0]);
    assertEquals([queue.length, queue.shift(), queue.length], [0, null, 0]);
  });

  it("takes 256 one at a time, many times round its ring", () => {
    const queue = new RunQueue();
    for (let i = 0; i < 3 * SLOTS + 7; i++) {
      queue.push(MANY[i]);
      assertStrictEquals(queue.shift(), MANY[i]);
    }
    assertEquals(queue.length, 0);
  });

  it("takes 256 at once, from any place in its ring", () => {
    const queue = new RunQueue();
    for (const start of [0, 1, 255, 3]) {
      for (let i = 0; i < start; i++) queue.push(MANY[i]);
      assertEquals(drained(queue).length, start);
      for (let i = 0; i < SLOTS; i++) queue.push(MANY[i]);
      assertEquals(queue.length, SLOTS);
      assertEquals(drained(queue), MANY.slice(0, SLOTS));
    }
  });

  it("takes chunks of every size up to 256", () => {
    const queue = new RunQueue();
    for (let chunk = 1; chunk <= SLOTS; chunk++) {
      for (let i = 0; i < chunk; i++) queue.push(MANY[i]);
      for (let i = 0; i < chunk; i++) assertStrictEquals(queue.shift(), MANY[i]);
    }
    assertEquals(queue.length, 0);
  });

  it("keeps the order of those that do not fit, beside those that come while it is emptied", () => {
    const queue = new RunQueue();
    for (let i = 0; i < SLOTS + 1; i++) queue.push(MANY[i]);
    // There is room in the ring now, but one that is pushed must not overtake.
    assertStrictEquals(queue.shift(), MANY[0]);
    queue.push(MANY[SLOTS + 1]);
    assertEquals(queue.length, SLOTS + 1);
    assertEquals(drained(queue), MANY.slice(1, SLOTS + 2));
  });

  it("takes thousands, and is good for little again after them", () => {
    const queue = new RunQueue();
    for (let round = 0; round < 3; round++) {
      for (const each of MANY) queue.push(each);
      assertEquals(queue.length, MANY.length);
      assertEquals(drained(queue), [...MANY]);
      queue.push(MANY[1]);
      assertStrictEquals(queue.shift(), MANY[1]);
    }
  });

  it("does as an array does, whatever is pushed and taken", () => {
    const steps = fc.array(fc.oneof(fc.integer({ min: 1, max: 700 }), fc.integer({ min: -700, max: -1 })), {
      maxLength: 40,
    });
    fc.assert(fc.property(steps, (counts) => {
      const queue = new RunQueue();
      const oracle: Runnable[] = [];
      let next = 0;
      for (const count of counts) {
        for (let i = 0; i < count; i++) {
          const each = MANY[next++ % MANY.length];
          queue.push(each);
          oracle.push(each);
        }
        for (let i = 0; i > count; i--) assertStrictEquals(queue.shift(), oracle.shift() ?? null);
        assertEquals(queue.length, oracle.length);
      }
      assertEquals(drained(queue), oracle);
    }));
  });
});
