import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { moduleUrl, outputOf } from "../../child.ts";
import { guide, programs } from "../../guide.ts";

describe("the guide to shared memory", () => {
  it("has a program that prints what it says", () => {
    const text = guide("shared.md").replaceAll(
      /@oxbow\/oxbow\/(mmap|shared)/g,
      (_, name: string) => moduleUrl(`lib/mem/${name}.ts`),
    );
    const [{ source, printed }] = programs(text);
    assertEquals(outputOf(source).split("\n"), printed);
  });
});
