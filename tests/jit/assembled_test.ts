import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import * as assembled from "../../lib/jit/assembled.ts";
import { programs } from "../../lib/jit/programs.ts";

describe("the assembled programs", () => {
  it("are what the assembler makes of their sources: else run scripts/assemble.ts", () => {
    const fresh = Object.fromEntries(Object.entries(programs).map(([name, program]) => [name, program()]));
    // Asked of the CPU by itself, where it is asked at all.
    fresh.xgetbv = { ...fresh.xgetbv, features: new Set() };
    assertEquals({ ...assembled }, fresh);
  });
});
