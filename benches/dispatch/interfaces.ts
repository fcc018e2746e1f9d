import { COUNT, order, PASSES } from "./items.ts";

interface Shape {
  readonly name: string;
  readonly side: number;
  size(): number;
}

export class S0 implements Shape {
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

export function shapes(kinds: number): Shape[] {
  return order.map((random, i) => new classes[random % kinds](i & 15));
}

function sizeOfS0(shape: S0): number {
  return shape.side;
}

export function known(list: readonly S0[]): number {
  let sum = 0;
  for (let pass = 0; pass < PASSES; pass++) for (let i = 0; i < COUNT; i++) sum += sizeOfS0(list[i]);
  return sum;
}

export function one(list: readonly Shape[]): number {
  let sum = 0;
  for (let pass = 0; pass < PASSES; pass++) for (let i = 0; i < COUNT; i++) sum += list[i].size();
  return sum;
}

export function two(list: readonly Shape[]): number {
  let sum = 0;
  for (let pass = 0; pass < PASSES; pass++) for (let i = 0; i < COUNT; i++) sum += list[i].size();
  return sum;
}

export function four(list: readonly Shape[]): number {
  let sum = 0;
  for (let pass = 0; pass < PASSES; pass++) for (let i = 0; i < COUNT; i++) sum += list[i].size();
  return sum;
}

export function eight(list: readonly Shape[]): number {
  let sum = 0;
  for (let pass = 0; pass < PASSES; pass++) for (let i = 0; i < COUNT; i++) sum += list[i].size();
  return sum;
}
