import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { isOneEditApart } from "../../../examples/search/text/edits.ts";

/** Optimal string alignment distance, by the table. */
function distance(a: string, b: string): number {
  const table = Array.from({ length: a.length + 1 }, (_, i) => [i, ...new Array<number>(b.length).fill(0)]);
  for (let j = 0; j <= b.length; j++) table[0][j] = j;
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const change = a[i - 1] === b[j - 1] ? 0 : 1;
      table[i][j] = Math.min(table[i - 1][j] + 1, table[i][j - 1] + 1, table[i - 1][j - 1] + change);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) table[i][j] = Math.min(table[i][j], table[i - 2][j - 2] + 1);
    }
  }
  return table[a.length][b.length];
}

function apart(a: string, b: string): boolean {
  const units = (text: string) => Array.from(text, (unit) => unit.charCodeAt(0));
  return isOneEditApart(units(a), units(b));
}

describe("isOneEditApart()", () => {
  it("agrees with the distance by dynamic programming", () => {
    const word = fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 6 }).map((letters) =>
      letters.join("")
    );
    fc.assert(fc.property(word, word, (a, b) => assertEquals(apart(a, b), distance(a, b) === 1)), {
      numRuns: 1000,
    });
  });

  it("knows the four slips, and not two of them", () => {
    for (const slip of ["cable", "tables", "tale", "tabel", "ttable", "able"]) {
      assert(apart("table", slip), slip);
    }
    for (const other of ["table", "cables", "tabels", "elbat", "", "bat"]) {
      assert(!apart("table", other), other);
    }
  });
});
