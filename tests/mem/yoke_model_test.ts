import { describe, it } from "node:test";
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { Yoke } from "../../lib/mem/yoke.ts";
import { tiered } from "../tier.ts";
import { CountedCart } from "./counted_cart.ts";

const RUNS = tiered({ quick: 300, full: 10_000, soak: 300_000 });

/** What a sequence of steps does to one of the yokes, and to what is expected of it. */
interface Modelled {
  readonly yoke: Yoke<number, CountedCart>;
  value: number;
  cart: number;
}

describe("any sequence of steps", () => {
  it("leaves each cart held by its live yokes, and each value as a model has it", () => {
    const kinds = [
      "attach",
      "fail",
      "clone",
      "map",
      "failing map",
      "project",
      "change",
      "replace",
      "into",
      "dispose",
    ];
    const step = fc.record({ kind: fc.constantFrom(...kinds), which: fc.nat(), number: fc.nat(2) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const carts = [new CountedCart(0), new CountedCart(1), new CountedCart(2)];
        const ended: Modelled[] = [];
        let live: Modelled[] = [];
        const end = (modelled: Modelled) => {
          live = live.filter((other) => other !== modelled);
          ended.push(modelled);
        };
        for (const { kind, which, number } of steps) {
          const target = live[which % (live.length || 1)];
          if (kind === "attach" || target === undefined) {
            live.push({ yoke: Yoke.attach(carts[number], () => number), value: number, cart: number });
          } else if (kind === "fail") {
            assertThrows(() => Yoke.attach(carts[number], fail), RangeError);
          } else if (kind === "clone") {
            live.push({ ...target, yoke: target.yoke.clone() });
          } else if (kind === "map") {
            const yoke = target.yoke.map((value) => value + 10);
            end(target);
            live.push({ ...target, yoke, value: target.value + 10 });
          } else if (kind === "failing map") {
            assertThrows(() => target.yoke.map(fail), RangeError);
          } else if (kind === "project") {
            live.push({ ...target, yoke: target.yoke.project((value) => -value), value: -target.value });
          } else if (kind === "change") {
            target.value = target.yoke.withMut((slot) => slot.value = slot.value * 2 + number);
          } else if (kind === "replace") {
            const yoke = target.yoke.replaceCart(() => carts[number]);
            end(target);
            live.push({ yoke, value: target.value, cart: number });
          } else if (kind === "into") {
            target.yoke.intoCart().release();
            end(target);
          } else {
            target.yoke[Symbol.dispose]();
            target.yoke[Symbol.dispose]();
            end(target);
          }
          const holders = carts.map((_, i) => live.filter(({ cart }) => cart === i).length);
          assertEquals(carts.map(({ holds }) => holds), holders);
          assertEquals(live.map(({ yoke }) => yoke.value), live.map(({ value }) => value));
          assertEquals(live.map(({ yoke }) => carts.indexOf(yoke.cart)), live.map(({ cart }) => cart));
          assert(ended.every(({ yoke }) => yoke.isDisposed));
        }
        for (const { yoke } of live) yoke[Symbol.dispose]();
        assertEquals(carts.map(({ holds }) => holds), [0, 0, 0]);
      }),
      { numRuns: RUNS },
    );
  });
});

function fail(): never {
  throw new RangeError("broken");
}
