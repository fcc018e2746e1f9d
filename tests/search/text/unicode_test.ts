import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import {
  classOf,
  fold,
  IGNORED,
  LETTER,
  SEPARATOR,
  UNSPACED,
} from "../../../examples/search/text/unicode.ts";

function folded(text: string): string {
  const bytes: number[] = [];
  for (const character of text) {
    for (let packed = fold(character.codePointAt(0) ?? 0); packed !== 0; packed >>>= 8) {
      bytes.push(packed & 0xff);
    }
  }
  return new TextDecoder().decode(Uint8Array.from(bytes));
}

function classesOf(text: string): number[] {
  return Array.from(text, (character) => classOf(character.codePointAt(0) ?? 0));
}

describe("classOf()", () => {
  it("knows letters and digits of spaced scripts", () => {
    assertEquals(new Set(classesOf("azAZ09éÿØßŁžαΩжЯאبकहಕაԱⲀⰀ\u{1d400}\u{10400}")), new Set([LETTER]));
  });

  it("knows scripts that are written without spaces", () => {
    assertEquals(new Set(classesOf("漢字々〇ひらカター한글ไทยລາວមខ\u{20000}\u{2f800}")), new Set([UNSPACED]));
  });

  it("takes spaces, punctuation, symbols and emoji as separators", () => {
    assertEquals(
      new Set(classesOf(" \t\n\0_-'.,;«»“”…—¿²½×÷€→∑□、。「」！？～।؟\u00a0\u3000\u{1f600}\ufffd\ue000")),
      new Set([SEPARATOR]),
    );
  });

  it("ignores accents, points, joiners and soft hyphens", () => {
    assertEquals(
      new Set(classesOf("\u0301\u00ad\u200d\ufe0f\u05b8\u064e\ufeff\u{e0100}")),
      new Set([IGNORED]),
    );
  });

  it("agrees with itself on every host", () => {
    const classes = Uint8Array.from({ length: 0x30000 }, (_, codePoint) => classOf(codePoint));
    assertEquals(
      createHash("sha256").update(classes).digest("hex"),
      "0195e0f295782e211bf80ac4d041de6b18ce0e150a9d4038351ff06f1538272a",
    );
  });
});

describe("fold()", () => {
  it("lowers case", () => {
    assertEquals(folded("HELLO ΣΊΣΥΦΟΣ ЖУК ՀԱՅ"), "hello σισυφοσ жук հայ");
  });

  it("takes accents off Latin and Greek, and leaves Cyrillic letters what they are", () => {
    assertEquals(folded("ÀéîõüçñŠžǿẤ ἄέ Йй Її Ёё"), "aeioucnszoa αε йй її ее");
  });

  it("spells out the letters that have no accent to lose", () => {
    assertEquals(
      folded("Straße Æsop Œuvre Øre đ ð ħ ı Ł ŧ Þ ſ"),
      "strasse aesop oeuvre ore d d h i l t th s",
    );
  });

  it("makes final sigma and the micro sign what they look like", () => {
    assertEquals(folded("ς µ"), "σ μ");
  });

  it("folds full-width letters to ASCII", () => {
    assertEquals(folded("ＡＢｃ１２"), "abc12");
  });

  it("leaves other letters alone", () => {
    assertEquals(folded("漢字かな한글אבकि\u{1d400}"), "漢字かな한글אבकि\u{1d400}");
  });

  it("agrees with itself on every host", () => {
    const all = Uint32Array.from({ length: 0x20000 }, (_, codePoint) => fold(codePoint));
    assertEquals(
      createHash("sha256").update(all).digest("hex"),
      "b911cad018c7ac04889840d122267f00a8c9c8bf86581ab5b378472a682c3194",
    );
  });
});
