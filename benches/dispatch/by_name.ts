import { COUNT, PASSES } from "./items.ts";

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

export function byProperty(list: readonly Named[]): number {
  let sum = 0;
  for (let pass = 0; pass < PASSES; pass++) {
    for (let i = 0; i < COUNT; i++) {
      const item = list[i];
      sum += table[item.name](item);
    }
  }
  return sum;
}

export function byMap(list: readonly Named[]): number {
  let sum = 0;
  for (let pass = 0; pass < PASSES; pass++) {
    for (let i = 0; i < COUNT; i++) {
      const item = list[i];
      sum += asMap.get(item.name)?.(item) ?? NaN;
    }
  }
  return sum;
}
