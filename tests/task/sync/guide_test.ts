import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { moduleUrl, outputOf } from "../../child.ts";
import { guide, programs } from "../../guide.ts";

const MODULES: Readonly<Record<string, string>> = {
  mmap: "lib/mem/mmap.ts",
  shared: "lib/mem/shared.ts",
  sync: "lib/task/sync.ts",
  task: "lib/task/mod.ts",
};

describe("the guide to locks", () => {
  it("has programs that print what they say", () => {
    const text = guide("sync.md").replaceAll(
      /@oxbow\/oxbow\/(\w+)/g,
      (_, name: string) => moduleUrl(MODULES[name] ?? name),
    );
    const all = programs(text);
    assertEquals(all.length, 4);
    for (const { source, printed } of all) assertEquals(outputOf(source).split("\n"), printed);
  });
});
