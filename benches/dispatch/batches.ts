import { type Numbered, PASSES } from "./items.ts";

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

export const batchClasses = [B0, B1, B2, B3, B4, B5, B6, B7];

export function byBatch(list: readonly Batch[]): number {
  let sum = 0;
  for (let pass = 0; pass < PASSES; pass++) for (let i = 0; i < list.length; i++) sum += list[i].sum();
  return sum;
}
