import { after, before, describe, it } from "node:test";
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { MapInUseError, MapTransferredError, Mmap } from "../../lib/mem/mmap.ts";
import { PinnedBytes, Rc, Yoke } from "../../lib/mem/yoke.ts";
import { CountedCart } from "./counted_cart.ts";
import { tiered } from "../tier.ts";

const RUNS = tiered({ quick: 300, full: 10_000, soak: 300_000 });

describe("Yoke.attach", () => {
  it("holds the cart until it is disposed", () => {
    const cart = new CountedCart(1, 2, 3);
    const yoke = Yoke.attach(cart, (cart) => cart.bytes(1));
    assertEquals([cart.holds, [...yoke.value]], [1, [2, 3]]);
    assertStrictEquals(yoke.cart, cart);
    yoke[Symbol.dispose]();
    assertEquals([cart.holds, yoke.isDisposed], [0, true]);
    yoke[Symbol.dispose]();
    assertEquals(cart.holds, 0);
  });

  it("retains the cart before anything is derived of it", () => {
    const cart = new CountedCart(1);
    Yoke.attach(cart, (cart) => assertEquals(cart.holds, 1))[Symbol.dispose]();
    assertEquals(cart.holds, 0);
  });

  it("releases the cart where deriving throws, and throws the same", () => {
    const cart = new CountedCart(1);
    const thrown = new RangeError("broken");
    const derive = (): never => {
      throw thrown;
    };
    assertStrictEquals(assertThrows(() => Yoke.attach(cart, derive), RangeError), thrown);
    assertStrictEquals(assertThrows(() => Yoke.tryAttach(cart, derive), RangeError), thrown);
    assertEquals([cart.holds, cart.retains], [0, 2]);
  });

  it("refuses a cart that has gone, and derives nothing", () => {
    const cart = PinnedBytes.zeros(1);
    cart[Symbol.dispose]();
    let calls = 0;
    assertThrows(
      () => Yoke.attach(cart, () => calls++),
      Error,
      "cannot retain a PinnedBytes: it was disposed",
    );
    assertThrows(() => Yoke.tryAttach(cart, () => calls++), Error, "cannot retain a PinnedBytes");
    assertEquals(calls, 0);
  });

  it("refuses a promise, and whatever is awaited like one, and releases the cart", () => {
    const cart = new CountedCart(1);
    for (
      const later of [Promise.resolve(1), { then: () => {} }, Object.assign(() => {}, { then: () => {} })]
    ) {
      assertThrows(
        () => Yoke.attach(cart, () => later),
        TypeError,
        "cannot attach a yoke: the function gave a promise",
      );
      assertThrows(() => Yoke.tryAttach(cart, () => later), TypeError, "gave a promise");
    }
    assertEquals(cart.holds, 0);
    using yoke = Yoke.attach(cart, () => ({ then: "a word" }));
    assertThrows(() => yoke.map(() => Promise.resolve()), TypeError, "cannot map a yoke");
    assertThrows(() => yoke.project(() => Promise.resolve()), TypeError, "cannot project a yoke");
    assertThrows(() => yoke.withMut(() => Promise.resolve()), TypeError, "cannot change a yoke");
    assertEquals([cart.holds, yoke.value.then], [1, "a word"]);
  });

  it("releases the cart where the value's own `then` throws", () => {
    const cart = new CountedCart(1);
    const value = {
      get then(): never {
        throw new SyntaxError("of the value");
      },
    };
    assertThrows(() => Yoke.attach(cart, () => value), SyntaxError, "of the value");
    assertEquals(cart.holds, 0);
  });

  it("refuses what is no cart, and what is no function, before it retains anything", () => {
    const cart = new CountedCart(1);
    const noCarts = [
      undefined,
      null,
      5,
      {},
      new Uint8Array(1),
      { bytes() {}, retain() {} },
      { bytes() {}, release() {} },
      { retain() {}, release() {} },
    ];
    for (const method of [Yoke.attach, Yoke.tryAttach]) {
      for (const none of noCarts) {
        let calls = 0;
        const attach = () => Reflect.apply(method, Yoke, [none, () => calls++]);
        assertThrows(attach, TypeError, "cannot attach a yoke: cart is ");
        assertEquals(calls, 0);
      }
      for (const derive of [undefined, null, {}, "text"]) {
        const attach = () => Reflect.apply(method, Yoke, [cart, derive]);
        assertThrows(attach, TypeError, "cannot attach a yoke: derive is no function");
      }
    }
    assertEquals([cart.holds, cart.retains], [0, 0]);
  });

  it("refuses nonsense in all its methods, by name, and stays as it was", () => {
    const cart = new CountedCart(1);
    using yoke = Yoke.attach(cart, () => "value");
    using owned = Yoke.alwaysOwned("value");
    const methods: [string, string][] = [
      ["map", "map"],
      ["project", "project"],
      ["withMut", "change"],
      ["replaceCart", "replace the cart of"],
    ];
    for (const target of [yoke, owned]) {
      for (const none of [undefined, null, 5, {}]) {
        for (const [name, action] of methods) {
          const call = () => Reflect.apply(Reflect.get(target, name), target, [none]);
          assertThrows(call, TypeError, `cannot ${action} a yoke: f is no function`);
        }
        const into = () => Reflect.apply(target.tryIntoCart, target, [none]);
        assertThrows(into, TypeError, "cannot take the cart of a yoke: Class is no function");
      }
      const into = () => Reflect.apply(target.tryIntoCart, target, [() => {}]);
      assertThrows(into, TypeError, "Class is a function, and no class");
      for (const none of [undefined, 5, {}]) {
        const replace = () => Reflect.apply(target.replaceCart, target, [() => none]);
        assertThrows(replace, TypeError, "cannot replace the cart of a yoke: cart is ");
      }
    }
    assertEquals([yoke.value, owned.value, cart.holds, cart.retains], ["value", "value", 1, 1]);
  });

  it("can be called by none but itself", () => {
    assertThrows(() => Reflect.construct(Yoke, [Symbol("Yoke"), 1, null]), TypeError, "call Yoke.attach");
  });
});

describe("Yoke.tryAttach", () => {
  it("has no yoke, and releases the cart, where nothing was found in it", () => {
    const cart = new CountedCart(5, 7);
    const find = (wanted: number) =>
      Yoke.tryAttach(cart, (cart) => {
        const at = cart.bytes().indexOf(wanted);
        return at < 0 ? undefined : cart.bytes(at, 1);
      });
    assertEquals([find(6), Yoke.tryAttach(cart, () => null), cart.holds], [undefined, undefined, 0]);
    using found = find(7);
    assertEquals([found?.value[0], cart.holds], [7, 1]);
  });

  it("keeps what is false and yet something", () => {
    const cart = new CountedCart();
    for (const value of [0, "", false, NaN, 0n]) {
      using yoke = Yoke.tryAttach(cart, () => value);
      assertStrictEquals(yoke?.value, value);
    }
    assertEquals(cart.holds, 0);
  });
});

describe("a yoke's value", () => {
  it("is as it was while any yoke holds a cart that its owner has disposed, and empty after the last", () => {
    const cart = PinnedBytes.copy(Uint8Array.of(1, 2, 3));
    const first = Yoke.attach(cart, (cart) => cart.bytes());
    cart[Symbol.dispose]();
    const second = first.clone();
    const { value } = second;
    first[Symbol.dispose]();
    assertEquals([...value], [1, 2, 3]);
    using part = second.project((bytes) => bytes.subarray(2));
    second[Symbol.dispose]();
    assertEquals([...part.value], [3]);
    part[Symbol.dispose]();
    assertEquals([value.length, cart.isDisposed], [0, true]);
  });

  it("cannot be had of a yoke that was disposed, nor can anything else", () => {
    const cart = new CountedCart(1);
    const yoke = Yoke.attach(cart, () => 1);
    yoke[Symbol.dispose]();
    const uses: [string, () => unknown][] = [
      ["read", () => yoke.value],
      ["read", () => yoke.cart],
      ["map", () => yoke.map((value) => value)],
      ["project", () => yoke.project((value) => value)],
      ["clone", () => yoke.clone()],
      ["change", () => yoke.withMut(() => {})],
      ["replace the cart of", () => yoke.replaceCart((cart) => cart)],
      ["take the cart of", () => yoke.intoCart()],
      ["take the cart of", () => yoke.tryIntoCart(CountedCart)],
    ];
    for (const [action, use] of uses) {
      assertThrows(use, Error, `cannot ${action} a yoke: it was disposed, or another has taken its place`);
    }
    assertEquals([cart.holds, cart.retains], [0, 1]);
  });
});

describe("Yoke.map", () => {
  it("takes the yoke's place and its hold", () => {
    const cart = new CountedCart(1, 2);
    const yoke = Yoke.attach(cart, (cart) => cart.bytes());
    using mapped = yoke.map((bytes) => bytes.length);
    assertEquals([mapped.value, yoke.isDisposed, cart.holds, cart.retains], [2, true, 1, 1]);
    yoke[Symbol.dispose]();
    assertEquals([mapped.value, cart.holds], [2, 1]);
  });

  it("leaves the yoke as it was where the function throws", () => {
    const cart = new CountedCart(1);
    using yoke = Yoke.attach(cart, () => "value");
    const broken = (): never => {
      throw new RangeError("broken");
    };
    assertThrows(() => yoke.map(broken), RangeError, "broken");
    assertThrows(() => yoke.project(broken), RangeError, "broken");
    assertThrows(() => yoke.replaceCart(broken), RangeError, "broken");
    assertEquals([yoke.value, cart.holds], ["value", 1]);
  });

  it("throws where the function disposes the yoke itself, and nothing is released twice", () => {
    const cart = new CountedCart(1);
    const ways: ((yoke: Yoke<string, CountedCart>) => unknown)[] = [
      (yoke) => yoke.map(() => yoke[Symbol.dispose]()),
      (yoke) => yoke.map(() => yoke.intoCart().release()),
      (yoke) => yoke.map(() => yoke.map(() => 1)[Symbol.dispose]()),
      (yoke) => yoke.replaceCart((cart) => (yoke[Symbol.dispose](), cart)),
    ];
    for (const way of ways) {
      const yoke = Yoke.attach(cart, () => "value");
      assertThrows(() => way(yoke), Error, "it was disposed, or another has taken its place");
      assertEquals([cart.holds, yoke.isDisposed], [0, true]);
    }
  });

  it("projects though the function disposes the yoke, for the part has its own hold", () => {
    const cart = new CountedCart(1);
    const yoke = Yoke.attach(cart, () => "value");
    using part = yoke.project((value) => {
      yoke[Symbol.dispose]();
      return value[0];
    });
    assertEquals([part.value, cart.holds], ["v", 1]);
  });
});

describe("Yoke.withMut", () => {
  it("changes inside, replaces, and gives what the function gives", () => {
    const cart = new CountedCart(1, 2);
    using yoke = Yoke.attach(cart, (cart) => ({ bytes: cart.bytes(), name: "" }));
    const { value } = yoke;
    assertEquals(yoke.withMut((slot) => slot.value.name = "changed"), "changed");
    assertStrictEquals(yoke.value, value);
    yoke.withMut((slot) => slot.value = { bytes: slot.value.bytes.subarray(1), name: "replaced" });
    assertEquals([yoke.value.name, yoke.value.bytes[0], cart.holds], ["replaced", 2, 1]);
  });

  it("keeps the value it had where the function throws or puts a promise in", () => {
    const cart = new CountedCart(1);
    using yoke = Yoke.attach<unknown, CountedCart>(cart, () => "old");
    assertThrows(
      () =>
        yoke.withMut((slot) => {
          slot.value = "new";
          throw new RangeError("broken");
        }),
      RangeError,
      "broken",
    );
    assertThrows(
      () =>
        yoke.withMut((slot) => {
          slot.value = Promise.resolve();
        }),
      TypeError,
      "gave a promise",
    );
    assertEquals([yoke.value, yoke.isDisposed, cart.holds], ["old", false, 1]);
  });

  it("lets nobody else at the yoke meanwhile, and hears nothing of the slot afterwards", () => {
    const cart = new CountedCart(1);
    using yoke = Yoke.attach(cart, () => 1);
    let kept = { value: 0 };
    yoke.withMut((slot) => {
      kept = slot;
      assertEquals(yoke.isDisposed, false);
      for (
        const use of [
          () => yoke.value,
          () => yoke.clone(),
          () => yoke.withMut(() => {}),
          () => yoke[Symbol.dispose](),
          () => yoke.intoCart(),
        ]
      ) assertThrows(use, Error, "withMut is changing it");
    });
    kept.value = 2;
    assertEquals([yoke.value, cart.holds], [1, 1]);
  });
});

describe("a yoke's cart", () => {
  it("is replaced by one that keeps it, which is retained", () => {
    const cart = new CountedCart(1, 2);
    const yoke = Yoke.attach(cart, (cart) => cart.bytes());
    let dropped = 0;
    cart.retain();
    const rc = Rc.of(cart, (cart) => (dropped++, cart.release()));
    const replaced = yoke.replaceCart(() => rc);
    rc[Symbol.dispose]();
    assertEquals([yoke.isDisposed, [...replaced.value], cart.holds, dropped], [true, [1, 2], 2, 0]);
    replaced[Symbol.dispose]();
    assertEquals([cart.holds, dropped], [0, 1]);
  });

  it("is not replaced by one that has gone", () => {
    const cart = new CountedCart(1);
    const gone = new CountedCart(1);
    gone.isGone = true;
    using yoke = Yoke.attach(cart, () => 1);
    assertThrows(() => yoke.replaceCart(() => gone), Error, "the cart has gone");
    assertEquals([yoke.value, cart.holds], [1, 1]);
  });

  it("is replaced by none where the value needs none", () => {
    const cart = new CountedCart(1);
    using owned = Yoke.attach(cart, (cart) => cart.bytes()).map((bytes) => [...bytes]).replaceCart(() =>
      null
    );
    assertEquals([owned.value, owned.cart, cart.holds], [[1], null, 0]);
  });

  it("is given back with the yoke's hold", () => {
    const cart = new CountedCart(1);
    assertStrictEquals(Yoke.attach(cart, () => 1).intoCart(), cart);
    assertEquals(cart.holds, 1);
    cart.release();
  });

  it("is any behind one type, and taken back as what it is", () => {
    const counted = new CountedCart(1);
    using pinned = PinnedBytes.zeros(2);
    using rc = Rc.of(new Uint8Array(3));
    const yokes = [
      Yoke.attach(counted, (cart) => cart.byteLength).erase(),
      Yoke.attach(pinned, (cart) => cart.byteLength).erase(),
      Yoke.attach(rc, (cart) => cart.byteLength).erase(),
      Yoke.alwaysOwned(4).erase(),
    ];
    assertEquals(yokes.map((yoke) => yoke.value), [1, 2, 3, 4]);
    const found = yokes.map((yoke) => yoke.tryIntoCart(PinnedBytes));
    assertEquals(found.map((cart) => cart === pinned), [false, true, false, false]);
    assertEquals(yokes.map((yoke) => yoke.isDisposed), [false, true, false, false]);
    pinned.release();
    for (const yoke of yokes) yoke[Symbol.dispose]();
    assertEquals([counted.holds, rc.count], [0, 1]);
  });

  it("is released once though its release throws", () => {
    const cart = new CountedCart(1);
    const yoke = Yoke.attach(cart, () => 1);
    cart.holds = 0;
    assertThrows(() => yoke[Symbol.dispose](), Error, "released too often");
    yoke[Symbol.dispose]();
    assertEquals(yoke.isDisposed, true);
  });
});

describe("a yoke on a map", () => {
  let folder: string;
  let path: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "oxbow-yoke-"));
    path = join(folder, "file");
    writeFileSync(path, Uint8Array.of(1, 2, 3, 4));
  });

  after(() => rmSync(folder, { recursive: true }));

  function isMapped(path: string): boolean {
    return readFileSync("/proc/self/maps", "utf8").includes(path);
  }

  it("keeps it when it is disposed, and unmaps the file with the last", () => {
    const map = Mmap.open(path);
    const yoke = Yoke.attach(map, (map) => map.bytes());
    map[Symbol.dispose]();
    const clone = yoke.clone();
    yoke[Symbol.dispose]();
    const { value } = clone;
    assertEquals([map.isClosed, [...value], isMapped(path)], [true, [1, 2, 3, 4], true]);
    assertThrows(() => clone.cart.bytes(), Error, "was disposed");
    clone[Symbol.dispose]();
    assertEquals([value.length, isMapped(path)], [0, false]);
    assertThrows(() => Yoke.attach(map, () => 1), Error, "was disposed");
  });

  it("is unmapped where deriving throws, if its owner disposes it", () => {
    {
      using map = Mmap.open(path);
      assertThrows(() => Yoke.attach(map, fail), RangeError, "broken");
    }
    assertEquals(isMapped(path), false);
  });

  it("lets it not be moved", () => {
    using map = Mmap.open(path, { mode: "r+" });
    using yoke = Yoke.attach(map, (map) => map.bytes());
    assertThrows(() => map.remap(2), MapInUseError);
    assertEquals(yoke.value.length, 4);
    yoke[Symbol.dispose]();
    map.remap(2);
    assertEquals(map.bytes().length, 2);
  });

  it("says once that a buffer was transferred away, and is disposed", () => {
    const map = Mmap.open(path);
    const yoke = Yoke.attach(map, (map) => map.bytes());
    map[Symbol.dispose]();
    const moved = structuredClone(yoke.value.buffer, { transfer: [yoke.value.buffer] });
    assertThrows(() => yoke[Symbol.dispose](), MapTransferredError);
    yoke[Symbol.dispose]();
    assertEquals([yoke.isDisposed, new Uint8Array(moved).every((byte) => byte === 0)], [true, true]);
  });

  it("asks more of it by an Rc, which closes it with the last hold", () => {
    const map = Mmap.open(path);
    const yoke = (() => {
      using cart = Rc.of(map);
      return Yoke.attach(cart, (cart) => (at: number) => cart.bytes(at, 1)[0]);
    })();
    assertEquals([yoke.value(2), map.isClosed], [3, false]);
    yoke[Symbol.dispose]();
    assertEquals([map.isClosed, isMapped(path)], [true, false]);
  });

  it("may be larger than a view", () => {
    const large = join(folder, "large");
    writeFileSync(large, "");
    truncateSync(large, 5 * 2 ** 30);
    using map = Mmap.open(large);
    using yoke = Yoke.attach(map, (map) => map.view(Float64Array, 5 * 2 ** 30 - 8, 1));
    assertEquals([yoke.value[0], yoke.cart.byteLength], [0, 5 * 2 ** 30]);
  });
});

describe("Yoke.alwaysOwned", () => {
  it("has no cart and all the methods", () => {
    const yoke = Yoke.alwaysOwned([1, 2]);
    using other = yoke.clone();
    using length = yoke.project((list) => list.length);
    using sum = yoke.map(([a, b]) => a + b);
    assertEquals([other.value, length.value, sum.value, other.cart], [[1, 2], 2, 3, null]);
    assertEquals([yoke.isDisposed, other.clone().intoCart()], [true, null]);
    other[Symbol.dispose]();
    assertThrows(() => other.value, Error, "cannot read a yoke");
  });
});

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
