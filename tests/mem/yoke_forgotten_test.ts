import { describe, it } from "node:test";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { moduleUrl } from "../child.ts";
import { runCollecting } from "./collect.ts";

describe("a forgotten yoke", () => {
  const imports = `import { PinnedBytes, Yoke } from "${moduleUrl("lib/mem/yoke.ts")}";`;

  it("is released once it was collected, and told with the place where OXBOW_DEBUG is 1", () => {
    // JSC's collector takes what looks like a reference for one: some of many are collected, and not each.
    const source = `${imports}
      const views = [];
      function forgetful(derive) {
        const cart = PinnedBytes.copy(Uint8Array.of(7));
        views.push(cart.bytes());
        Yoke.alwaysOwned({});
        Yoke.attach(cart, () => 1)[Symbol.dispose]();
        const yoke = Yoke.attach(cart, derive);
        if (views.length % 2) yoke.map((value) => value);
        cart[Symbol.dispose]();
      }
      for (let i = 0; i < 20; i++) forgetful(i < 10 ? (cart) => cart.bytes() : (cart) => cart);
      const isEmpty = (view) => view.length === 0;
      const isEnough = () => views.slice(0, 10).some(isEmpty) && views.slice(10).some(isEmpty);
      console.log(views.some(isEmpty));
      await collect(isEnough);
      console.log(isEnough());`;
    const quiet = runCollecting(source);
    assertEquals([quiet.stdout, quiet.stderr, quiet.code], ["false\ntrue\n", "", 0]);
    const debugged = runCollecting(source, { debug: "1" });
    assertEquals([debugged.stdout, debugged.code], ["false\ntrue\n", 0]);
    const reports = debugged.stderr.match(/oxbow: a yoke was collected, and never disposed: use `using`/g) ??
      [];
    assert(reports.length >= 2 && reports.length <= 20);
    assertStringIncludes(debugged.stderr, "forgetful");
  });

  it("is not forgotten while its value is in use", () => {
    const { stdout, stderr } = runCollecting(
      `${imports}
      const cart = PinnedBytes.copy(Uint8Array.of(7));
      const value = (() => Yoke.attach(cart, (cart) => cart.bytes()).value)();
      const changed = (() => {
        const yoke = Yoke.attach(cart, () => 1);
        const view = cart.bytes();
        yoke.withMut((slot) => slot.value = view);
        return yoke.value;
      })();
      cart[Symbol.dispose]();
      await collect();
      console.log(value[0], changed[0]);`,
      { debug: "1" },
    );
    assertEquals([stdout, stderr], ["7 7\n", ""]);
  });

  it("is not forgotten while its value is in use, though others on the same value have gone", () => {
    const { stdout, stderr } = runCollecting(
      `${imports}
      const ways = {
        clone: (yoke) => yoke.clone()[Symbol.dispose](),
        "clone, and the first goes": (yoke) => {
          yoke.clone();
          yoke[Symbol.dispose]();
        },
        project: (yoke) => yoke.project((value) => value)[Symbol.dispose](),
        replaceCart: (yoke) => {
          try {
            yoke.replaceCart((cart) => ({
              byteLength: 0,
              bytes: () => cart.bytes(),
              retain() {
                throw new RangeError("broken");
              },
              release() {},
            }));
          } catch {}
        },
        "replaceCart that ends itself": (yoke) => {
          const other = yoke.clone();
          try {
            yoke.replaceCart((cart) => (yoke[Symbol.dispose](), cart));
          } catch {}
        },
        withMut: (yoke) => {
          const other = yoke.clone();
          other.withMut((slot) => slot.value = {});
          other[Symbol.dispose]();
        },
        "withMut, which puts another in its place": (yoke) => yoke.withMut((slot) => slot.value = {}),
      };
      const values = Object.entries(ways).map(([name, way]) => {
        using cart = PinnedBytes.copy(Uint8Array.of(7));
        const yoke = Yoke.attach(cart, (cart) => cart.bytes());
        const { value } = yoke;
        way(yoke);
        return [name, value];
      });
      await collect();
      console.log(values.filter(([, value]) => value[0] !== 7).map(([name]) => name).join());`,
      { debug: "1" },
    );
    assertEquals([stdout, stderr], ["\n", ""]);
  });

  it("leaves nothing behind with a value that many yokes come and go on", () => {
    const { stdout } = runCollecting(`${imports}
      const cart = PinnedBytes.zeros(1);
      const shared = {};
      using kept = Yoke.attach(cart, () => shared);
      let gone = 0;
      const registry = new FinalizationRegistry(() => gone++);
      function comeAndGo(change) {
        for (let i = 0; i < 1000; i++) {
          const yoke = kept.clone();
          registry.register(yoke, 0);
          if (change) yoke.withMut((slot) => slot.value = {});
          yoke[Symbol.dispose]();
        }
      }
      function goTogether() {
        const yokes = Array.from({ length: 1000 }, () => kept.clone());
        for (const yoke of yokes) {
          registry.register(yoke, 0);
          yoke[Symbol.dispose]();
        }
      }
      comeAndGo(false);
      comeAndGo(true);
      goTogether();
      await collect(() => gone > 2800);
      console.log(gone > 2800);`);
    assertEquals(stdout, "true\n");
  });

  it("whose cart cannot be released is told in any case, and ends nothing else", () => {
    const { stdout, stderr, code } = runCollecting(`${imports}
      let tries = 0;
      const cart = {
        byteLength: 0,
        bytes: () => new Uint8Array(),
        retain() {},
        release() {
          tries++;
          throw new RangeError("stuck");
        },
      };
      for (let i = 0; i < 20; i++) Yoke.attach(cart, () => 1);
      await collect(() => tries > 0);
      console.log(tries > 0);`);
    assertEquals([stdout, code], ["true\n", 0]);
    assertStringIncludes(stderr, "a yoke was collected, and what it held was not released");
    assertStringIncludes(stderr, "stuck");
  });
});
