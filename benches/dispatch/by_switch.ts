import { COUNT, type Numbered, PASSES } from "./items.ts";

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

export function bySwitch(list: readonly Numbered[]): number {
  let sum = 0;
  for (let pass = 0; pass < PASSES; pass++) for (let i = 0; i < COUNT; i++) sum += sizeOf(list[i]);
  return sum;
}
