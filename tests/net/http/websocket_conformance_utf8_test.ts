/**
 * The cases of Autobahn's fuzzing client about texts, which are UTF-8 or refused.
 *
 * `tests/mirrored/autobahn.md` says which of them each test here stands for.
 */
import { describe, it } from "node:test";
import {
  AFTER,
  begin,
  echoed,
  echoing,
  EDITED,
  goOn,
  GREEK,
  hex,
  INVALID_DATA,
  joined,
  passes,
  pieces,
  play,
  text,
} from "./websocket_cases.ts";

const SPECIAL = "Hello-µ@ßöäüàá-UTF-8!!";
const BEYOND = joined([GREEK, hex("f4908080"), EDITED]);
const AT = GREEK.length;
const IN_THREE = [begin(GREEK), goOn(BEYOND.subarray(AT, AT + 4)), goOn(EDITED, true)];
const IN_THE_CHARACTER = [
  begin(BEYOND.subarray(0, AT + 1)),
  goOn(BEYOND.subarray(AT + 1, AT + 2)),
  goOn(BEYOND.subarray(AT + 2), true),
];

/** Sequences of one kind, in hexadecimal, and whether they are UTF-8. */
interface Sequences {
  readonly title: string;
  readonly isValid: boolean;
  readonly all: readonly string[];
}

const SEQUENCES: readonly Sequences[] = [
  {
    title: "takes characters of one to four bytes",
    isValid: true,
    all: ["68656c6c6f24", "c2a2", "e282ac", "f0a4ada2", "cebae1bdb9cf83cebcceb5"],
  },
  {
    title: "takes a text that ends between two characters",
    isValid: true,
    all: ["ceba", "cebae1bdb9", "cebae1bdb9cf83", "cebae1bdb9cf83cebc"],
  },
  {
    title: "refuses a text that ends within a character",
    isValid: false,
    all: ["ce", "cebae1", "cebae1bd", "cebae1bdb9cf", "cebae1bdb9cf83ce"],
  },
  {
    title: "takes the first character of each length",
    isValid: true,
    all: ["00", "c280", "e0a080", "f0908080"],
  },
  { title: "refuses the first of five and six bytes", isValid: false, all: ["f888808080", "fc8480808080"] },
  {
    title: "takes the last character of each length",
    isValid: true,
    all: ["7f", "dfbf", "efbfbf", "f48fbfbf"],
  },
  {
    title: "refuses the last of four, five and six bytes",
    isValid: false,
    all: ["f7bfbfbf", "fbbfbfbfbf", "fdbfbfbfbfbf"],
  },
  {
    title: "takes what stands beside the surrogates, the replacement character, and the last of all",
    isValid: true,
    all: ["ed9fbf", "ee8080", "efbfbd", "f48fbfbf"],
  },
  { title: "refuses the first character beyond Unicode", isValid: false, all: ["f4908080"] },
  {
    title: "refuses bytes that go on where nothing began",
    isValid: false,
    all: [
      "80",
      "bf",
      "80bf",
      "80bf80",
      "80bf80bf80bf",
      Array.from({ length: 63 }, (_, i) => (0x80 + i).toString(16)).join(""),
    ],
  },
  {
    title: "refuses first bytes with nothing behind them",
    isValid: false,
    all: ["c020c120df20", "e020e120ef20", "f020f120f720", "f820f920fb20", "fc20fd20"],
  },
  {
    title: "refuses characters that lack their last byte",
    isValid: false,
    all: ["c0", "e080", "f08080", "f8808080", "fc80808080", "df", "efbf", "f7bfbf", "fbbfbfbf", "fdbfbfbfbf"],
  },
  {
    title: "refuses many of those in a row",
    isValid: false,
    all: ["c0e080f08080f8808080fc80808080dfefbff7bfbffbbfbfbffdbfbfbfbf"],
  },
  { title: "refuses bytes that stand in no character", isValid: false, all: ["fe", "ff", "fefeffff"] },
  {
    title: "refuses a slash in more bytes than it needs",
    isValid: false,
    all: ["c0af", "e080af", "f08080af", "f8808080af", "fc80808080af"],
  },
  {
    title: "refuses the last of each length in one byte more",
    isValid: false,
    all: ["c1bf", "e09fbf", "f08fbfbf", "f887bfbfbf", "fc83bfbfbfbf"],
  },
  {
    title: "refuses NUL in more bytes than it needs",
    isValid: false,
    all: ["c080", "e08080", "f0808080", "f880808080", "fc8080808080"],
  },
  {
    title: "refuses one surrogate",
    isValid: false,
    all: ["eda080", "edadbf", "edae80", "edafbf", "edb080", "edbe80", "edbfbf"],
  },
  {
    title: "refuses surrogates in pairs",
    isValid: false,
    all: [
      "eda080edb080",
      "eda080edbfbf",
      "edadbfedb080",
      "edadbfedbfbf",
      "edae80edb080",
      "edae80edbfbf",
      "edafbfedb080",
      "edafbfedbfbf",
    ],
  },
  {
    title: "takes code points that are no characters",
    isValid: true,
    all: [
      "efbfbe",
      "efbfbf",
      "f09fbfbe",
      "f09fbfbf",
      "f0afbfbe",
      "f0bfbfbf",
      "f18fbfbe",
      "f29fbfbf",
      "f3bfbfbe",
      "f48fbfbe",
    ],
  },
  { title: "takes the specials", isValid: true, all: ["efbfb9", "efbfba", "efbfbb", "efbfbc", "efbfbd"] },
];

describe("UTF-8", () => {
  passes([
    { title: "gives an empty text back", send: [text("")], get: [text("")] },
    {
      title: "gives an empty text back that comes in three",
      send: [begin(""), goOn(""), goOn("", true)],
      get: [text("")],
    },
    {
      title: "gives a text back that stands between two empty pieces",
      send: [begin(""), goOn("middle"), goOn("", true)],
      get: [text("middle")],
    },
    echoed("gives a text beyond ASCII back", text(SPECIAL)),
    {
      title: "gives it back that is cut between characters",
      send: [begin("Hello-µ@ßöä"), goOn("üàá-UTF-8!!", true)],
      get: [text(SPECIAL)],
    },
    {
      title: "gives it back that comes in pieces of one byte",
      send: pieces(text(SPECIAL), 1),
      get: [text(SPECIAL)],
    },
    {
      title: "gives Greek back that comes in pieces of one byte",
      send: pieces(text(GREEK), 1),
      get: [text(GREEK)],
    },
    { title: "refuses a surrogate in the middle of a text", send: [text(AFTER)], closes: INVALID_DATA },
    { title: "refuses it in pieces of one byte", send: pieces(text(AFTER), 1), closes: INVALID_DATA },
    {
      title: "refuses a text whose second piece is none, at its end at the latest",
      send: IN_THREE,
      closes: INVALID_DATA,
      cut: "frames",
    },
    {
      title: "refuses it so where it is cut within the character",
      send: IN_THE_CHARACTER,
      closes: INVALID_DATA,
      cut: "frames",
    },
    {
      title: "refuses a text of one frame that comes in parts, at its end at the latest",
      send: [text(BEYOND)],
      closes: INVALID_DATA,
      cut: 12,
    },
    {
      title: "refuses it so where it comes byte by byte",
      send: [text(BEYOND)],
      closes: INVALID_DATA,
      cut: 1,
    },
  ]);
  for (const { title, isValid, all } of SEQUENCES) {
    it(title, () =>
      echoing(async (server) => {
        for (const digits of all) {
          const sent = [text(hex(digits))];
          await play(
            server,
            isValid ? { title, send: sent, get: sent } : { title, send: sent, closes: INVALID_DATA },
          );
        }
      }));
  }
});
