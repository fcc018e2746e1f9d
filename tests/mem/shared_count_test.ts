import { describe, it } from "node:test";
import { readdirSync, readFileSync } from "node:fs";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { HandleError } from "../../lib/mem/map_errors.ts";
import { SharedCount } from "../../lib/mem/shared_count.ts";
import { currentThread, isAlive, type Thread } from "../../lib/mem/thread.ts";

/** As the module's doc has it. */
const HEADER = 4;
const ROW = 4;

/** A thread that there is not: above what the kernel gives out. */
const NOBODY = 2 ** 22 + 1;

function rows(words: Int32Array): number[] {
  return Array.from({ length: (words.length - HEADER) / ROW }, (_, i) => HEADER + ROW * i);
}

function startOf(id: number): number {
  const stat = readFileSync(`/proc/self/task/${id}/stat`, "latin1");
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]);
}

/** A thread of this process, and not this one: every host has some. */
function another(): Thread {
  const { id } = currentThread();
  const other = Number(readdirSync("/proc/self/task").find((name) => Number(name) !== id));
  return { id: other, start: startOf(other) };
}

describe("a thread", () => {
  it("is known by its number and its start, as /proc has them", () => {
    const thread = currentThread();
    assertEquals(thread.start, startOf(thread.id));
    assert(readdirSync("/proc/self/task").includes(String(thread.id)));
    assertEquals(isAlive(thread), true);
    assertEquals(isAlive({ id: thread.id, start: thread.start + 1 }), false);
    assertEquals(isAlive({ id: NOBODY, start: thread.start }), false);
  });
});

describe("SharedCount", () => {
  it("has a row for the thread while that has owners, whichever of its parts they came by", () => {
    const one = SharedCount.create(7);
    const words = new Int32Array(one.memory);
    const { id, start } = currentThread();
    const two = SharedCount.join(one.memory);
    two.add();
    assertEquals([one.total, two.total, one.descriptor], [3, 3, 7]);
    assertEquals([...words.subarray(0, HEADER + 2 * ROW)], [3, 7, 0, 0, id, start, 3, 0, 0, 0, 0, 0]);
    assertEquals([two.subtract(2), words[HEADER], words[HEADER + 2]], [false, id, 1]);
    assertEquals([one.subtract(1), words[HEADER], words[HEADER + 2], one.total], [true, 0, 0, 0]);
  });

  it("tells what threads held that have ended, and keeps it in the total", () => {
    const count = SharedCount.create(7);
    const words = new Int32Array(count.memory);
    const { id, start } = currentThread();
    const other = another();
    words.set([NOBODY, start, 5, 0, id, start + 1, 2, 0, other.id, other.start, 4, 0], HEADER + ROW);
    Atomics.add(words, 0, 5 + 2 + 4);
    assertEquals([count.leaked(), count.leaked(), count.total], [7, 7, 12]);
    assertEquals([count.subtract(1), count.leaked(), count.total], [false, 7, 11]);
  });

  it("tells what a thread leaked that ended in the midst of a step, whichever", () => {
    const count = SharedCount.create(7);
    const words = new Int32Array(count.memory);
    const row = HEADER + ROW;
    // It had one, and had added another to its row alone; nothing was lost by that.
    words.set([NOBODY, 1, 2, 0], row);
    Atomics.add(words, 0, 1);
    assertEquals([count.leaked(), count.total], [1, 2]);
    // It had taken its one from the total already.
    Atomics.sub(words, 0, 1);
    assertEquals([count.leaked(), count.total], [0, 1]);
    // It had taken the row, where another's owners still stood.
    words.set([NOBODY, 2, 9, 0], row);
    assertEquals([count.leaked(), count.total], [0, 1]);
    // One of its own on the way: more in the row than in the total.
    words[HEADER + 2]++;
    assertEquals(count.leaked(), 0);
  });

  it("tells nothing of a living thread that is in the midst of a step, whichever", () => {
    const steps: [string, (count: SharedCount) => unknown][] = [
      ["add", (count) => count.add()],
      ["add", (count) => SharedCount.join(count.memory)],
      ["sub", (count) => count.subtract(1)],
    ];
    for (const [name, step] of steps) {
      const count = SharedCount.create(7);
      count.add();
      const whole = Reflect.get(Atomics, name);
      Reflect.set(Atomics, name, (...given: unknown[]) => {
        Reflect.apply(whole, Atomics, given);
        throw new RangeError("half done");
      });
      try {
        assertThrows(() => step(count), RangeError, "half done");
      } finally {
        Reflect.set(Atomics, name, whole);
      }
      assertEquals(count.leaked(), 0);
    }
  });

  it("does not take the row of a thread of the same number that ended before, nor its owners", () => {
    const count = SharedCount.create(7);
    const words = new Int32Array(count.memory);
    const { id, start } = currentThread();
    words.set([id, start + 1, 5, 0], HEADER);
    const own = SharedCount.join(count.memory);
    const second = [...words.subarray(HEADER, HEADER + 2 * ROW)];
    assertEquals(second, [id, start + 1, 5, 0, id, start, 1, 0]);
    own.subtract(1);
    assertEquals([...words.subarray(HEADER, HEADER + 2 * ROW)], [id, start + 1, 5, 0, 0, 0, 0, 0]);
  });

  it("gives the rows of threads that have ended to others, without their owners", () => {
    const { memory } = SharedCount.create(7);
    const words = new Int32Array(memory);
    for (const row of rows(words)) words.set([NOBODY, 1, 3], row);
    const count = SharedCount.join(memory);
    const { id, start } = currentThread();
    assertEquals([...words.subarray(HEADER, HEADER + ROW + 1)], [id, start, 1, 0, NOBODY]);
    assertEquals([count.total, count.leaked()], [2, 1]);
  });

  it("refuses where as many threads run as there are rows, and changes nothing", () => {
    const { memory } = SharedCount.create(7);
    const words = new Int32Array(memory);
    const { id, start } = another();
    for (const row of rows(words)) words.set([id, start, 1], row);
    const before = [...words];
    assertThrows(() => SharedCount.join(memory), RangeError, `${rows(words).length} threads have it already`);
    assertEquals([...words], before);
  });

  it("keeps no row where the last owner has gone", () => {
    const count = SharedCount.create(7);
    count.subtract(1);
    assertThrows(() => SharedCount.join(count.memory), HandleError, "its last owner was disposed");
    assertEquals([...new Int32Array(count.memory)].filter((word) => word !== 0), [7]);
  });

  it("is made of no other memory", () => {
    const { byteLength } = SharedCount.create(7).memory;
    const fake = Object.create(SharedArrayBuffer.prototype, { byteLength: { value: byteLength } });
    const others = [fake, new ArrayBuffer(byteLength), new SharedArrayBuffer(byteLength + 8), undefined, 5];
    for (const memory of others) {
      assertThrows(() => Reflect.apply(SharedCount.join, SharedCount, [memory]), HandleError, "is no handle");
    }
  });
});
