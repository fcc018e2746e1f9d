import { after, describe, it } from "node:test";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assert, assertEquals, assertMatch, assertStrictEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  addressOf,
  type Callback,
  callback,
  dlopen,
  type Pointer,
  pointerTo,
  unsafeBufferAt,
} from "../../ffi/mod.ts";
import { moduleUrl, outputOf, runChild } from "../child.ts";
import { buildLibrary, withoutGcc } from "./c_library.ts";

const built = withoutGcc === false ? buildLibrary() : undefined;
after(() => built?.[Symbol.dispose]());

const takes = {
  take_i8: { parameters: ["function"], result: "i8" },
  take_u8: { parameters: ["function"], result: "u8" },
  take_i16: { parameters: ["function"], result: "i16" },
  take_u16: { parameters: ["function"], result: "u16" },
  take_i32: { parameters: ["function"], result: "i32" },
  take_u32: { parameters: ["function"], result: "u32" },
  take_i64: { parameters: ["function"], result: "i64" },
  take_u64: { parameters: ["function"], result: "u64" },
  take_f32: { parameters: ["function"], result: "f32" },
  take_f64: { parameters: ["function"], result: "f64" },
  take_bool: { parameters: ["function"], result: "bool" },
  take_pointer: { parameters: ["function"], result: "pointer" },
} as const;

/** Opened only where a test runs: without gcc there is none. */
function open() {
  return dlopen([built?.path ?? ""], {
    ...takes,
    call_once: { parameters: ["function", "i32"], result: "i32" },
    call_twice: { parameters: ["function", "i32"], result: "i32" },
    call_unchecked: { symbol: "call_once", parameters: ["function", "i32"], result: "i32", unchecked: true },
    give_all: { parameters: ["function", "bool"], result: "i32" },
    late_address: { parameters: [], result: "pointer" },
    sum_after: { parameters: ["function", "buffer", "usize"], result: "i64" },
    sum_of_text: { symbol: "sum_after", parameters: ["function", "cstring", "usize"], result: "i64" },
  }).symbols;
}

const { symbols: libc } = dlopen(["libc.so.6"], {
  qsort: {
    parameters: [
      /* void *base */ "buffer",
      /* size_t nmemb */ "usize",
      /* size_t size */ "usize",
      /* int (*compar)(const void *, const void *) */ "function",
    ],
    result: "void",
  },
  nftw: {
    parameters: [
      /* const char *dirpath */ "cstring",
      /* int (*fn)(const char *fpath, const struct stat *sb, int typeflag, struct FTW *ftwbuf) */ "function",
      /* int nopenfd */ "i32",
      /* int flags */ "i32",
    ],
    result: "i32",
  },
  abs: { parameters: [/* int j */ "i32"], result: "i32" },
});

const COMPARE = { parameters: ["pointer", "pointer"], result: "i32" } as const;
const VISIT = { parameters: ["cstring", "pointer", "i32", "pointer"], result: "i32" } as const;
const INT_TO_INT = { parameters: ["i32"], result: "i32" } as const;

function double(at: Pointer | null): number {
  return at === null ? NaN : new Float64Array(unsafeBufferAt(at, 8))[0];
}

/** A callback of whatever signature, as plain JavaScript may make it. */
function untyped(signature: unknown, fn: unknown): Callback {
  return Reflect.apply(callback, undefined, [signature, fn]);
}

/** Runs `use` with a callback, which is disposed afterwards. */
function given<T>(made: Callback, use: (pointer: Pointer) => T): T {
  using held = made;
  return use(held.pointer);
}

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

describe("a disposed callback", () => {
  it("may be disposed again", () => {
    const once = callback(INT_TO_INT, (x) => x);
    once[Symbol.dispose]();
    once[Symbol.dispose]();
    assertEquals(libc.abs(-1), 1);
  });

  it("is not run: C is given zero, and the call throws", { skip: withoutGcc }, () => {
    const { call_once } = open();
    const gone = callback(INT_TO_INT, function gone(x) {
      return x;
    });
    gone[Symbol.dispose]();
    for (let i = 0; i < 2; i++) {
      const { message } = assertThrows(() => call_once(gone.pointer, 7), Error);
      assertMatch(message, /^callback gone was called after it was disposed: C was given zero, 1 time/);
    }
    assertEquals(libc.abs(-1), 1);
  });

  it("may have disposed itself while it ran", { skip: withoutGcc }, () => {
    const { call_once, call_twice } = open();
    const own = callback(INT_TO_INT, (x) => {
      own[Symbol.dispose]();
      return x;
    });
    assertEquals(call_once(own.pointer, 7), 7);
    const another = callback(INT_TO_INT, (x) => {
      another[Symbol.dispose]();
      return x;
    });
    assertThrows(() => call_twice(another.pointer, 7), Error, "a callback was called after it was disposed");
    assertEquals(libc.abs(-1), 1);
  });

  it(
    "may have closed the library that called it, which is unloaded once C is back",
    { skip: withoutGcc },
    () => {
      const lines = outputOf(`
      import { readFileSync } from "node:fs";
      import { callback, dlopen } from "${moduleUrl("ffi/mod.ts")}";
      const path = ${JSON.stringify(built?.path)};
      const library = dlopen([path], { call_twice: { parameters: ["function", "i32"], result: "i32" } });
      const { call_twice } = library.symbols;
      const loaded = () => readFileSync("/proc/self/maps", "utf8").includes(path);
      const closing = callback({ parameters: ["i32"], result: "i32" }, (x) => {
        library.close();
        return loaded() ? x : -1;
      });
      console.log(call_twice(closing.pointer, 2), loaded());
      try { call_twice(closing.pointer, 2); } catch (error) { console.log(error.message); }
    `).split("\n");
      assertEquals(lines[0], "2003 false");
      assertMatch(lines[1], /^cannot call call_twice: .* was closed$/);
    },
  );

  it(
    "may have closed it and thrown, in a call within another of the same library",
    { skip: withoutGcc },
    () => {
      const lines = outputOf(`
      import { copyFileSync, readFileSync, rmSync } from "node:fs";
      import { callback, dlopen } from "${moduleUrl("ffi/mod.ts")}";
      const path = ${JSON.stringify(built?.path)};
      const other = path + ".copy.so";
      copyFileSync(path, other);
      const table = { call_once: { parameters: ["function", "i32"], result: "i32" } };
      const [outer, inner] = [dlopen([path], table), dlopen([other], table)];
      rmSync(other);
      const int = { parameters: ["i32"], result: "i32" };
      const closing = callback(int, () => { outer.close(); throw new SyntaxError("within"); });
      const calling = callback(int, (x) => {
        try { inner.symbols.call_once(closing.pointer, 1); } catch (error) { console.log(error.name); }
        return x;
      });
      console.log(outer.symbols.call_once(calling.pointer, 5), readFileSync("/proc/self/maps", "utf8").includes(path + "\\n"));
    `).split("\n");
      assertEquals(lines, ["SyntaxError", "5 false"]);
    },
  );
});

describe("another thread that calls a callback", () => {
  /** In a process of its own: the hosts would hang or abort. */
  function inChild(body: string): string[] {
    return outputOf(`
      import { callback, dlopen } from "${moduleUrl("ffi/mod.ts")}";
      const { symbols } = dlopen(["${built?.path}"], {
        call_once: { parameters: ["function", "i32"], result: "i32" },
        call_from_thread: { parameters: ["function", "i32"], result: "i32" },
        start_thread: { parameters: ["function", "i32", "i32"], result: "i32" },
        join_thread: { parameters: [], result: "i32" },
      });
      let calls = 0;
      const made = callback({ parameters: ["i32"], result: "i32" }, function made(x) { calls++; return x; });
      const message = (act) => { try { return act(); } catch (error) { return error.name + ": " + error.message; } };
      ${body}
    `).split("\n");
  }

  it("is refused with an error, while this one waits for it in C", { skip: withoutGcc }, () => {
    const lines = inChild(`
      console.log(message(() => symbols.call_from_thread(made.pointer, 5)));
      console.log(calls, symbols.call_once(made.pointer, 6), calls);
    `);
    assertMatch(lines[0], /^Error: callback made was called on another thread than the one that made it/);
    assertMatch(lines[0], /C was given zero, 1 time \(seen when call_from_thread was back\)$/);
    assertEquals(lines[1], "0 6 1");
  });

  it("is refused while this one runs JavaScript, or waits in its event loop", { skip: withoutGcc }, () => {
    for (
      const wait of [
        "const end = Date.now() + 100; while (Date.now() < end);",
        "await new Promise((r) => setTimeout(r, 100));",
      ]
    ) {
      const lines = inChild(`
        const started = message(() => symbols.start_thread(made.pointer, 5, 20_000));
        ${wait}
        console.log(started, message(() => symbols.join_thread()));
        console.log(message(() => symbols.join_thread === undefined), calls);
      `);
      assertMatch(lines[0], /^0 Error: callback made was called on another thread .*, 1 time/);
      assertEquals(lines[1], "false 0");
    }
  });

  it("is refused however often it comes", { skip: withoutGcc }, () => {
    const lines = inChild(`
      const counts = [];
      for (let i = 0; i < 200; i++) {
        const text = message(() => symbols.call_from_thread(made.pointer, i));
        counts.push(/, 1 time/.test(text));
      }
      console.log(counts.every(Boolean), calls);
    `);
    assertEquals(lines, ["true 0"]);
  });

  it("does not reach one that was disposed either", { skip: withoutGcc }, () => {
    const lines = inChild(`
      const { pointer } = made;
      made[Symbol.dispose]();
      symbols.start_thread(pointer, 5, 20_000);
      console.log(message(() => symbols.join_thread()));
    `);
    assertMatch(lines[0], /^Error: callback made was called after it was disposed/);
  });
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
