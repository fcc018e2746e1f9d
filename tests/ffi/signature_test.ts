import { describe, it } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { dlopen, type Library, type Signature } from "../../ffi/mod.ts";

/** Opens libc with one function, `f`, whose signature may be anything. */
function bound(signature: unknown): Library<{ f: Signature }> {
  return Reflect.apply(dlopen, undefined, [["libc.so.6"], { f: signature }]);
}

describe("an optional function", () => {
  it("is there where the library has it, and undefined where it has not", () => {
    using library = dlopen(["libc.so.6"], {
      abs: { parameters: ["i32"], result: "i32", optional: true },
      renamed: { symbol: "oxbow_none", parameters: [], result: "void", optional: true },
      oxbow_none: { parameters: [], result: "void", optional: true },
    });
    const { abs, oxbow_none, renamed } = library.symbols;
    assertEquals([abs?.(-3), oxbow_none, renamed], [3, undefined, undefined]);
    assertEquals([library.has("abs"), library.has("oxbow_none"), library.has("renamed")], [
      true,
      false,
      false,
    ]);
  });

  it("is checked as any other", () => {
    using library = dlopen(["libc.so.6"], { abs: { parameters: ["i32"], result: "i32", optional: true } });
    assertThrows(() => library.symbols.abs?.(NaN), TypeError, "cannot call abs: argument 1 (i32) is NaN");
  });

  it("is gone once the library is closed, there or not", () => {
    const library = dlopen(["libc.so.6"], {
      oxbow_none: { parameters: [], result: "void", optional: true },
    });
    assertEquals(library.symbols.oxbow_none, undefined);
    library.close();
    assertThrows(() => library.symbols.oxbow_none, Error, "cannot call oxbow_none: libc.so.6 was closed");
  });
});

describe("a signature", () => {
  it("has no struct by value", () => {
    const struct = { struct: ["i32", "i32"] };
    const cases: [unknown, string][] = [
      [{ parameters: [struct], result: "void" }, "parameter 1"],
      [{ parameters: ["i32", struct], result: "void" }, "parameter 2"],
      [{ parameters: [], result: struct }, "its result"],
      [{ parameters: [], result: struct, unchecked: true }, "its result"],
    ];
    for (const [signature, where] of cases) {
      const { message } = assertThrows(() => bound(signature), TypeError);
      assertEquals(
        message,
        `cannot bind f: ${where} is a struct by value, which not every host can pass: pass a pointer to it`,
      );
    }
  });

  it("has no type that there is not", () => {
    for (const type of ["int", "void", "", "I32", "toString", "__proto__", undefined, null, 1, {}, []]) {
      assertThrows(
        () => bound({ parameters: ["i32", type], result: "void" }),
        TypeError,
        `cannot bind f: parameter 2 is ${JSON.stringify(type)}, which is no type there`,
      );
    }
    for (const type of ["int", "buffer", "function", undefined, null, 1]) {
      assertThrows(
        () => bound({ parameters: [], result: type }),
        TypeError,
        `cannot bind f: its result is ${JSON.stringify(type)}, which is no type there`,
      );
    }
  });

  it("that is unchecked has no cstring", () => {
    for (
      const [parameters, result] of [[["cstring"], "void"], [["i32", "cstring"], "i32"], [[], "cstring"]]
    ) {
      assertThrows(
        () => bound({ parameters, result, unchecked: true }),
        TypeError,
        "cannot bind f: it is unchecked, and takes and gives no cstring: pass cString(text) as a buffer",
      );
    }
  });

  it("that is variadic takes no floating point, and none that C would promote", () => {
    const cases: [string[], number, string][] = [
      [["f64"], 0, "parameter 1 is f64, which no fixed signature passes to a variadic function"],
      [["f32"], 1, "parameter 1 is f32, which no fixed signature"],
      [["i32", "f64"], 1, "parameter 2 is f64, which no fixed signature"],
      ...["i8", "u8", "i16", "u16", "bool"].map((type): [string[], number, string] => [
        ["i32", type],
        1,
        `parameter 2 is ${type}, which C promotes to an int: write i32`,
      ]),
    ];
    for (const [parameters, variadic, message] of cases) {
      assertThrows(
        () => bound({ parameters, result: "i32", variadic }),
        TypeError,
        `cannot bind f: ${message}`,
      );
    }
    using fixed = bound({ symbol: "abs", parameters: ["i8", "bool"], result: "i32", variadic: 2 });
    assertEquals(fixed.has("f"), true);
  });

  it("that is variadic counts parameters that it has", () => {
    for (const variadic of [-1, 2, 0.5, NaN, "1", null]) {
      assertThrows(
        () => bound({ parameters: ["i32"], result: "i32", variadic }),
        RangeError,
        `cannot bind f: variadic is ${variadic}, and counts the first of its 1 parameters`,
      );
    }
  });
});
