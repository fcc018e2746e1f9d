import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { TopK } from "../../../examples/search/index/top_k.ts";

describe("TopK", () => {
  /** Few values, so that there are ties, and errors of up to half of the slack. */
  const scores = fc.array(
    fc.tuple(fc.integer({ min: -3, max: 12 }), fc.double({ min: -1, max: 1, noNaN: true })),
    {
      maxLength: 200,
    },
  );

  it("finds what sorting by the exact scores finds, from scores with errors", () => {
    fc.assert(
      fc.property(
        scores,
        fc.integer({ min: 1, max: 30 }),
        fc.constantFrom(0.001, 1, 5),
        (scores, k, slack) => {
          const exact = scores.map(([score]) => score / 10);
          const top = new TopK(k, slack);
          scores.forEach(([score, error], item) => {
            const known = score / 10 + 0.5 * slack * error;
            if (known >= top.threshold) top.offer(item, known);
          });
          const expected = exact.map((score, item) => ({ item, score })).filter(({ score }) => score > 0)
            .sort((a, b) => b.score - a.score || a.item - b.item).slice(0, k);
          assertEquals(top.best((item) => exact[item]), expected);
        },
      ),
    );
  });

  it("scores few again where errors are small", () => {
    const top = new TopK(10, 1e-5);
    let asked = 0;
    for (let item = 0; item < 10_000; item++) top.offer(item, ((item * 7919) % 10_000) / 10_000 + 1e-4);
    const best = top.best((item) => {
      asked++;
      return ((item * 7919) % 10_000) / 10_000 + 1e-4;
    });
    assertEquals(best.length, 10);
    assert(asked < 20, `${asked} were scored again`);
  });
});
