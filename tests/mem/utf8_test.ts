import { describe, it } from "node:test";
import { Buffer } from "node:buffer";
import { assert, assertEquals, assertNotEquals, assertStrictEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { Utf8 } from "../../lib/mem/cow.ts";

const encoder = new TextEncoder();
const text = fc.string({ unit: "binary" }).filter((string) => string.isWellFormed());

function bytesOf(string: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(string);
}

/** How many bytes of valid UTF-8 there are before the first that is not: found by the host's own decoder. */
function validLength(bytes: Uint8Array): number {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  for (let length = bytes.length;; length--) {
    try {
      decoder.decode(bytes.subarray(0, length));
      return length;
    } catch {
      // Not yet.
    }
  }
}

describe("Utf8", () => {
  it("borrows bytes, and makes their string once", () => {
    const bytes = bytesOf("héllo, 🐂");
    const utf8 = Utf8.from(bytes);
    assertEquals([utf8.isBorrowed, utf8.length, `${utf8}`], [true, 12, "héllo, 🐂"]);
    assertStrictEquals(utf8.bytes, bytes);
    bytes.buffer.transfer();
    assertEquals(utf8.toString(), "héllo, 🐂");
    assertThrows(() => utf8.bytes, TypeError, "gone");
    assertThrows(() => utf8.length, TypeError, "gone");
    assertThrows(() => Utf8.from(bytes), TypeError, "gone");
  });

  it("takes bytes over, and makes them of a string", () => {
    const bytes = bytesOf("abc");
    const owned = Utf8.owned(bytes);
    assertEquals([owned.isBorrowed, owned.bytes === bytes], [false, true]);
    const made = Utf8.fromString("žluťoučký");
    assertEquals([made.isBorrowed, made.length, JSON.stringify([made])], [false, 13, '["žluťoučký"]']);
    assertEquals(Buffer.from(made.bytes).toString(), "žluťoučký");
  });

  it("keeps a byte order mark and NULs", () => {
    const utf8 = Utf8.from(bytesOf("\ufeffa\0"));
    assertEquals([utf8.toString(), utf8.length], ["\ufeffa\0", 5]);
  });

  it("is empty where there is nothing", () => {
    const utf8 = Utf8.from(new Uint8Array(0));
    assertEquals([utf8.toString(), utf8.length, utf8.slice().length], ["", 0, 0]);
    utf8.replaceRange(0, 0, "a");
    assertEquals(utf8.toString(), "a");
  });

  const wrong: [string, number[], number][] = [
    ["a byte that no character has", [0x61, 0xff], 1],
    ["a continuation without a beginning", [0x80], 0],
    ["a continuation too many", [0xc3, 0xa9, 0xa9], 2],
    ["a character that the end cuts off", [0x61, 0x62, 0xe2, 0x82], 2],
    ["a character that the next cuts off", [0xe2, 0x82, 0x61], 0],
    ["a slash in two bytes", [0xc0, 0xaf], 0],
    ["a long form of three bytes", [0xe0, 0x9f, 0xbf], 0],
    ["a long form of four bytes", [0x41, 0xf0, 0x8f, 0xbf, 0xbf], 1],
    ["a surrogate", [0x20, 0xed, 0xa0, 0x80], 1],
    ["a character past the last", [0xf4, 0x90, 0x80, 0x80], 0],
    ["a beginning that is too high", [0x7a, 0xf5, 0x80, 0x80, 0x80], 1],
    ["a beginning of five bytes", [0xf8, 0x88, 0x80, 0x80, 0x80], 0],
  ];
  for (const [what, bytes, offset] of wrong) {
    it(`refuses ${what}, and says where`, () => {
      for (const make of [Utf8.from, Utf8.owned]) {
        assertThrows(() => make(Uint8Array.from(bytes)), TypeError, `at byte ${offset} of ${bytes.length}`);
      }
    });
  }

  it("finds the first wrong byte of any bytes, as a decoder does", () => {
    const pieces = fc.oneof(
      fc.uint8Array({ maxLength: 4 }),
      text.map(bytesOf),
      fc.constantFrom(...wrong.map(([, bytes]) => Uint8Array.from(bytes))),
    );
    fc.assert(fc.property(fc.array(pieces), (parts) => {
      const bytes = new Uint8Array(Buffer.concat(parts));
      const valid = validLength(bytes);
      if (valid === bytes.length) {
        assertEquals(
          Utf8.from(bytes).toString(),
          new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes),
        );
        return;
      }
      const byte = bytes[valid].toString(16).padStart(2, "0");
      assertThrows(() => Utf8.from(bytes), TypeError, `at byte ${valid} of ${bytes.length}, 0x${byte},`);
    }));
  });

  it("orders by code points, and not as strings do", () => {
    const sorted = ["", "\0", "a", "aa", "b", "é", "\uffee", "\u{1f402}", "\u{10ffff}"];
    assertNotEquals([...sorted].sort(), sorted);
    const shuffled = [5, 8, 0, 7, 3, 1, 6, 2, 4].map((i) => Utf8.fromString(sorted[i]));
    assertEquals(shuffled.sort((a, b) => a.compare(b)).map(String), sorted);
  });

  it("compares as the arrays of code points do", () => {
    function order(a: string, b: string): number {
      const [left, right] = [Array.from(a), Array.from(b)].map((all) =>
        all.map((c) => c.codePointAt(0) ?? 0)
      );
      for (let i = 0; i < Math.min(left.length, right.length); i++) {
        if (left[i] !== right[i]) return Math.sign(left[i] - right[i]);
      }
      return Math.sign(left.length - right.length);
    }
    fc.assert(fc.property(text, text, (a, b) => {
      const [left, right] = [Utf8.from(bytesOf(a)), Utf8.fromString(b)];
      assertEquals(Math.sign(left.compare(right)), order(a, b));
      assertEquals(left.equals(right), a === b);
      assertEquals(left.equals(Utf8.from(bytesOf(a))), true);
    }));
  });

  it("hashes bytes by FNV-1a, the same whoever owns them", () => {
    const vectors: [string, number][] = [
      ["", 0x811c9dc5],
      ["a", 0xe40c292c],
      ["foobar", 0xbf9cf968],
      ["chongo was here!\n", 0xd49930d5],
    ];
    for (const [string, hash] of vectors) {
      assertEquals([Utf8.fromString(string).hashCode(), Utf8.from(bytesOf(string)).hashCode()], [hash, hash]);
    }
    const utf8 = Utf8.fromString("foo");
    assertNotEquals(utf8.hashCode(), 0xbf9cf968);
    utf8.replaceRange(3, 3, "bar");
    assertEquals(utf8.hashCode(), 0xbf9cf968);
  });

  it("slices without a copy, at characters", () => {
    const utf8 = Utf8.from(bytesOf("aé🐂z"));
    const slice = utf8.slice(1, 7);
    assertEquals([slice.toString(), slice.isBorrowed, slice.length], ["é🐂", true, 6]);
    assertStrictEquals(slice.bytes.buffer, utf8.bytes.buffer);
    assertEquals([utf8.slice(3).toString(), utf8.slice().toString(), `${utf8.slice(8)}`], [
      "🐂z",
      "aé🐂z",
      "",
    ]);
    assertEquals(`${slice.slice(2)}`, "🐂");
    for (const at of [2, 4, 5, 6]) {
      assertThrows(() => utf8.slice(at), RangeError, `start is ${at}, which lies inside a character`);
      assertThrows(() => utf8.slice(0, at), RangeError, `end is ${at}, which lies inside a character`);
    }
    for (const at of [-1, 9, 0.5, NaN, Infinity]) {
      assertThrows(() => utf8.slice(at), RangeError, `start is ${at}`);
      assertThrows(() => utf8.slice(0, at), RangeError, `end is ${at}`);
    }
    assertThrows(() => utf8.slice(3, 1), RangeError, "start is 3, and end 1");
  });

  it("owns its bytes after a change, and neither the source nor a slice sees it", () => {
    const bytes = bytesOf("one two");
    const whole = Utf8.from(bytes);
    const word = whole.slice(4);
    word.replaceRange(0, 3, "zwölf");
    assertEquals([word.toString(), word.isBorrowed, word.length], ["zwölf", false, 6]);
    whole.replaceRange(3, 3, Utf8.fromString("!"));
    const early = whole.slice(0, 4);
    whole.replaceRange(0, 1, "O");
    assertEquals([whole, early, word].map(String), ["One! two", "one!", "zwölf"]);
    assertEquals(bytes, bytesOf("one two"));
    whole.replaceRange(0, whole.length, whole);
    assertEquals(whole.toString(), "One! two");
  });

  it("replaces as a string does, wherever", () => {
    fc.assert(fc.property(text, text, fc.nat(), fc.nat(), (string, middle, a, b) => {
      const characters = [...string];
      const [from, to] = [a, b].map((at) => at % (characters.length + 1)).sort((x, y) => x - y);
      const before = characters.slice(0, from).join("");
      const replaced = characters.slice(from, to).join("");
      const utf8 = Utf8.from(bytesOf(string));
      const start = bytesOf(before).length;
      assertEquals(utf8.slice(start, start + bytesOf(replaced).length).toString(), replaced);
      utf8.replaceRange(start, start + bytesOf(replaced).length, middle);
      assertEquals(utf8.toString(), before + middle + characters.slice(to).join(""));
      assert(Utf8.from(utf8.bytes).equals(utf8));
    }));
  });

  it("stays as it was where a replacement is refused", () => {
    const utf8 = Utf8.from(bytesOf("é"));
    assertThrows(() => utf8.replaceRange(0, 1, "e"), RangeError, "end is 1, which lies inside a character");
    assertThrows(
      () => utf8.replaceRange(0, 3, "e"),
      RangeError,
      "cannot replace a Utf8 of 2 bytes: end is 3",
    );
    assertThrows(() => utf8.replaceRange(0, 2, "\ud800"), TypeError, "lone surrogate");
    assertThrows(() => Reflect.apply(utf8.replaceRange, utf8, [0, 2, 7]), TypeError, "it is number");
    assertEquals([utf8.toString(), utf8.isBorrowed], ["é", true]);
  });

  it("is made by its own methods, and compared with its own kind", () => {
    assertThrows(() => Reflect.construct(Utf8, [{ value: Uint8Array.of(255) }]), TypeError, "call Utf8.from");
    const utf8 = Utf8.fromString("ab");
    for (
      const other of ["ab", "abc", undefined, null, 2, bytesOf("ab"), { bytes: bytesOf("ab"), length: 2 }]
    ) {
      assertThrows(
        () => Reflect.apply(utf8.equals, utf8, [other]),
        TypeError,
        "cannot compare a Utf8: other",
      );
      assertThrows(
        () => Reflect.apply(utf8.compare, utf8, [other]),
        TypeError,
        "cannot compare a Utf8: other",
      );
    }
    assertEquals([utf8.equals(Utf8.fromString("ab")), utf8.compare(Utf8.fromString("b")) < 0], [true, true]);
  });

  it("makes its bytes its own, once", () => {
    const bytes = bytesOf("abc");
    const utf8 = Utf8.from(bytes);
    assertStrictEquals(utf8.toOwned(), utf8);
    const own = utf8.bytes;
    assertEquals([utf8.isBorrowed, own === bytes, utf8.toOwned().bytes === own], [false, false, true]);
    bytes.fill(0);
    assertEquals(utf8.toString(), "abc");
  });

  it("refuses what is neither bytes nor a string", () => {
    for (
      const value of [undefined, null, "text", [1], new Uint16Array(1), new DataView(new ArrayBuffer(1))]
    ) {
      for (const make of [Utf8.from, Utf8.owned]) {
        assertThrows(() => Reflect.apply(make, Utf8, [value]), TypeError, "bytes is no Uint8Array");
      }
    }
    assertThrows(() => Reflect.apply(Utf8.fromString, Utf8, [3]), TypeError, "it is number, not a string");
    assertThrows(() => Utf8.fromString("a\udc00"), TypeError, "lone surrogate");
  });
});
