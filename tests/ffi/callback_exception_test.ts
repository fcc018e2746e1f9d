import { describe, it } from "node:test";
import { assertEquals, assertMatch, assertStrictEquals, assertThrows } from "@std/assert";
import { callback } from "../../ffi/mod.ts";
import { moduleUrl, outputOf, runChild } from "../child.ts";
import { withoutGcc } from "./c_library.ts";
import { built, COMPARE, double, given, INT_TO_INT, libc, open, takes, untyped } from "./callbacks.ts";

describe("an exception in a callback", () => {
  it("is thrown by the native call once C is back, the same object", { skip: withoutGcc }, () => {
    const { call_once } = open();
    for (const error of [new RangeError("from within"), "a string", null, undefined, { a: 1 }]) {
      const throwing = callback(INT_TO_INT, () => {
        throw error;
      });
      given(throwing, (pointer) => {
        let caught: unknown = "nothing was thrown";
        try {
          call_once(pointer, 1);
        } catch (thrown) {
          caught = thrown;
        }
        assertStrictEquals(caught, error);
      });
    }
  });

  it(
    "gives C zero, and keeps the callback from being called again until C is back",
    { skip: withoutGcc },
    () => {
      const { call_once, call_twice } = open();
      let calls = 0;
      const throwing = callback(INT_TO_INT, (x) => {
        calls++;
        if (x === 1) throw new Error(`call ${calls}`);
        return x;
      });
      given(throwing, (pointer) => {
        assertThrows(() => call_twice(pointer, 1), Error, "call 1");
        assertEquals(calls, 1);
        assertEquals(call_twice(pointer, 2), 2003);
        assertThrows(() => call_once(pointer, 1), Error, "call 4");
        assertEquals(libc.abs(-1), 1);
      });
    },
  );

  it("ends a sort, and the next one works", () => {
    const numbers = Float64Array.from({ length: 100 }, (_, i) => -i);
    let calls = 0;
    const failing = callback(COMPARE, (a, b) => {
      if (++calls === 10) throw new SyntaxError("the tenth");
      return Math.sign(double(a) - double(b));
    });
    given(failing, (pointer) => {
      assertThrows(() => libc.qsort(numbers, 100, 8, pointer), SyntaxError, "the tenth");
      assertEquals(calls, 10);
      libc.qsort(numbers, 100, 8, pointer);
      assertEquals(numbers, numbers.toSorted());
    });
  });

  it("within a callback's own call can be caught there", { skip: withoutGcc }, () => {
    const { call_once } = open();
    const inner = callback(INT_TO_INT, () => {
      throw new Error("inner");
    });
    const outer = callback(INT_TO_INT, (x) => {
      assertThrows(() => call_once(inner.pointer, x), Error, "inner");
      return x + 1;
    });
    given(inner, () => given(outer, (pointer) => assertEquals(call_once(pointer, 4), 5)));
  });

  it("is a result that the signature does not allow", { skip: withoutGcc }, () => {
    const symbols = open();
    const wrong: [keyof typeof takes, typeof TypeError | typeof RangeError, readonly unknown[]][] = [
      ["take_i8", RangeError, [-129, 128]],
      ["take_u8", RangeError, [-1, 256]],
      ["take_i32", RangeError, [2 ** 31]],
      ["take_i32", TypeError, [undefined, null, "1", 0.5, NaN, 1n, true, {}, Promise.resolve(1)]],
      ["take_u64", RangeError, [-1, -1n, 2n ** 64n, 2 ** 53]],
      ["take_f64", TypeError, [undefined, "1", 1n]],
      ["take_bool", TypeError, [undefined, 0, 1, "true"]],
      ["take_pointer", TypeError, [undefined, "1", {}, new Uint8Array(1)]],
    ];
    for (const [name, type, values] of wrong) {
      const { result } = takes[name];
      for (const value of values) {
        const named = untyped({ parameters: [], result }, function answer() {
          return value;
        });
        const error = given(named, (pointer) => assertThrows(() => symbols[name](pointer), type));
        assertMatch(
          error.message,
          RegExp(`^cannot answer C: the result of callback answer \\(${result}\\) is `),
        );
      }
    }
  });

  it("under an unchecked call is thrown by the next checked one", { skip: withoutGcc }, () => {
    const { call_unchecked } = open();
    const throwing = callback(INT_TO_INT, () => {
      throw new Error("late");
    });
    given(throwing, (pointer) => {
      assertEquals(call_unchecked(pointer, 5), 0);
      assertThrows(() => libc.abs(-1), Error, "late");
      assertEquals(libc.abs(-1), 1);
    });
  });

  it("under an unchecked call goes uncaught where no checked one follows", { skip: withoutGcc }, () => {
    const source = `
      import { callback, dlopen } from "${moduleUrl("ffi/mod.ts")}";
      const { symbols } = dlopen(["${built?.path}"], {
        call_once: { parameters: ["function", "i32"], result: "i32", unchecked: true },
      });
      const throwing = callback({ parameters: ["i32"], result: "i32" }, () => { throw new Error("unseen"); });
      console.log(symbols.call_once(throwing.pointer, 5));
    `;
    const { code, stdout, stderr } = runChild(source);
    assertEquals([code, stdout.trim()], [1, "0"]);
    assertMatch(stderr, /unseen/);
  });
});

describe("calls and callbacks without end", () => {
  it("are a RangeError, and what was half done is whole again", { skip: withoutGcc }, () => {
    const lines = outputOf(`
      import { callback, dlopen } from "${moduleUrl("ffi/mod.ts")}";
      const { symbols: { call_once } } = dlopen([${JSON.stringify(built?.path)}], {
        call_once: { parameters: ["function", "i32"], result: "i32" },
      });
      const int = { parameters: ["i32"], result: "i32" };
      const endless = callback(int, (x) => call_once(endless.pointer, x + 1));
      const descend = (left) => left === 0 ? call_once(endless.pointer, 1) : descend(left - 1);
      const deep = callback(int, (x) => descend(x));
      for (const act of [() => call_once(endless.pointer, 1), () => call_once(deep.pointer, 50), () => descend(3000)]) {
        try { act(); } catch (error) { console.log(error.name); }
      }
      using twice = callback(int, (x) => 2 * x);
      console.log(call_once(twice.pointer, 21));
    `);
    assertEquals(lines.split("\n"), ["RangeError", "RangeError", "RangeError", "42"]);
  });
});
