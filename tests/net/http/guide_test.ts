import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { outputOf } from "../../child.ts";
import { guide, programs } from "../../guide.ts";

describe("the guide to HTTP", () => {
  const all = programs(guide("http.md"));

  it("has a server, a lean one, one on all cores, one of files, one of events and one of WebSockets", () => {
    assertEquals(all.length, 6);
  });

  all.forEach(({ source, printed }, i) => {
    it(`prints what it says, in its program ${i + 1}`, () => {
      assert(printed.length > 0);
      assertEquals(outputOf(source, { configured: true }).split("\n"), printed);
    });
  });
});
