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

interface Shape {
  readonly name: string;
  readonly side: number;
  size(): number;
}

class S0 implements Shape {
  readonly name = "s0";
  readonly side: number;
  constructor(side: number) {
    this.side = side;
  }
  size(): number {
    return this.side;
  }
}
class S1 implements Shape {
  readonly name = "s1";
  readonly side: number;
  constructor(side: number) {
    this.side = side;
  }
  size(): number {
    return this.side + 1;
  }
}
class S2 implements Shape {
  readonly name = "s2";
  readonly side: number;
  constructor(side: number) {
    this.side = side;
  }
  size(): number {
    return this.side + 2;
  }
}
class S3 implements Shape {
  readonly name = "s3";
  readonly side: number;
  constructor(side: number) {
    this.side = side;
  }
  size(): number {
    return this.side + 3;
  }
}
class S4 implements Shape {
  readonly name = "s4";
  readonly side: number;
  constructor(side: number) {
    this.side = side;
  }
  size(): number {
    return this.side + 4;
  }
}
class S5 implements Shape {
  readonly name = "s5";
  readonly side: number;
  constructor(side: number) {
    this.side = side;
  }
  size(): number {
    return this.side + 5;
  }
}
class S6 implements Shape {
  readonly name = "s6";
  readonly side: number;
  constructor(side: number) {
    this.side = side;
  }
  size(): number {
    return this.side + 6;
  }
}
class S7 implements Shape {
  readonly name = "s7";
  readonly side: number;
  constructor(side: number) {
    this.side = side;
  }
  size(): number {
    return this.side + 7;
  }
}

const classes = [S0, S1, S2, S3, S4, S5, S6, S7];
const COUNT = 4096;
const PASSES = 16;

/** Which class comes when: random, and the same in each run. */
const order = (() => {
  let state = 1;
  return Array.from({ length: COUNT }, () => (state = state * 48271 % 2147483647) >> 8);
})();

function shapes(kinds: number): Shape[] {
  return order.map((random, i) => new classes[random % kinds](i & 15));
}

function expected(kinds: number): number {
  return PASSES * order.reduce((sum, random, i) => sum + (i & 15) + random % kinds, 0);
}

function sizeOfS0(shape: S0): number {
  return shape.side;
}

function known(list: readonly S0[]): number {
  let sum = 0;
  for (let pass = 0; pass < PASSES; pass++) for (let i = 0; i < COUNT; i++) sum += sizeOfS0(list[i]);
  return sum;
}

function one(list: readonly Shape[]): number {
  let sum = 0;
  for (let pass = 0; pass < PASSES; pass++) for (let i = 0; i < COUNT; i++) sum += list[i].size();
  return sum;
}

function two(list: readonly Shape[]): number {
  let sum = 0;
  for (let pass = 0; pass < PASSES; pass++) for (let i = 0; i < COUNT; i++) sum += list[i].size();
  return sum;
}

function four(list: readonly Shape[]): number {
  let sum = 0;
  for (let pass = 0; pass < PASSES; pass++) for (let i = 0; i < COUNT; i++) sum += list[i].size();
  return sum;
}

function eight(list: readonly Shape[]): number {
  let sum = 0;
  for (let pass = 0; pass < PASSES; pass++) for (let i = 0; i < COUNT; i++) sum += list[i].size();
  return sum;
}

/** An item that says by a name what it is, in one shape. */
interface Named {
  readonly name: string;
  readonly side: number;
}

const table: Readonly<Record<string, (item: Named) => number>> = {
  s0: ({ side }) => side,
  s1: ({ side }) => side + 1,
  s2: ({ side }) => side + 2,
  s3: ({ side }) => side + 3,
  s4: ({ side }) => side + 4,
  s5: ({ side }) => side + 5,
  s6: ({ side }) => side + 6,
  s7: ({ side }) => side + 7,
};
const asMap = new Map(Object.entries(table));

function byProperty(list: readonly Named[]): number {
  let sum = 0;
  for (let pass = 0; pass < PASSES; pass++) {
    for (let i = 0; i < COUNT; i++) {
      const item = list[i];
      sum += table[item.name](item);
    }
  }
  return sum;
}

function byMap(list: readonly Named[]): number {
  let sum = 0;
  for (let pass = 0; pass < PASSES; pass++) {
    for (let i = 0; i < COUNT; i++) {
      const item = list[i];
      sum += asMap.get(item.name)?.(item) ?? NaN;
    }
  }
  return sum;
}

interface Numbered {
  readonly kind: number;
  readonly side: number;
}

function sizeOf({ kind, side }: Numbered): number {
  switch (kind) {
    case 0:
      return side;
    case 1:
      return side + 1;
    case 2:
      return side + 2;
    case 3:
      return side + 3;
    case 4:
      return side + 4;
    case 5:
      return side + 5;
    case 6:
      return side + 6;
    case 7:
      return side + 7;
    default:
      throw new RangeError(`no kind ${kind}`);
  }
}

function bySwitch(list: readonly Numbered[]): number {
  let sum = 0;
  for (let pass = 0; pass < PASSES; pass++) for (let i = 0; i < COUNT; i++) sum += sizeOf(list[i]);
  return sum;
}

type Sided = Pick<Numbered, "side">;

/** Items of one kind, and what adds them up. */
interface Batch {
  sum(): number;
}

class B0 implements Batch {
  readonly items: readonly Sided[];
  constructor(items: readonly Sided[]) {
    this.items = items;
  }
  sum(): number {
    let sum = 0;
    for (let i = 0; i < this.items.length; i++) sum += this.items[i].side;
    return sum;
  }
}
class B1 implements Batch {
  readonly items: readonly Sided[];
  constructor(items: readonly Sided[]) {
    this.items = items;
  }
  sum(): number {
    let sum = 0;
    for (let i = 0; i < this.items.length; i++) sum += this.items[i].side + 1;
    return sum;
  }
}
class B2 implements Batch {
  readonly items: readonly Sided[];
  constructor(items: readonly Sided[]) {
    this.items = items;
  }
  sum(): number {
    let sum = 0;
    for (let i = 0; i < this.items.length; i++) sum += this.items[i].side + 2;
    return sum;
  }
}
class B3 implements Batch {
  readonly items: readonly Sided[];
  constructor(items: readonly Sided[]) {
    this.items = items;
  }
  sum(): number {
    let sum = 0;
    for (let i = 0; i < this.items.length; i++) sum += this.items[i].side + 3;
    return sum;
  }
}
class B4 implements Batch {
  readonly items: readonly Sided[];
  constructor(items: readonly Sided[]) {
    this.items = items;
  }
  sum(): number {
    let sum = 0;
    for (let i = 0; i < this.items.length; i++) sum += this.items[i].side + 4;
    return sum;
  }
}
class B5 implements Batch {
  readonly items: readonly Sided[];
  constructor(items: readonly Sided[]) {
    this.items = items;
  }
  sum(): number {
    let sum = 0;
    for (let i = 0; i < this.items.length; i++) sum += this.items[i].side + 5;
    return sum;
  }
}
class B6 implements Batch {
  readonly items: readonly Sided[];
  constructor(items: readonly Sided[]) {
    this.items = items;
  }
  sum(): number {
    let sum = 0;
    for (let i = 0; i < this.items.length; i++) sum += this.items[i].side + 6;
    return sum;
  }
}
class B7 implements Batch {
  readonly items: readonly Sided[];
  constructor(items: readonly Sided[]) {
    this.items = items;
  }
  sum(): number {
    let sum = 0;
    for (let i = 0; i < this.items.length; i++) sum += this.items[i].side + 7;
    return sum;
  }
}

const batchClasses = [B0, B1, B2, B3, B4, B5, B6, B7];

function byBatch(list: readonly Batch[]): number {
  let sum = 0;
  for (let pass = 0; pass < PASSES; pass++) for (let i = 0; i < list.length; i++) sum += list[i].sum();
  return sum;
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
