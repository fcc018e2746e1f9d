/**
 * What a call through an interface costs, where the loop meets one class, two, four or eight, against a call of a
 * function that is known; and what choosing by name costs, an object's property being the method table that the
 * engine otherwise keeps for us.
 *
 * All add up the same thousands of numbers, one call for each, and the sum is checked. Classes come in a random
 * order, as items of a real list do. Each contender has a loop of its own, since an engine learns by the place of
 * the call which classes come by. The last two are what to do instead: a `switch`, and one call for a whole batch,
 * of eight classes over the same objects as the `switch` has, so that what it saves is the calls.
 *
 * @module
 */
import { compare, type Contender, equals, timed } from "./compare.ts";
import { batchClasses, byBatch } from "./dispatch/batches.ts";
import { byMap, byProperty } from "./dispatch/by_name.ts";
import { bySwitch } from "./dispatch/by_switch.ts";
import { eight, four, known, one, S0, shapes, two } from "./dispatch/interfaces.ts";
import { COUNT, order, PASSES } from "./dispatch/items.ts";

function expected(kinds: number): number {
  return PASSES * order.reduce((sum, random, i) => sum + (i & 15) + random % kinds, 0);
}

const KNOWN = "a known function";

export async function run({ quick }: { quick: boolean }): Promise<void> {
  function calls(name: string, kinds: number, run: () => number): Contender {
    const check = equals(name, expected(kinds));
    return timed({ name, quick, run, check, figure: (ns) => ns / (PASSES * COUNT) });
  }
  const plain = order.map((_, i) => new S0(i & 15));
  const [ofOne, ofTwo, ofFour, ofEight] = [1, 2, 4, 8].map(shapes);
  const numbered = order.map((random, i) => ({ kind: random % 8, side: i & 15 }));
  const named = numbered.map(({ kind, side }) => ({ name: `s${kind}`, side }));
  const batches = batchClasses.map((Batch, kind) => new Batch(numbered.filter((item) => item.kind === kind)));
  await compare({
    title: `calls for ${COUNT} items`,
    units: ["ns an item"],
    baseline: KNOWN,
    contenders: [
      calls(KNOWN, 1, () => known(plain)),
      calls("interface, 1 class", 1, () => one(ofOne)),
      calls("interface, 2 classes", 2, () => two(ofTwo)),
      calls("interface, 4 classes", 4, () => four(ofFour)),
      calls("interface, 8 classes", 8, () => eight(ofEight)),
      calls("map[name], 8 functions", 8, () => byProperty(named)),
      calls("Map.get(name), 8 functions", 8, () => byMap(named)),
      calls("switch, 8 kinds", 8, () => bySwitch(numbered)),
      calls("8 classes of batches, an item", 8, () => byBatch(batches)),
    ],
    quick,
  });
}
