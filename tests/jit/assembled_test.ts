import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import * as assembled from "../../lib/jit/assembled.ts";
import type { SharedObject } from "../../lib/jit/elf.ts";
import { sonameOf } from "../../lib/jit/library.ts";
import { processObjects } from "../../lib/jit/process_objects.ts";
import { programs } from "../../lib/jit/programs.ts";

describe("the assembled programs", () => {
  it("are what the assembler makes of their sources: else run scripts/assemble.ts", () => {
    const fresh = Object.fromEntries(Object.entries(programs).map(([name, program]) => [name, program()]));
    // Asked of the CPU by itself, where it is asked at all.
    fresh.xgetbv = { ...fresh.xgetbv, features: new Set() };
    // In all of x86-64.
    fresh.httpHead = { ...fresh.httpHead, features: new Set() };
    assertEquals({ ...assembled }, fresh);
  });

  it("are named by their content, where the process has them once: else run scripts/assemble.ts", () => {
    for (const { soname, ...object } of Object.values<SharedObject>(processObjects)) {
      assertEquals(soname, sonameOf(object));
    }
  });
});
