import { describe, it } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { callback, cString, dlopen, NULL, type Pointer, pointerAt, symbolPointer } from "../../ffi/mod.ts";
import { functionAt } from "../../lib/jit/mod.ts";

const libc = dlopen(["libc.so.6"], {});

function at(name: string): Pointer {
  const pointer = symbolPointer(libc, name);
  if (pointer === null) throw new Error(`libc has no ${name}`);
  return pointer;
}

describe("functionAt", () => {
  it("calls what the pointer points to, checked by the signature", () => {
    using labs = functionAt(at("labs"), { parameters: ["i64"], result: "i64" });
    assertEquals(labs.call(-(2n ** 40n)), 2n ** 40n);
    assertThrows(() => labs.call(2n ** 63n), RangeError, "argument 1 (i64)");
  });

  it("leaves arguments where they are, those on the stack and floats too", () => {
    const out = new Uint8Array(64);
    using snprintf = functionAt(at("snprintf"), {
      parameters: ["buffer", "usize", "cstring", "i32", "i32", "i32", "i32", "i32", "cstring"],
      result: "i32",
      variadic: 3,
    });
    const text = "1 2 3 4 5 six";
    assertEquals(snprintf.call(out, out.length, "%d %d %d %d %d %s", 1, 2, 3, 4, 5, "six"), text.length);
    assertEquals(out.subarray(0, text.length + 1), cString(text));
    using ldexp = functionAt(at("ldexp"), { parameters: ["f64", "i32"], result: "f64" });
    assertEquals(ldexp.call(0.75, 4), 12);
  });

  it("calls a callback", () => {
    using doubled = callback({ parameters: ["i32"], result: "i32" }, (x) => 2 * x);
    using call = functionAt(doubled.pointer, { parameters: ["i32"], result: "i32" });
    assertEquals(call.call(21), 42);
  });

  it("refuses to be called once it is disposed", () => {
    const abs = functionAt(at("abs"), { parameters: ["i32"], result: "i32" });
    const { call } = abs;
    assertEquals(call(-1), 1);
    abs[Symbol.dispose]();
    assertThrows(() => call(-1), Error, "was closed");
  });

  it("has its own code for each address and signature", () => {
    const names = ["labs", "toupper", "tolower"] as const;
    const all = names.map((name) => functionAt(at(name), { parameters: ["i64"], result: "i32" }));
    assertEquals(all.map(({ call }) => call(0x61n)), [0x61, 0x41, 0x61]);
    for (const one of all) one[Symbol.dispose]();
  });

  it("refuses null, and what is no pointer", () => {
    const signature = { parameters: [], result: "void" } as const;
    assertThrows(() => functionAt(NULL, signature), TypeError, "the null address");
    assertThrows(() => Reflect.apply(functionAt, undefined, [null, signature]), TypeError, "no Pointer");
    assertThrows(
      () => Reflect.apply(functionAt, undefined, [pointerAt(4096n), { parameters: ["int"], result: "void" }]),
      TypeError,
      "no type there",
    );
  });
});
