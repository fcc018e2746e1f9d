import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { moduleUrl, runChild } from "../child.ts";

/** What a user can get wrong, as JavaScript may write it, and the error that it ends in. */
const MISUSES: readonly (readonly [code: string, message: string])[] = [
  // A library that is not there, or is none
  ['dlopen(["liboxbow-none.so.1"], {})', "Error: cannot open liboxbow-none.so.1: none of these loads"],
  ['dlopen(["/etc/passwd"], {})', "Error: cannot open /etc/passwd: none of these loads"],
  ["dlopen([], {})", "TypeError: cannot open []: names is no list of sonames or paths"],
  ['dlopen("libc.so.6", {})', 'TypeError: cannot open "libc.so.6": names is no list of sonames or paths'],
  ['find("libc.so.6")', 'TypeError: cannot open "libc.so.6": names is no list of sonames or paths'],
  ['find(["libc.so.6\\0"])', 'TypeError: cannot open "libc.so.6\\u0000": it holds a NUL'],
  ['dlopen(["libc.so.6\\0"], {})', 'TypeError: cannot open "libc.so.6\\u0000": it holds a NUL'],

  // A function that is not there
  ["libc.oxbow_none", "Error: cannot bind oxbow_none in libc.so.6: "],
  ["libc.oxbow_none()", "Error: cannot bind oxbow_none in libc.so.6: "],

  // A signature that cannot be
  ['bound(["int"], "i32")', 'TypeError: cannot bind f: parameter 1 is "int", which is no type there'],
  ['bound(["i32!"], "i32")', 'TypeError: cannot bind f: parameter 1 is "i32!", which is no type there'],
  ['bound([], "buffer")', 'TypeError: cannot bind f: its result is "buffer", which is no type there'],
  ['bound([{ struct: ["i32"] }], "i32")', "TypeError: cannot bind f: parameter 1 is a struct by value"],
  ['bound([], { struct: ["i32"] })', "TypeError: cannot bind f: its result is a struct by value"],
  ['bound(["cstring"], "i32", { unchecked: true })', "TypeError: cannot bind f: it is unchecked"],
  ['bound(["i32", "f64"], "i32", { variadic: 1 })', "TypeError: cannot bind f: parameter 2 is f64"],
  ['bound(["i32", "i8"], "i32", { variadic: 1 })', "TypeError: cannot bind f: parameter 2 is i8"],
  ['bound(["i32"], "i32", { variadic: 2 })', "RangeError: cannot bind f: variadic is 2"],
  [
    'bound(["i32"], "i32", { nonblocking: true })',
    'TypeError: cannot bind f: its signature says "nonblocking"',
  ],
  ['bound(["i32"], "i32", { symbol: "abs\\0x" })', 'TypeError: cannot bind f: symbol is "abs\\u0000x"'],
  ['bound(undefined, "i32")', "TypeError: cannot bind f: parameters is no array of types"],
  [
    'bound(Array(33).fill("i32"), "i32")',
    "RangeError: cannot bind f: it has 33 parameters, and Bun passes 32",
  ],

  // Too few arguments, and too many
  ["libc.abs()", "TypeError: cannot call abs: it takes 1 argument, and 0 were given"],
  ["libc.abs(1, 2)", "TypeError: cannot call abs: it takes 1 argument, and 2 were given"],

  // Integers
  ["libc.abs(2 ** 31)", "RangeError: cannot call abs: argument 1 (i32) is 2147483648, outside"],
  ["libc.abs(-0)", "TypeError: cannot call abs: argument 1 (i32) is -0, not an integer"],
  ["libc.abs(NaN)", "TypeError: cannot call abs: argument 1 (i32) is NaN, not an integer"],
  ["libc.abs(0.5)", "TypeError: cannot call abs: argument 1 (i32) is 0.5, not an integer"],
  [
    "libc.abs(1n)",
    "TypeError: cannot call abs: argument 1 (i32) is 1n, a bigint where a number is asked for",
  ],
  ['libc.abs("1")', 'TypeError: cannot call abs: argument 1 (i32) is "1", not an integer'],
  ["libc.abs(undefined)", "TypeError: cannot call abs: argument 1 (i32) is undefined"],
  ["libc.abs(null)", "TypeError: cannot call abs: argument 1 (i32) is null"],
  ["libc.abs(Symbol.iterator)", "TypeError: cannot call abs: argument 1 (i32) is Symbol(Symbol.iterator)"],
  ["libc.abs(hostile)", "TypeError: cannot call abs: argument 1 (i32) is an object, not an integer"],
  ["libc.alarm(-1)", "RangeError: cannot call alarm: argument 1 (u32) is -1, outside 0 to 4294967295"],
  [
    "libc.llabs(2n ** 63n)",
    "RangeError: cannot call llabs: argument 1 (i64) is 9223372036854775808n, outside",
  ],
  [
    "libc.llabs(2 ** 53)",
    "RangeError: cannot call llabs: argument 1 (i64) is 9007199254740992, which no number",
  ],
  ["libc.llabs(-0)", "TypeError: cannot call llabs: argument 1 (i64) is -0"],
  ["libc.llabs(NaN)", "TypeError: cannot call llabs: argument 1 (i64) is NaN"],
  ["libc.memcmp(view, view, -1)", "RangeError: cannot call memcmp: argument 3 (usize) is -1, outside 0 to"],
  [
    "libc.memcmp(view, view, 2n ** 64n)",
    "RangeError: cannot call memcmp: argument 3 (usize) is 18446744073709551616n",
  ],

  // The other types
  ['libc.ldexp("1", 1)', 'TypeError: cannot call ldexp: argument 1 (f64) is "1"'],
  ["libc.ldexp(1n, 1)", "TypeError: cannot call ldexp: argument 1 (f64) is 1n"],
  ["libc.strlen(5)", "TypeError: cannot call strlen: argument 1 (cstring!) is 5"],
  [
    'libc.strlen("a\\0b")',
    'TypeError: cannot call strlen: argument 1 (cstring!) is "a\\u0000b", with a NUL in it',
  ],
  [
    'libc.memcmp("text", view, 1)',
    'TypeError: cannot call memcmp: argument 1 (buffer) is "text", and no view of bytes: pass cString(text)',
  ],
  [
    "libc.memcmp(view.buffer, view, 1)",
    "TypeError: cannot call memcmp: argument 1 (buffer) is an object, and no view of it: pass new Uint8Array(",
  ],
  ["libc.puts({})", "TypeError: cannot call puts: argument 1 (pointer!) is an object"],
  [
    "libc.puts(view)",
    "TypeError: cannot call puts: argument 1 (pointer!) is a Uint8Array: pass pointerTo(view)",
  ],
  [
    "libc.qsort(view, 8, 1, () => 0)",
    "TypeError: cannot call qsort: argument 4 (function!) is a function: pass callback(signature, fn).pointer",
  ],
  [
    'libc.qsort(view, 8, 1, callback({ parameters: [], result: "void" }, () => {}))',
    "TypeError: cannot call qsort: argument 4 (function!) is an object: pass its pointer",
  ],

  // Memory that is not there
  [
    "libc.memcmp(detached, view, 1)",
    "TypeError: cannot call memcmp: argument 1 (buffer) is a Uint8Array, whose buffer is detached",
  ],
  [
    "libc.memcmp(view, detachedDataView, 1)",
    "TypeError: cannot call memcmp: argument 2 (buffer) is a DataView, whose buffer is detached",
  ],
  [
    "libc.strlen(null)",
    "TypeError: cannot call strlen: argument 1 (cstring!) is null, where C follows the pointer",
  ],
  [
    "libc.puts(null)",
    "TypeError: cannot call puts: argument 1 (pointer!) is null, where C follows the pointer",
  ],
  ["libc.puts(NULL)", "TypeError: cannot call puts: argument 1 (pointer!) is 0"],
  ["libc.qsort(null, 1, 1, NULL)", "TypeError: cannot call qsort: argument 1 (buffer!) is null"],
  [
    "libc.qsort(empty, 1, 1, NULL)",
    "TypeError: cannot call qsort: argument 1 (buffer!) is a Uint8Array, which is empty",
  ],
  ["libc.qsort(view, 2, 1, null)", "TypeError: cannot call qsort: argument 4 (function!) is null"],
  ["unsafeStringAt(NULL)", "TypeError: cannot read a string at the null address"],
  ["unsafeStringAt(null)", "TypeError: cannot read a string: pointer is null, and no Pointer"],
  ["unsafeBufferAt(null, 1)", "TypeError: cannot view memory: pointer is null, and no Pointer"],
  ["unsafeBufferAt(pointerTo(view), -1)", "RangeError: cannot view memory: length is -1"],
  ["addressOf(null)", "TypeError: cannot tell an address: pointer is null, and no Pointer"],
  ["pointerTo(detached)", "TypeError: cannot point to a view whose buffer is detached"],
  ["pointerTo(null)", "TypeError: cannot point to what is no view of a buffer"],
  ["pointerAt(-1n)", "RangeError: cannot point to -1: an address is 64 bits, and C's -1 is 2n ** 64n - 1n"],
  ["offset(pointerAt(2n ** 64n - 1n), 1)", "RangeError: cannot point to 18446744073709551616"],

  // A library that was closed, its functions taken out before
  ["closed.symbols.abs(1)", "Error: cannot call abs: libc.so.6 was closed"],
  ["closedAbs(1)", "Error: cannot call abs: libc.so.6 was closed"],
  ["closed.symbols.labs(1)", "Error: cannot call labs: libc.so.6 was closed"],

  // Callbacks
  [
    "callback({ parameters: [], result: 'void' }, null)",
    "TypeError: cannot make a callback: fn is no function",
  ],
  [
    "callback({ parameters: ['buffer'], result: 'void' }, () => {})",
    "TypeError: cannot make a callback: parameter 1",
  ],
  ["sort(() => { throw new SyntaxError('from within'); })", "SyntaxError: from within"],
  ["sort(() => 'one')", 'TypeError: cannot answer C: the result of a callback (i32) is "one"'],
  ["sort(() => 2 ** 31)", "RangeError: cannot answer C: the result of a callback (i32) is 2147483648"],
  ["sort(async () => 1)", "TypeError: cannot answer C: the result of a callback (i32) is an object"],
  [
    "libc.qsort(view, 2, 1, disposed.pointer)",
    "Error: a callback was called after it was disposed: C was given zero",
  ],
];

const SETUP = `
  import * as ffi from "${moduleUrl("ffi/mod.ts")}";
  const { addressOf, callback, dlopen, find, NULL, offset, pointerAt, pointerTo, unsafeBufferAt, unsafeStringAt } = ffi;
  const { symbols: libc } = dlopen(["libc.so.6"], {
    abs: { parameters: ["i32"], result: "i32" },
    alarm: { parameters: ["u32"], result: "u32" },
    llabs: { parameters: ["i64"], result: "i64" },
    ldexp: { parameters: ["f64", "i32"], result: "f64" },
    memcmp: { parameters: ["buffer", "buffer", "usize"], result: "i32" },
    strlen: { parameters: ["cstring!"], result: "usize" },
    puts: { parameters: ["pointer!"], result: "i32" },
    qsort: { parameters: ["buffer!", "usize", "usize", "function!"], result: "void" },
    oxbow_none: { parameters: [], result: "void" },
  });
  const bound = (parameters, result, more) => dlopen(["libc.so.6"], { f: { parameters, result, ...more } });
  const view = Uint8Array.of(2, 1);
  const empty = new Uint8Array(0);
  const detached = new Uint8Array(8);
  const detachedDataView = new DataView(new ArrayBuffer(8));
  structuredClone([detached.buffer, detachedDataView.buffer], { transfer: [detached.buffer, detachedDataView.buffer] });
  const hostile = { toString() { throw new Error("hostile"); }, valueOf() { throw new Error("hostile"); } };
  const closed = dlopen(["libc.so.6"], {
    abs: { parameters: ["i32"], result: "i32" },
    labs: { parameters: ["i64"], result: "i64" },
  });
  const closedAbs = closed.symbols.abs;
  closed.close();
  const disposed = callback({ parameters: ["pointer", "pointer"], result: "i32" }, () => 0);
  disposed[Symbol.dispose]();
  function sort(compare) {
    using made = callback({ parameters: ["pointer", "pointer"], result: "i32" }, [compare][0]);
    libc.qsort(view, 2, 1, made.pointer);
  }
  function attempt(what) {
    try {
      what();
      return "nothing was thrown";
    } catch (error) {
      return (error.name + ": " + error.message).split("\\n")[0];
    }
  }`;

describe("each documented misuse", () => {
  it("ends in an exception, and not in a signal", () => {
    const lines = MISUSES.map(([code]) => `console.log(JSON.stringify(attempt(() => ${code})));`);
    const alive = 'console.log(JSON.stringify(`${libc.abs(-7)} ${libc.strlen("oxbow")}`));';
    const { code, stdout, stderr } = runChild(`${SETUP}\n${lines.join("\n")}\n${alive}`);
    assertEquals([code, stderr], [0, ""]);
    const said: string[] = stdout.trim().split("\n").map((line) => JSON.parse(line));
    assertEquals(said.pop(), "7 5");
    const shortened = said.map((line, i) => line.slice(0, MISUSES[i][1].length));
    assertEquals(shortened, MISUSES.map(([, message]) => message));
  });
});
