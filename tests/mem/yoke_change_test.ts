import { describe, it } from "node:test";
import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { PinnedBytes, Rc, Yoke } from "../../lib/mem/yoke.ts";
import { CountedCart } from "./counted_cart.ts";

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
