import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { currentThread, isAlive, startIn } from "../../lib/mem/thread.ts";

/** A line of /proc/self/task/7/stat. */
function stat(name: string, state: string, start: string): string {
  return `7 (${name}) ${state} ${"1 ".repeat(18)}${start} 0 18446744073709551615 ${"0 ".repeat(28)}0\n`;
}

describe("a thread", () => {
  it("is there that calls, and no other one by its number", () => {
    const thread = currentThread();
    assertEquals(isAlive(thread), true);
    assertEquals(isAlive({ id: thread.id, start: thread.start - 1 }), false);
    assertEquals(isAlive({ id: 1, start: thread.start }), false);
    assertEquals(startIn(readFileSync(`/proc/thread-self/stat`, "latin1")), thread.start);
  });

  it("has begun when its line says, in the lower 31 bits, whatever its name is", () => {
    for (const state of ["R", "S", "D", "T", "t", "I"]) assertEquals(startIn(stat("a", state, "123")), 123);
    assertEquals(startIn(stat(") Z 1 (", "S", String(2 ** 31 + 5))), 5);
  });

  it("has ended while the kernel lists it yet, which has told of its end by then", () => {
    assertEquals(startIn(stat("a", "Z", "123")), undefined);
    assertEquals(startIn(stat(") S 1 (", "X", "123")), undefined);
  });
});
