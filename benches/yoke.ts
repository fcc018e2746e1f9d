/**
 * Claim: reading a yoke's value costs at most 5 ns more than reading a property.
 *
 * Each contender adds up the values of the same thousand small integers, held by a property or by a yoke; the sum is
 * checked. The other tables say what a yoke's life costs, most of which is the collector's registry, that finds the
 * forgotten ones: beside an object that the host's registry alone watches; and what it costs a thread to own what another
 * shares.
 *
 * @module
 */
import { Mmap } from "../lib/mem/mmap.ts";
import { Arc, PinnedBytes, Rc, type StableBytes, Yoke } from "../lib/mem/yoke.ts";
import { compare, type Contender, equals, timed } from "./compare.ts";

const COUNT = 1000;
const PASSES = 100;
const SUM = PASSES * COUNT * (COUNT - 1) / 2;

interface Plain {
  readonly value: number;
}

function ofProperties(plain: readonly Plain[]): number {
  let sum = 0;
  for (let pass = 0; pass < PASSES; pass++) for (let i = 0; i < COUNT; i++) sum += plain[i].value;
  return sum;
}

function ofYokes(yokes: readonly Yoke<number, PinnedBytes>[]): number {
  let sum = 0;
  for (let pass = 0; pass < PASSES; pass++) for (let i = 0; i < COUNT; i++) sum += yokes[i].value;
  return sum;
}

function ofErased(yokes: readonly Yoke<number>[]): number {
  let sum = 0;
  for (let pass = 0; pass < PASSES; pass++) for (let i = 0; i < COUNT; i++) sum += yokes[i].value;
  return sum;
}

function ofRcs(rcs: readonly Rc<number>[]): number {
  let sum = 0;
  for (let pass = 0; pass < PASSES; pass++) for (let i = 0; i < COUNT; i++) sum += rcs[i].value;
  return sum;
}

const PROPERTY = "property";
const YOKE = "Yoke.value";

async function reading(quick: boolean): Promise<void> {
  using pinned = PinnedBytes.zeros(8);
  using rc = Rc.of(new Uint8Array(8));
  const carts: StableBytes[] = [pinned, rc];
  using stack = new DisposableStack();
  const numbers = Array.from({ length: COUNT }, (_, i) => i);
  const plain = numbers.map((value) => ({ value }));
  const yokes = numbers.map((i) => stack.use(Yoke.attach(pinned, () => i)));
  const erased = numbers.map((i) =>
    stack.use(i % 3 === 2 ? Yoke.alwaysOwned(i).erase() : Yoke.attach(carts[i % 3], () => i).erase())
  );
  const rcs = numbers.map((i) => stack.use(Rc.of(i)));
  function read(name: string, run: () => number): Contender {
    return timed({ name, quick, run, check: equals(name, SUM), figure: (ns) => ns / (PASSES * COUNT) });
  }
  await compare({
    title: "reading a value",
    units: ["ns"],
    baseline: PROPERTY,
    contenders: [
      read(PROPERTY, () => ofProperties(plain)),
      read(YOKE, () => ofYokes(yokes)),
      read("Yoke.value, carts of three kinds, erased", () => ofErased(erased)),
      read("Rc.value", () => ofRcs(rcs)),
    ],
    quick,
    // Stricter than the claim: of the whole read, and not of what it costs more.
    targets: [{ name: YOKE, figuresAtMost: [5] }],
  });
}

const LIVES = 100;

async function living(quick: boolean): Promise<void> {
  using cart = PinnedBytes.copy(Uint8Array.of(1));
  using yoke = Yoke.attach(cart, () => 1);
  using rc = Rc.of(1);
  const registry = new FinalizationRegistry<number>(() => {});
  function life(name: string, one: () => number): Contender {
    return timed({
      name,
      quick,
      run() {
        let sum = 0;
        for (let i = 0; i < LIVES; i++) sum += one();
        return sum;
      },
      check: equals(name, LIVES),
      figure: (ns) => ns / LIVES,
    });
  }
  await compare({
    title: "making and disposing",
    units: ["ns"],
    baseline: "registered by the host, unregistered",
    contenders: [
      life("registered by the host, unregistered", () => {
        const handle = { value: 1 };
        registry.register(handle, 1, handle);
        registry.unregister(handle);
        return handle.value;
      }),
      life("Yoke.attach of a number", () => {
        const yoke = Yoke.attach(cart, () => 1);
        const { value } = yoke;
        yoke[Symbol.dispose]();
        return value;
      }),
      life("Yoke.attach of a view", () => {
        const yoke = Yoke.attach(cart, (cart) => cart.bytes());
        const [value] = yoke.value;
        yoke[Symbol.dispose]();
        return value;
      }),
      life("the view alone", () => cart.bytes()[0]),
      life("Yoke.clone", () => {
        const clone = yoke.clone();
        const { value } = clone;
        clone[Symbol.dispose]();
        return value;
      }),
      life("the same by `using`", () => {
        using clone = yoke.clone();
        return clone.value;
      }),
      life("Yoke.alwaysOwned", () => {
        const yoke = Yoke.alwaysOwned(1);
        const { value } = yoke;
        yoke[Symbol.dispose]();
        return value;
      }),
      life("Rc.clone", () => {
        const clone = rc.clone();
        const { value } = clone;
        clone[Symbol.dispose]();
        return value;
      }),
    ],
    quick,
  });
}

async function sharing(quick: boolean): Promise<void> {
  using map = Mmap.anonymous(4096);
  using arc = Arc.share(map);
  const [ofArc, ofMap] = [arc.handle(), map.share()];
  function act(name: string, run: () => number): Contender {
    return timed({ name, quick, run, check: equals(name, 4096), figure: (ns) => ns / 1000 });
  }
  await compare({
    title: "adopting what a thread shares, and disposing",
    units: ["µs"],
    baseline: "Mmap.adopt",
    contenders: [
      act("Mmap.adopt", () => {
        const adopted = Mmap.adopt(ofMap);
        const { byteLength } = adopted;
        adopted[Symbol.dispose]();
        return byteLength;
      }),
      act("Arc.adopt", () => {
        const adopted = Arc.adopt(ofArc);
        const { byteLength } = adopted;
        adopted[Symbol.dispose]();
        return byteLength;
      }),
      act("Arc.clone", () => {
        const clone = arc.clone();
        const { byteLength } = clone;
        clone[Symbol.dispose]();
        return byteLength;
      }),
    ],
    quick,
    targets: [{ name: "Arc.adopt", figuresAtMost: [50] }],
  });
}

export async function run({ quick }: { quick: boolean }): Promise<void> {
  await reading(quick);
  await living(quick);
  await sharing(quick);
}
