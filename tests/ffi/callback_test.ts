import { describe, it } from "node:test";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { addressOf, type Callback, callback, pointerTo } from "../../ffi/mod.ts";
import { withoutGcc } from "./c_library.ts";
import { COMPARE, double, given, INT_TO_INT, libc, open, takes, untyped } from "./callbacks.ts";

const VISIT = { parameters: ["cstring", "pointer", "i32", "pointer"], result: "i32" } as const;

describe("a callback", () => {
  it("compares for qsort", () => {
    given(callback(COMPARE, (a, b) => Math.sign(double(a) - double(b))), (pointer) => {
      fc.assert(fc.property(fc.float64Array({ noNaN: true, maxLength: 40 }), (values) => {
        const numbers = Float64Array.from(values, (value) => value + 0);
        libc.qsort(numbers, numbers.length, 8, pointer);
        assertEquals(numbers, Float64Array.from(values, (value) => value + 0).sort());
      }));
    });
  });

  it("visits for nftw, which it can stop", () => {
    const FTW_F = 0;
    const folder = mkdtempSync(join(tmpdir(), "oxbow-nftw-"));
    try {
      for (const name of ["a", "牛/b", "牛/c/d"]) {
        mkdirSync(join(folder, name, ".."), { recursive: true });
        writeFileSync(join(folder, name), name);
      }
      const files: string[] = [];
      const all = callback(VISIT, (path, stat, type) => {
        assert(path !== null && stat !== null);
        if (type === FTW_F) files.push(path.slice(folder.length + 1));
        return 0;
      });
      assertStrictEquals(given(all, (pointer) => libc.nftw(folder, pointer, 8, 0)), 0);
      const expected = readdirSync(folder, { recursive: true, encoding: "utf8" })
        .filter((name) => /[abd]$/.test(name));
      assertEquals(files.sort(), expected.sort());
      let visits = 0;
      const third = callback(VISIT, () => ++visits === 3 ? 42 : 0);
      assertStrictEquals(given(third, (pointer) => libc.nftw(folder, pointer, 8, 0)), 42);
      assertEquals(visits, 3);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("is given what C gives, of each type, at its bounds", { skip: withoutGcc }, () => {
    const { give_all, late_address } = open();
    const seen: unknown[][] = [];
    const all = callback({
      parameters: [
        ...["i8", "u8", "i16", "u16", "i32", "u32", "i64", "u64"] as const,
        ...["f32", "f64", "bool", "pointer", "cstring"] as const,
      ],
      result: "i32",
    }, (...values) => {
      seen.push(values);
      return seen.length;
    });
    given(all, (pointer) => {
      assertEquals([give_all(pointer, true), give_all(pointer, false)], [1, 2]);
    });
    assertEquals(seen, [
      [-128, 0, -32_768, 0, -(2 ** 31), 0, -(2n ** 63n), 0n, -0, -0, false, null, null],
      [
        ...[127, 255, 32_767, 65_535, 2 ** 31 - 1, 2 ** 32 - 1, 2n ** 63n - 1n, 2n ** 64n - 1n],
        ...[Math.fround(0.1), 0.1, true, late_address(), "Jochbogen 牛"],
      ],
    ]);
  });

  it("gives C what a call takes, of each type, at its bounds", { skip: withoutGcc }, () => {
    const symbols = open();
    const view = new Uint8Array(8);
    const cases: [keyof typeof takes, readonly unknown[]][] = [
      ["take_i8", [-128, 0, 127]],
      ["take_u8", [0, 255]],
      ["take_i16", [-32_768, 32_767]],
      ["take_u16", [0, 65_535]],
      ["take_i32", [-(2 ** 31), 2 ** 31 - 1]],
      ["take_u32", [0, 2 ** 32 - 1]],
      ["take_i64", [-(2n ** 63n), -1n, 2n ** 63n - 1n]],
      ["take_u64", [0n, 2n ** 53n + 1n, 2n ** 64n - 1n]],
      ["take_f32", [0.5, -0, NaN, Infinity]],
      ["take_f64", [0.1, -0, NaN, -Infinity]],
      ["take_bool", [true, false]],
      ["take_pointer", [null, pointerTo(view)]],
    ];
    for (const [name, values] of cases) {
      const { result } = takes[name];
      for (const value of values) {
        const back = given(untyped({ parameters: [], result }, () => value), (at) => symbols[name](at));
        assertStrictEquals(back, value);
      }
    }
    for (const value of [0, -5, 2 ** 40, -(2 ** 53) + 1]) {
      const back = given(callback({ parameters: [], result: "i64" }, () => value), symbols.take_i64);
      assertStrictEquals(back, BigInt(value));
    }
  });

  it("may give an integer's zero with a sign, which C does not know", { skip: withoutGcc }, () => {
    const symbols = open();
    for (const name of ["take_i8", "take_u32", "take_i64"] as const) {
      const { result } = takes[name];
      assertEquals(
        Number(given(untyped({ parameters: [], result }, () => -0), (at) => symbols[name](at))),
        0,
      );
    }
  });

  it("of result void gives whatever it likes", { skip: withoutGcc }, () => {
    const symbols = open();
    const nothing = untyped({ parameters: ["i32"], result: "void" }, () => "anything");
    given(nothing, (pointer) => symbols.call_once(pointer, 1));
  });

  it("works as one of hundreds, and after thousands", { skip: withoutGcc }, () => {
    const { call_once } = open();
    const many = Array.from({ length: 300 }, (_, i) => callback(INT_TO_INT, (x) => x + i));
    const addresses = new Set(many.map(({ pointer }) => addressOf(pointer)));
    assertEquals(addresses.size, many.length);
    for (const [i, { pointer }] of many.entries()) assertEquals(call_once(pointer, 1000), 1000 + i);
    for (const one of many) one[Symbol.dispose]();
    for (let i = 0; i < 2000; i++) {
      assertEquals(given(callback(INT_TO_INT, (x) => x - i), (pointer) => call_once(pointer, 0)), 0 - i);
    }
  });

  it("stays where nobody holds it", { skip: withoutGcc }, () => {
    const { call_once } = open();
    const pointers = Array.from({ length: 50 }, (_, i) => callback(INT_TO_INT, (x) => x * i).pointer);
    for (let i = 0; i < 200; i++) new Uint8Array(1_000_000).fill(i);
    assertEquals(pointers.map((pointer) => call_once(pointer, 3)), pointers.map((_, i) => 3 * i));
  });

  it("may call C itself, and be called within", { skip: withoutGcc }, () => {
    const { call_once } = open();
    const factorial: Callback = callback(
      INT_TO_INT,
      (n) => n < 2 ? 1 : n * call_once(factorial.pointer, n - 1),
    );
    assertEquals(given(factorial, (pointer) => call_once(pointer, 10)), 3_628_800);
  });

  it("collects garbage while C works on a view that only the call holds", { skip: withoutGcc }, () => {
    const { sum_after, sum_of_text } = open();
    let garbage: unknown[] = [];
    const littering = callback(INT_TO_INT, (x) => {
      garbage = Array.from({ length: 300 }, (_, i) => new Uint8Array(16 + i % 40 * 50).fill(9));
      return x;
    });
    given(littering, (pointer) => {
      for (let i = 0; i < 500; i++) {
        const length = [10, 100, 900, 3000][i % 4];
        assertEquals(sum_after(pointer, new Uint8Array(length).fill(3), length), BigInt(3 * length));
        assertEquals(sum_of_text(pointer, "\x03".repeat(length), length), BigInt(3 * length));
      }
    });
    assertEquals(garbage.length, 300);
  });

  it(
    "may move the elements of a view that C works on, which does not lose them",
    { skip: withoutGcc },
    () => {
      const { sum_after } = open();
      for (const length of [1, 8, 100, 1000, 5000]) {
        const view = new Uint8Array(length).fill(1);
        const moving = callback(INT_TO_INT, (x) => {
          new Uint8Array(view.buffer).fill(2);
          structuredClone(view.subarray(0, 1));
          return x;
        });
        assertEquals(given(moving, (pointer) => sum_after(pointer, view, length)), BigInt(2 * length));
      }
    },
  );
});

describe("making a callback", () => {
  it("is refused with a type that it cannot have", () => {
    const wrong: [unknown, unknown, string][] = [
      [["buffer"], "void", 'cannot make callback f: parameter 1 is "buffer", which is no type there'],
      [["i32", "void"], "void", 'cannot make callback f: parameter 2 is "void", which is no type there'],
      [["function"], "void", 'parameter 1 is "function"'],
      [["int"], "void", 'parameter 1 is "int"'],
      [[{ struct: ["i32"] }], "void", "parameter 1 is a struct by value, which not every host can pass"],
      [[], "cstring", 'its result is "cstring"'],
      [[], undefined, "its result is undefined"],
      [[], { struct: [] }, "its result is a struct by value"],
    ];
    for (const [parameters, result, message] of wrong) {
      assertThrows(() => untyped({ parameters, result }, function f() {}), TypeError, message);
    }
  });

  it("is refused without a function", () => {
    for (const fn of [undefined, null, {}, "f"]) {
      assertThrows(() => untyped({ parameters: [], result: "void" }, fn), TypeError, "fn is no function");
    }
  });
});
