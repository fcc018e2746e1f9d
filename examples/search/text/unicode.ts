/**
 * What each code point is to a search for words: a letter of a spaced script, a letter of a script
 * that is written without spaces, nothing, or a separator; and how letters are folded, so that
 * `Café`, `CAFE` and `ｃａｆｅ` are one word.
 *
 * Index files must be the same bytes on every host, and hosts differ in their version of Unicode. So
 * the classes are the ranges below, whatever `\p{L}` says; everything above ASCII that no range names
 * is a letter. Case and accents are folded below U+2000 alone, where assignments are old and Unicode's
 * stability policy lets no host differ; the tests hold a checksum of the whole table.
 *
 * @module
 */

/** Stands between words: spaces, punctuation, symbols, emoji. */
export const SEPARATOR = 0;
/** A letter, digit or vowel sign of a script that puts spaces between words. */
export const LETTER = 1;
/** A character of a script without spaces: Han, Kana, Hangul, Thai, Lao, Burmese, Khmer. */
export const UNSPACED = 2;
/** No part of the word that it stands in: accents, points of Hebrew and Arabic, soft hyphens, joiners. */
export const IGNORED = 3;

const SEPARATORS =
  "0-2f 3a-40 5b-60 7b-a9 ab-b4 b6-b9 bb-bf d7 f7 2c2-2c5 2d2-2df 2e5-2eb 2ed 2ef-2ff 375 37e " +
  "384-385 387 3f6 482 55a-55f 589-58a 58d-58f 5be 5c0 5c3 5c6 5f3-5f4 600-60f 61b-61f 66a-66d 6d4 6dd-6de 6e9 " +
  "6fd-6fe 700-70f 7f6-7f9 830-83e 85e 964-965 970 9f2-9f3 9fa-9fb af0-af1 bf0-bfa c7f d4f d79 df4 e3f e4f " +
  "e5a-e5b f01-f17 f1a-f1f f34 f36 f38 f3a-f3d f85 fbe-fc5 fc7-fda 104a-104f 109e-109f 10fb 1360-1368 1390-1399 " +
  "1400 166d-166e 1680 169b-169c 16eb-16ed 1735-1736 17d4-17d6 17d8-17db 1800-180a 1940-1945 19de-19ff 1a1e-1a1f " +
  "1aa0-1aad 1b5a-1b6a 1b74-1b7e 1bfc-1bff 1c3b-1c3f 1c7e-1c7f 1cc0-1cc7 1cd3 1fbd 1fbf-1fc1 1fcd-1fcf " +
  "1fdd-1fdf 1fed-1fef 1ffd-200a 200e-202f 2030-205f 2065-2070 2074-207e 2080-208e 20a0-20cf 2100-2101 2103-2106 " +
  "2108-2109 2114 2116-2118 211e-2123 2125 2127 2129 212e 213a-213b 2140-2144 214a-214d 214f-215f 2189-2bff " +
  "2ce5-2cea 2cf9-2cff 2d70 2e00-2e7f 2ff0-3004 3008-3020 3030 3036-3037 303d-303f 309b-309c 30a0 30fb 3190-319f " +
  "31c0-31ef 3200-33ff 4dc0-4dff a490-a4cf a4fe-a4ff a60d-a60f a673 a67e a6f2-a6f7 a700-a716 a720-a721 a789-a78a " +
  "a828-a82b a836-a839 a874-a877 a8ce-a8cf a8f8-a8fa a8fc a92e-a92f a95f a9c1-a9cd a9de-a9df aa5c-aa5f aade-aadf " +
  "aaf0-aaf1 ab5b ab6a-ab6b abeb d800-f8ff fb29 fbb2-fbc2 fd3e-fd4f fdcf fdfc-fdff fe10-fe1f fe30-fe6f ff00-ff0f " +
  "ff1a-ff20 ff3b-ff40 ff5b-ff65 ffe0-fffb fffc-ffff";

const UNSPACED_RANGES =
  "e01-e3e e40-e4e e81-ebf ec0-edf 1000-1049 1050-109d 1780-17d3 17d7 17dc-17dd 1950-19dd " +
  "1a20-1a9f 2e80-2fdf 3005-3007 3021-302f 3031-3035 3038-303c 3041-309a 309d-309f 30a1-30fa 30fc-318f 31a0-31bf " +
  "31f0-31ff 3400-4dbf 4e00-9fff a960-a97f a9e0-a9fe aa60-aa7f ac00-d7ff f900-faff ff66-ffdf";

const IGNORED_RANGES = "ad 300-36f 591-5bd 5bf 5c1-5c2 5c4-5c5 5c7 61c 640 64b-65f 670 180b-180f 1ab0-1aff " +
  "1dc0-1dff 200b-200d 2060-2064 20d0-20ff 302a-302d fe00-fe0f fe20-fe2f feff";

const classes = new Uint8Array(0x10000).fill(LETTER);
fillRanges(SEPARATORS, SEPARATOR);
fillRanges(UNSPACED_RANGES, UNSPACED);
fillRanges(IGNORED_RANGES, IGNORED);

function fillRanges(ranges: string, kind: number): void {
  for (const range of ranges.split(" ")) {
    const [first, last] = range.split("-").map((hex) => parseInt(hex, 16));
    classes.fill(kind, first, (last ?? first) + 1);
  }
}

/** {@linkcode SEPARATOR}, {@linkcode LETTER}, {@linkcode UNSPACED} or {@linkcode IGNORED}. */
export function classOf(codePoint: number): number {
  if (codePoint < 0x10000) return classes[codePoint];
  if (codePoint >= 0x1f000 && codePoint < 0x20000) return SEPARATOR;
  if (codePoint >= 0x20000 && codePoint < 0x40000) return UNSPACED;
  return codePoint < 0xe0000 ? LETTER : IGNORED;
}

/** Letters that NFD does not take apart, and the two that have a twin. */
const SPELLED: Readonly<Record<string, string>> = {
  "ß": "ss",
  "æ": "ae",
  "œ": "oe",
  "ø": "o",
  "đ": "d",
  "ð": "d",
  "ħ": "h",
  "ı": "i",
  "ł": "l",
  "ŧ": "t",
  "þ": "th",
  "ſ": "s",
  "µ": "μ",
  "ς": "σ",
  "ё": "е",
};

const FOLDED_BELOW = 0x2000;
const foldedBytes = new Uint32Array(FOLDED_BELOW);

/**
 * A letter in lower case and, in Latin and Greek, without its accent: the UTF-8 of the result (at most
 * four bytes), first byte lowest.
 */
export function fold(codePoint: number): number {
  if (codePoint < FOLDED_BELOW) return foldedBytes[codePoint] ||= packUtf8(foldLetter(codePoint));
  const fullWidth = codePoint > 0xff00 && codePoint < 0xff5f;
  return fullWidth ? fold(codePoint - 0xfee0) : packUtf8(String.fromCodePoint(codePoint));
}

function foldLetter(codePoint: number): string {
  const lower = String.fromCodePoint(codePoint).toLowerCase();
  const accented = codePoint < 0x250 || (codePoint >= 0x370 && codePoint < 0x400) || codePoint >= 0x1e00;
  const letter = accented ? String.fromCodePoint(lower.normalize("NFD").codePointAt(0) ?? codePoint) : lower;
  return SPELLED[letter] ?? letter;
}

const encoder = new TextEncoder();

function packUtf8(text: string): number {
  return encoder.encode(text).reduceRight((packed, byte) => packed * 256 + byte, 0);
}
