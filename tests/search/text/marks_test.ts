import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { markMatches } from "../../../examples/search/text/marks.ts";

/** The text with brackets round its marks. */
function marked(text: string, query: string): string {
  let result = "";
  let at = 0;
  for (const [start, end] of markMatches(text, query)) {
    result += `${text.slice(at, start)}[${text.slice(start, end)}]`;
    at = end;
  }
  return result + text.slice(at);
}

describe("markMatches()", () => {
  it("marks words as they are written, whatever their case and accents", () => {
    assertEquals(marked("The Ox, an OX; a boxcar.", "ox"), "The [Ox], an [OX]; a boxcar.");
    assertEquals(marked("Café — cafe\u0301 CAFÉ", "cafe"), "[Café] — [cafe\u0301] [CAFÉ]");
  });

  it("marks inflections", () => {
    assertEquals(marked("mapped maps of mapping", "map"), "[mapped] [maps] of [mapping]");
  });

  it("marks guesses only where the word itself is not there", () => {
    assertEquals(marked("memory memories", "memroy"), "[memory] memories");
    assertEquals(marked("memoir memory memo", "memo"), "memoir memory [memo]");
    assertEquals(marked("memoir memory", "memo"), "[memoir] [memory]");
    assertEquals(marked("a b at an", "ax"), "a b at an");
  });

  it("marks runs of scripts without spaces as one", () => {
    assertEquals(marked("今日は東京都の水道です", "東京都 水"), "今日は[東京都]の[水]道です");
  });

  it("counts in UTF-16", () => {
    assertEquals(markMatches("😀 é ox", "ox"), [[5, 7]]);
  });

  it("marks nothing in nothing, and for nothing", () => {
    assertEquals(markMatches("", "ox"), []);
    assertEquals(markMatches("ox", ""), []);
    assertEquals(markMatches("ox", "?!"), []);
  });

  it("gives ranges that ascend, lie apart and within any text, and splits no character", () => {
    const text = fc.string({
      unit: fc.constantFrom("a", "s", " ", "漢", "字", "é", "\u0301", "\u{20000}", "😀", "\n"),
      maxLength: 30,
    });
    fc.assert(fc.property(text, text, (text, query) => {
      let last = -1;
      for (const [start, end] of markMatches(text, query)) {
        assert(start > last && end > start && end <= text.length);
        assert(text.slice(start, end).isWellFormed() && text.slice(0, start).isWellFormed());
        last = end;
      }
    }));
  });
});
