import { describe, it } from "node:test";
import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { PinnedBytes, Yoke } from "../../lib/mem/yoke.ts";
import { CountedCart } from "./counted_cart.ts";

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
