import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { moduleUrl, outputOf } from "../child.ts";
import { guide, programs } from "../guide.ts";

const MODULES: Readonly<Record<string, string>> = {
  mmap: "lib/mem/mmap.ts",
  safetensors: "lib/formats/safetensors.ts",
  yoke: "lib/mem/yoke.ts",
};

describe("the guide to yokes", () => {
  const text = guide("yoke.md").replace(
    /@oxbow\/oxbow\/(\w+)/g,
    (_, name: string) => moduleUrl(MODULES[name]),
  );
  const all = programs(text);

  it("has programs that print what they say", () => {
    assertEquals(all.length, 2);
    for (const { source, printed } of all) {
      const lines = outputOf(source).split("\n").map((line) => line.replaceAll("'", '"'));
      assertEquals(lines, printed);
    }
  });
});
