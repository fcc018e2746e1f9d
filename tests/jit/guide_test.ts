import { describe, it } from "node:test";
import { assertEquals, assertMatch } from "@std/assert";
import { cpu } from "../../lib/jit/mod.ts";
import { outputOf } from "../child.ts";
import { guide, programs } from "../guide.ts";
import { skipping } from "../skip.ts";

describe("the guide to machine code", () => {
  const [{ source, printed }] = programs(guide("jit.md"));
  const skip = skipping(!cpu().features.has("fma") && "this CPU has no FMA");

  it("has a kernel that is right, and says how fast", { skip }, () => {
    const lines = outputOf(source).split("\n");
    assertEquals(lines.slice(0, -1), printed);
    assertMatch(lines[lines.length - 1], /^\d+ times as fast$/);
  });

  it("has it in forty lines", () => {
    const kernel = source.slice(source.indexOf("// float dot"), source.indexOf("function time"));
    assertEquals(kernel.split("\n").filter((line) => line !== "").length <= 40, true);
  });
});
