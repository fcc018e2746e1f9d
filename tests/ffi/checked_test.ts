import { describe, it } from "node:test";
import { assertEquals, assertStrictEquals, assertStringIncludes, assertThrows } from "@std/assert";
import fc from "fast-check";
import { addressOf, dlopen, NULL, pointerAt, pointerTo } from "../../ffi/mod.ts";

const INTEGERS = {
  i8: [-(2n ** 7n), 2n ** 7n - 1n],
  u8: [0n, 2n ** 8n - 1n],
  i16: [-(2n ** 15n), 2n ** 15n - 1n],
  u16: [0n, 2n ** 16n - 1n],
  i32: [-(2n ** 31n), 2n ** 31n - 1n],
  u32: [0n, 2n ** 32n - 1n],
  i64: [-(2n ** 63n), 2n ** 63n - 1n],
  u64: [0n, 2n ** 64n - 1n],
  isize: [-(2n ** 63n), 2n ** 63n - 1n],
  usize: [0n, 2n ** 64n - 1n],
} as const;

const types = Object.keys(INTEGERS).filter((key): key is keyof typeof INTEGERS => key in INTEGERS);

function isWide(type: keyof typeof INTEGERS): boolean {
  return INTEGERS[type][1] > 2n ** 32n;
}

/** `memcpy` of 0 bytes touches nothing and returns its first argument, whatever type it is given as. */
function identityOf(type: keyof typeof INTEGERS | "bool"): (value: unknown) => unknown {
  const { symbols } = dlopen(["libc.so.6"], {
    identity: { symbol: "memcpy", parameters: [type, "u64", "usize"], result: type },
  });
  const { identity } = symbols;
  return (value) => Reflect.apply(identity, undefined, [value, 0, 0]);
}

/** An argument of the type, from the integer that is meant. */
function given(type: keyof typeof INTEGERS, value: bigint): number | bigint {
  return isWide(type) ? value : Number(value);
}

describe("an integer argument", () => {
  for (const type of types) {
    const [low, high] = INTEGERS[type];
    const identity = identityOf(type);

    it(`of ${type} goes to C and back at its bounds`, () => {
      for (const value of [low, low + 1n, 0n, 1n, high - 1n, high]) {
        assertStrictEquals(identity(given(type, value)), given(type, value));
      }
    });

    it(`of ${type} goes to C and back wherever it is in range`, () => {
      fc.assert(fc.property(fc.bigInt({ min: low, max: high }), (value) => {
        assertStrictEquals(identity(given(type, value)), given(type, value));
      }));
    });

    it(`of ${type} is refused one outside its bounds`, () => {
      for (const value of [low - 1n, high + 1n]) {
        const error = assertThrows(() => identity(given(type, value)), RangeError, `argument 1 (${type})`);
        assertStringIncludes(error.message, `${value}`);
        assertStringIncludes(error.message, `outside ${low} to ${high}`);
      }
    });

    it(`of ${type} is refused where it is no integer`, () => {
      for (const value of [NaN, Infinity, -Infinity, -0, 0.5, -1.5, "1", "", null, undefined, true, {}, []]) {
        assertThrows(() => identity(value), TypeError, `cannot call memcpy: argument 1 (${type})`);
      }
      for (const value of [Symbol("one"), () => 1, { valueOf: () => 1 }, new Number(1)]) {
        assertThrows(() => identity(value), TypeError, "not an integer");
      }
    });

    if (isWide(type)) {
      it(`of ${type} is a safe integer or a bigint, and a bigint comes back`, () => {
        assertStrictEquals(identity(5), 5n);
        assertStrictEquals(identity(Number.MAX_SAFE_INTEGER), BigInt(Number.MAX_SAFE_INTEGER));
        for (const value of [2 ** 53, 1e300]) {
          assertThrows(() => identity(value), RangeError, "pass a bigint");
        }
      });
    } else {
      it(`of ${type} is no bigint`, () => {
        assertThrows(() => identity(1n), TypeError, "1n, a bigint where a number is asked for");
      });
    }

    if (low < 0n) {
      it(`of ${type} may be a negative number`, () => {
        assertEquals(Number(identity(-5)), -5);
      });
    } else {
      it(`of ${type} may not be negative`, () => {
        assertThrows(() => identity(-1), RangeError, "-1");
      });
    }
  }
});

describe("a floating-point argument", () => {
  const { symbols: libm } = dlopen(["libm.so.6"], {
    ldexp: { parameters: [/* double x */ "f64", /* int exp */ "i32"], result: "f64" },
    ldexpf: { parameters: [/* float x */ "f32", /* int exp */ "i32"], result: "f32" },
  });

  it("of f64 goes to C and back bit by bit", () => {
    for (const value of [0, -0, NaN, Infinity, -Infinity, 5e-324, Number.MAX_VALUE, Math.PI]) {
      assertStrictEquals(libm.ldexp(value, 0), value);
    }
    fc.assert(fc.property(fc.double(), (value) => assertStrictEquals(libm.ldexp(value, 0), value)));
  });

  it("of f32 is rounded to a float", () => {
    for (const value of [0, -0, NaN, Infinity, 1e-45, 0.1, Math.PI, 1e300, -1e300]) {
      assertStrictEquals(libm.ldexpf(value, 0), Math.fround(value));
    }
    fc.assert(fc.property(fc.double(), (value) => {
      assertStrictEquals(libm.ldexpf(value, 0), Math.fround(value));
    }));
  });

  it("is refused where it is no number", () => {
    for (const value of ["1", 1n, null, undefined, true, {}]) {
      assertThrows(() => Reflect.apply(libm.ldexp, undefined, [value, 0]), TypeError, "argument 1 (f64)");
      assertThrows(() => Reflect.apply(libm.ldexpf, undefined, [value, 0]), TypeError, "argument 1 (f32)");
    }
  });
});

describe("a bool argument", () => {
  it("goes to C as 0 or 1 and comes back", () => {
    const identity = identityOf("bool");
    assertStrictEquals(identity(true), true);
    assertStrictEquals(identity(false), false);
    const { abs } = dlopen(["libc.so.6"], { abs: { parameters: ["bool"], result: "i32" } }).symbols;
    assertEquals([abs(true), abs(false)], [1, 0]);
  });

  it("is refused where it is no boolean", () => {
    const identity = identityOf("bool");
    for (const value of [0, 1, "true", null, undefined]) {
      assertThrows(() => identity(value), TypeError, "argument 1 (bool)");
    }
  });
});

describe("a pointer argument", () => {
  const { symbols: libc } = dlopen(["libc.so.6"], {
    pointer: { symbol: "memcpy", parameters: ["pointer", "u64", "usize"], result: "pointer" },
    function: { symbol: "memcpy", parameters: ["function", "u64", "usize"], result: "pointer" },
  });

  it("goes to C and back", () => {
    for (const address of [1n, 0x7fff_ffff_ffffn, 2n ** 53n - 1n]) {
      for (const call of [libc.pointer, libc.function]) {
        const back = call(pointerAt(address), 0, 0);
        assertEquals(back === null ? 0n : addressOf(back), address);
      }
    }
  });

  it("may be null, which comes back as null, as NULL does", () => {
    for (const call of [libc.pointer, libc.function]) {
      assertStrictEquals(call(null, 0, 0), null);
      assertStrictEquals(call(NULL, 0, 0), null);
    }
  });

  it("is refused where it is no pointer", () => {
    for (const value of ["1", undefined, {}, true, new Uint8Array(1)]) {
      assertThrows(() => Reflect.apply(libc.pointer, undefined, [value, 0, 0]), TypeError, "(pointer)");
      assertThrows(() => Reflect.apply(libc.function, undefined, [value, 0, 0]), TypeError, "(function)");
    }
  });
});

describe("a buffer argument", () => {
  const { symbols: libc } = dlopen(["libc.so.6"], {
    memcpy: {
      parameters: [/* void *dest */ "buffer", /* const void *src */ "buffer", /* size_t n */ "usize"],
      result: "pointer",
    },
    memcmp: {
      parameters: [/* const void *s1 */ "buffer", /* const void *s2 */ "buffer", /* size_t n */ "usize"],
      result: "i32",
    },
  });

  it("is any view, from its first byte on", () => {
    const bytes = Uint8Array.from({ length: 80 }, (_, i) => i);
    for (
      const View of [Int8Array, Uint8ClampedArray, Int16Array, Float32Array, BigInt64Array, Float64Array]
    ) {
      const into = new View(8);
      libc.memcpy(into, bytes.subarray(3), into.byteLength);
      assertEquals(new Uint8Array(into.buffer), bytes.slice(3, 3 + into.byteLength));
    }
    const into = new Uint8Array(16);
    libc.memcpy(new DataView(into.buffer, 4, 8), bytes, 8);
    assertEquals([...into], [0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 0, 0, 0, 0]);
  });

  it("is compared as memcmp compares", () => {
    const pair = fc.tuple(fc.uint8Array({ maxLength: 40 }), fc.uint8Array({ maxLength: 40 }));
    fc.assert(fc.property(pair, ([a, b]) => {
      const n = Math.min(a.length, b.length);
      const first = a.findIndex((byte, i) => i < n && byte !== b[i]);
      const expected = first === -1 ? 0 : Math.sign(a[first] - b[first]);
      assertEquals(Math.sign(libc.memcmp(new Uint8Array(a), new Uint8Array(b), n)), expected);
    }));
  });

  it("is NULL to C where it is null or empty", () => {
    assertStrictEquals(libc.memcpy(null, null, 0), null);
    assertStrictEquals(libc.memcpy(new Uint8Array(0), new Float64Array(0), 0), null);
    assertStrictEquals(libc.memcpy(new Uint8Array(8).subarray(8), new DataView(new ArrayBuffer(0)), 0), null);
  });

  it("is the address that pointerTo gives", () => {
    const view = new Float32Array(2000).subarray(7);
    const back = libc.memcpy(view, null, 0);
    assertEquals(back === null ? 0n : addressOf(back), addressOf(pointerTo(view)));
  });

  it("is refused where its buffer is detached", () => {
    for (const view of [new Uint8Array(8), new Float64Array(8), new DataView(new ArrayBuffer(8))]) {
      structuredClone(view.buffer, { transfer: [view.buffer] });
      const error = assertThrows(() => libc.memcmp(view, view, 0), TypeError, "whose buffer is detached");
      assertStringIncludes(error.message, "cannot call memcmp: argument 1 (buffer)");
    }
  });

  it("is what it is now, however often and in whatever order views were given before", () => {
    const moves = fc.array(
      fc.record({
        to: fc.nat(5),
        from: fc.nat(5),
        act: fc.constantFrom("copy", "copy", "copy", "detach", "grow"),
      }),
      { minLength: 20, maxLength: 60 },
    );
    fc.assert(fc.property(moves, (moves) => {
      const buffers = [4, 8, 16, 9000, 20_000, 8].map((n) => new ArrayBuffer(n, { maxByteLength: 2 * n }));
      const views = buffers.map((buffer, i) => i === 1 ? new DataView(buffer) : new Uint8Array(buffer));
      for (const [count, { to, from, act }] of moves.entries()) {
        if (act === "detach" && !buffers[to].detached) {
          structuredClone(buffers[to], { transfer: [buffers[to]] });
        }
        if (act === "grow" && !buffers[to].detached) buffers[to].resize(buffers[to].maxByteLength);
        if (buffers[to].detached || buffers[from].detached) {
          assertThrows(() => libc.memcpy(views[to], views[from], 1), TypeError, "whose buffer is detached");
          continue;
        }
        new Uint8Array(buffers[from]).fill(count + 1);
        const n = Math.min(buffers[to].byteLength, buffers[from].byteLength);
        if (to !== from) libc.memcpy(views[to], views[from], n);
        assertStrictEquals(new Uint8Array(buffers[to])[n - 1], count + 1);
      }
    }));
  });

  it("may lie in shared memory", () => {
    const shared = new Uint8Array(new SharedArrayBuffer(16), 4, 8);
    for (let i = 0; i < 3; i++) libc.memcpy(shared, Uint8Array.of(1, 2, 3), 3);
    assertEquals([...new Uint8Array(shared.buffer)].slice(3, 8), [0, 1, 2, 3, 0]);
  });

  it("is refused where it is no view", () => {
    const fake = { byteLength: 8, buffer: new ArrayBuffer(8) };
    for (const value of [undefined, 0, 1n, "text", {}, [], new ArrayBuffer(8), fake, pointerAt(4096n)]) {
      const call = () => Reflect.apply(libc.memcmp, undefined, [new Uint8Array(1), value, 0]);
      assertThrows(call, TypeError, "cannot call memcmp: argument 2 (buffer)");
    }
  });
});

describe("an argument that C follows", () => {
  const { symbols: libc } = dlopen(["libc.so.6"], {
    pointer: { symbol: "memcpy", parameters: ["pointer!", "u64", "usize"], result: "pointer" },
    function: { symbol: "memcpy", parameters: ["function!", "u64", "usize"], result: "pointer" },
    buffer: { symbol: "memcpy", parameters: ["buffer!", "u64", "usize"], result: "pointer" },
    strlen: { parameters: [/* const char *s */ "cstring!"], result: "usize" },
  });

  it("goes to C as it does where it may be null", () => {
    const view = new Uint8Array(8);
    for (const call of [libc.pointer, libc.function]) {
      assertEquals(call(pointerTo(view), 0, 0), pointerTo(view));
    }
    for (let i = 0; i < 3; i++) assertEquals(libc.buffer(view, 0, 0), pointerTo(view));
    assertEquals([libc.strlen("oxbow"), libc.strlen("")], [5n, 0n]);
  });

  it("is refused where it is null, NULL or an empty view", () => {
    const said = (call: unknown, value: unknown, message: string): void => {
      assertThrows(() => Reflect.apply(Object(call), undefined, [value, 0, 0]), TypeError, message);
    };
    for (const value of [null, NULL]) {
      said(libc.pointer, value, "cannot call memcpy: argument 1 (pointer!) is ");
      said(libc.function, value, "cannot call memcpy: argument 1 (function!) is ");
    }
    said(libc.pointer, null, "is null, where C follows the pointer");
    said(libc.buffer, null, "cannot call memcpy: argument 1 (buffer!) is null, where C follows the pointer");
    said(libc.buffer, new Uint8Array(0), "argument 1 (buffer!) is a Uint8Array, which is empty");
    assertThrows(
      () => Reflect.apply(libc.strlen, undefined, [null]),
      TypeError,
      "cannot call strlen: argument 1 (cstring!) is null, where C follows the pointer",
    );
  });

  it("is refused where it is of another type, or detached", () => {
    const detached = new Uint8Array(8);
    structuredClone(detached.buffer, { transfer: [detached.buffer] });
    assertThrows(() => libc.buffer(detached, 0, 0), TypeError, "a Uint8Array, whose buffer is detached");
    assertThrows(() => libc.strlen("a\0b"), TypeError, '(cstring!) is "a\\u0000b", with a NUL in it');
    for (const value of [undefined, "text", {}, true]) {
      for (const call of [libc.pointer, libc.function, libc.buffer]) {
        assertThrows(() => Reflect.apply(call, undefined, [value, 0, 0]), TypeError, "argument 1");
      }
    }
  });
});

describe("a call", () => {
  const { symbols: libc } = dlopen(["libc.so.6"], {
    getppid: { parameters: [], result: "i32" },
    abs: { parameters: [/* int j */ "i32"], result: "i32" },
    memcmp: { parameters: ["buffer", "buffer", "usize"], result: "i32" },
  });

  it("takes as many arguments as its signature has", () => {
    for (const [call, expected] of [[libc.getppid, 0], [libc.abs, 1], [libc.memcmp, 3]] as const) {
      for (let count = 0; count < 5; count++) {
        if (count === expected) continue;
        const values = new Array(count).fill(null);
        assertThrows(
          () => Reflect.apply(call, undefined, values),
          TypeError,
          `it takes ${expected} argument${expected === 1 ? "" : "s"}, and ${count} ${
            count === 1 ? "was" : "were"
          } given`,
        );
      }
    }
  });

  it("names the argument that it refuses, though later ones are wrong as well", () => {
    const call = () => Reflect.apply(libc.memcmp, undefined, [null, "x", "y"]);
    assertThrows(call, TypeError, "cannot call memcmp: argument 2");
  });

  it("leaves the caller's own variables alone", () => {
    const { labs } = dlopen(["libc.so.6"], { labs: { parameters: ["i64"], result: "i64" } }).symbols;
    const values: [number] = [-7];
    assertStrictEquals(labs(...values), 7n);
    assertEquals(values, [-7]);
  });
});

describe("a result", () => {
  const { symbols: libc } = dlopen(["libc.so.6"], {
    i8: { symbol: "abs", parameters: ["i32"], result: "i8" },
    u8: { symbol: "abs", parameters: ["i32"], result: "u8" },
    i16: { symbol: "abs", parameters: ["i32"], result: "i16" },
    u16: { symbol: "abs", parameters: ["i32"], result: "u16" },
    i32: { symbol: "abs", parameters: ["i32"], result: "i32" },
    u32: { symbol: "abs", parameters: ["i32"], result: "u32" },
    void: { symbol: "abs", parameters: ["i32"], result: "void" },
    labs: { parameters: [/* long j */ "i64"], result: "i64" },
    strtoull: {
      parameters: [/* const char *nptr */ "buffer", /* char **endptr */ "pointer", /* int base */ "i32"],
      result: "u64",
    },
    strtoll: { parameters: ["buffer", "pointer", "i32"], result: "i64" },
    strtod: { parameters: [/* const char *nptr */ "buffer", /* char **endptr */ "pointer"], result: "f64" },
    strtof: { parameters: ["buffer", "pointer"], result: "f32" },
    strlen: { parameters: [/* const char *s */ "buffer"], result: "usize" },
    strchr: { parameters: [/* const char *s */ "buffer", /* int c */ "i32"], result: "pointer" },
    getenv: { parameters: [/* const char *name */ "buffer"], result: "pointer" },
  });

  function text(value: string): Uint8Array<ArrayBuffer> {
    return new TextEncoder().encode(`${value}\0`);
  }

  it("of a small type is the lower part of the register", () => {
    assertStrictEquals(libc.i8(-200), -56);
    assertStrictEquals(libc.u8(-200), 200);
    assertStrictEquals(libc.i16(40_000), -25_536);
    assertStrictEquals(libc.u16(40_000), 40_000);
    assertStrictEquals(libc.i32(-(2 ** 31)), -(2 ** 31));
    assertStrictEquals(libc.u32(-(2 ** 31)), 2 ** 31);
  });

  it("of void is undefined", () => {
    assertStrictEquals(libc.void(3), undefined);
  });

  it("of 64 bits is a bigint, however small", () => {
    assertStrictEquals(libc.labs(-3), 3n);
    assertStrictEquals(libc.labs(-(2n ** 63n) + 1n), 2n ** 63n - 1n);
    assertStrictEquals(libc.strtoull(text("0"), null, 10), 0n);
    assertStrictEquals(libc.strtoull(text("18446744073709551615"), null, 10), 2n ** 64n - 1n);
    assertStrictEquals(libc.strtoll(text("-9223372036854775808"), null, 10), -(2n ** 63n));
    assertStrictEquals(libc.strlen(text("oxbow")), 5n);
  });

  it("of f32 and f64 is a number", () => {
    assertStrictEquals(libc.strtod(text("0.1"), null), 0.1);
    assertStrictEquals(libc.strtod(text("-0"), null), -0);
    assertStrictEquals(libc.strtod(text("nan"), null), NaN);
    assertStrictEquals(libc.strtod(text("inf"), null), Infinity);
    assertStrictEquals(libc.strtof(text("0.1"), null), Math.fround(0.1));
  });

  it("of pointer is null where C gives NULL", () => {
    assertStrictEquals(libc.getenv(text("OXBOW_NO_SUCH_VARIABLE")), null);
    assertStrictEquals(libc.strchr(text("abc"), 0x7a), null);
  });

  it("of pointer points where C says", () => {
    const haystack = text("a rather long text, with a z in it");
    const found = libc.strchr(haystack, 0x7a);
    const at = found === null ? -1n : addressOf(found) - addressOf(pointerTo(haystack));
    assertEquals(Number(at), new TextDecoder().decode(haystack).indexOf("z"));
  });
});
