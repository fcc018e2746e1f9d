import { describe, it } from "node:test";
import { readdirSync, readFileSync } from "node:fs";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { SharedCount } from "../../lib/mem/shared_count.ts";
import { currentThread, isAlive } from "../../lib/mem/thread.ts";

/** As the module's doc has it. */
const HEADER = 4;
const ROW = 3;

/** A thread that there is not: above what the kernel gives out. */
const NOBODY = 2 ** 22 + 1;

function rows(words: Int32Array): number[] {
  return Array.from({ length: (words.length - HEADER) / ROW }, (_, i) => HEADER + ROW * i);
}

describe("a thread", () => {
  it("is known by its number and its start, as /proc has them", () => {
    const thread = currentThread();
    const stat = readFileSync(`/proc/self/task/${thread.id}/stat`, "latin1");
    assertEquals(thread.start, Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]));
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
    assertEquals([...words.subarray(0, HEADER + 2 * ROW)], [3, 0, 7, 0, id, start, 3, 0, 0, 0]);
    assertEquals([two.subtract(2), words[HEADER], words[HEADER + 2]], [false, id, 1]);
    assertEquals([one.subtract(1), words[HEADER], words[HEADER + 2], one.total], [true, 0, 0, 0]);
  });

  it("tells what threads held that have ended, once, and keeps it in the total", () => {
    const count = SharedCount.create(7);
    const words = new Int32Array(count.memory);
    const { id, start } = currentThread();
    words.set([NOBODY, start, 5, id, start + 1, 2], HEADER + ROW);
    Atomics.add(words, 0, 7);
    assertEquals([count.leaked(), count.leaked(), count.total], [7, 7, 8]);
    assertEquals([...words.subarray(HEADER, HEADER + 3 * ROW)], [id, start, 1, 0, start, 0, 0, start + 1, 0]);
    assertEquals([count.subtract(1), count.total], [false, 7]);
  });

  it("gives the rows of threads that have ended to others, and refuses where all run", () => {
    const memory = SharedCount.create(7).memory;
    const words = new Int32Array(memory);
    for (const row of rows(words)) words.set([NOBODY, 0, 1], row);
    const count = SharedCount.join(memory);
    assertEquals([count.total, count.leaked()], [2, rows(words).length]);
    assertEquals(words[HEADER], currentThread().id);
    // As if others were about to take them.
    for (const row of rows(words)) words.set([-1, 0, 1], row);
    assertThrows(() => SharedCount.join(memory), RangeError, `${rows(words).length} threads have it already`);
  });
});
