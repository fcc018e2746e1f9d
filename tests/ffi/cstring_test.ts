import { describe, it } from "node:test";
import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { cString, dlopen, NULL, offset, pointerTo, unsafeStringAt } from "../../ffi/mod.ts";

const { symbols: libc } = dlopen(["libc.so.6"], {
  strlen: { parameters: [/* const char *s */ "cstring"], result: "usize" },
  strcmp: { parameters: [/* const char *s1 */ "cstring", /* const char *s2 */ "cstring"], result: "i32" },
  getenv: { parameters: [/* const char *name */ "cstring"], result: "cstring" },
  // With 0 for `n` it gives back `dest`.
  address: { symbol: "memcpy", parameters: ["cstring", "pointer", "usize"], result: "pointer" },
  text: { symbol: "memcpy", parameters: ["buffer", "pointer", "usize"], result: "cstring" },
});

function encoded(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

describe("a cstring argument", () => {
  it("is the text in UTF-8, up to a NUL", () => {
    fc.assert(fc.property(fc.string({ unit: "grapheme", maxLength: 60 }), (text) => {
      fc.pre(!text.includes("\0"));
      assertStrictEquals(libc.strlen(text), BigInt(encoded(text).length));
      assertStrictEquals(libc.strcmp(text, `${text}!`) < 0, true);
      assertStrictEquals(libc.strcmp(text, text), 0);
    }));
    assertStrictEquals(libc.strlen(""), 0n);
    assertStrictEquals(libc.strlen("牛".repeat(1_000_000)), 3_000_000n);
  });

  it("may be null, which is NULL to C, as the empty text is not", () => {
    assertStrictEquals(libc.address(null, null, 0), null);
    assertEquals(libc.address("", null, 0) === null, false);
  });

  it("is refused with a NUL in it, wherever", () => {
    for (const text of ["\0", "a\0b", "a\0", "\0a"]) {
      const call = () => libc.strcmp("first", text);
      const said = `cannot call strcmp: argument 2 (cstring) is ${JSON.stringify(text)}, with a NUL in it`;
      assertThrows(call, TypeError, said);
    }
  });

  it("is refused where it is no text", () => {
    for (const value of [undefined, 1, 1n, true, {}, [], new String("a"), new Uint8Array(1), cString("a")]) {
      assertThrows(
        () => Reflect.apply(libc.strlen, undefined, [value]),
        TypeError,
        "cannot call strlen: argument 1 (cstring) is ",
      );
    }
  });
});

describe("a cstring result", () => {
  it("is the text, copied", () => {
    const bytes = cString("Jochbogen 牛");
    const text = libc.text(bytes, null, 0);
    bytes.fill(0x78);
    assertStrictEquals(text, "Jochbogen 牛");
  });

  it("is empty where C gives an empty text, and null where it gives NULL", () => {
    assertStrictEquals(libc.text(Uint8Array.of(0), null, 0), "");
    assertStrictEquals(libc.text(null, null, 0), null);
    assertStrictEquals(libc.getenv("OXBOW_NO_SUCH_VARIABLE"), null);
  });
});

describe("unsafeStringAt", () => {
  it("reads what TextDecoder reads, but for a byte order mark, up to the first NUL", () => {
    const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
    fc.assert(fc.property(fc.uint8Array({ min: 1, maxLength: 60 }), (garbage) => {
      const bytes = Uint8Array.of(...garbage, 0, 0x78, 0);
      assertStrictEquals(unsafeStringAt(pointerTo(bytes)), decoder.decode(Uint8Array.from(garbage)));
      assertStrictEquals(libc.text(bytes, null, 0), decoder.decode(Uint8Array.from(garbage)));
    }));
  });

  it("reads from any byte on, of a text of any length", () => {
    const bytes = cString("0123456789".repeat(10_000));
    const start = pointerTo(bytes);
    for (const from of [0, 1, 7, 4095, 4096, 99_999, 100_000]) {
      assertStrictEquals(unsafeStringAt(offset(start, from)).length, 100_000 - from);
    }
    assertStrictEquals(bytes.at(-1), 0);
  });

  it("refuses the null address", () => {
    assertThrows(() => unsafeStringAt(NULL), TypeError, "cannot read a string at the null address");
  });
});
