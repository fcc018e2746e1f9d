/** Reads encodings such as `VEX.V.66.0F38.W0 98 /r`. */
import { type Encoding, encodings } from "./form.ts";
import type { Length } from "./form_operand.ts";

type Effect = (encoding: Encoding, length: Length) => void;

const prefixes: Readonly<Record<string, number>> = { 66: 0x66, F2: 0xf2, F3: 0xf3, F0: 0xf0 };
const vexPrefixes: Readonly<Record<string, number>> = { 66: 1, F3: 2, F2: 3 };
const vexMaps: Readonly<Record<string, number>> = { "0F": 1, "0F38": 2, "0F3A": 3 };
const vexLengths: Readonly<Record<string, number>> = { 128: 0, 256: 1, 512: 2, LIG: 0, LZ: 0 };
const lengthBits: Readonly<Record<Length, number>> = { one: 0, x: 0, y: 1, z: 2, w: 0, d: 0, q: 0 };
const immediates: Readonly<Record<string, number>> = { ib: 1, iw: 2, id: 4, io: 8 };

const hexByte = /^[\dA-F]{2}(\+r)?$/;

function vexEffect(word: string): Effect {
  const [kind, ...parts] = word.split(".");
  const isEvex = kind === "EVEX";
  let prefix = 0;
  let map = 0;
  let wide: 0 | 1 = 0;
  let bits: number | undefined;
  for (const part of parts) {
    if (part in vexPrefixes) prefix = vexPrefixes[part];
    else if (part in vexMaps) map = vexMaps[part];
    else if (part in vexLengths) bits = vexLengths[part];
    else if (part === "W1") wide = 1;
    else if (!["V", "W0", "WIG", "WD"].includes(part)) {
      throw new SyntaxError(`"${part}" is no part of ${kind}`);
    }
  }
  const isByOperand = parts.includes("WD");
  return (encoding, length) => {
    encoding.encoding = isEvex ? encodings.evex : encodings.vex;
    encoding.prefix = prefix;
    encoding.map = map;
    encoding.wide = isByOperand && length === "q" ? 1 : wide;
    encoding.length = bits ?? lengthBits[length];
  };
}

function effectOf(word: string): Effect {
  if (word.includes("VEX.")) return vexEffect(word);
  if (word in immediates) return (encoding) => void (encoding.immediateBytes = immediates[word]);
  switch (word) {
    case "iR":
      return (encoding, length) => void (encoding.immediateBytes = length === "w" ? 2 : 4);
    case "o16":
      return (encoding) => void (encoding.is16 = true);
    case "REX.W":
      return (encoding) => void (encoding.wide = 1);
    case "/r":
      return (encoding) => void (encoding.hasModRm = true);
    case "/is4":
      return (encoding) => void (encoding.hasIs4 = true);
    case "cb":
    case "cd":
      return (encoding) => {
        encoding.encoding = encodings.jump;
        encoding.immediateBytes = word === "cb" ? 1 : 4;
      };
  }
  if (/^\/[0-7]$/.test(word)) {
    return (encoding) => {
      encoding.hasModRm = true;
      encoding.digit = Number(word.slice(1));
    };
  }
  if (/^N\d+$/.test(word)) return (encoding) => void (encoding.unit = Number(word.slice(1)));
  if (/^[MRV]{2,}$/.test(word)) return (encoding) => void (encoding.roles = word);
  if (!hexByte.test(word)) throw new SyntaxError(`"${word}" is no word of an encoding`);
  const byte = parseInt(word, 16);
  return (encoding) => {
    encoding.hasOperandInOpcode = word.length > 2;
    encoding.opcode |= byte << 8 * encoding.opcodeBytes++;
  };
}

/** Tables repeat themselves. */
const known: Map<string, Effect> = new Map();

function apply(word: string, encoding: Encoding, length: Length): void {
  let effect = known.get(word);
  if (effect === undefined) {
    effect = effectOf(word);
    known.set(word, effect);
  }
  effect(encoding, length);
}

/** Reads an encoding at a length. */
export function encodingOf(words: readonly string[], length: Length): Encoding {
  const encoding: Encoding = {
    encoding: encodings.legacy,
    prefix: 0,
    is16: length === "w",
    map: 0,
    wide: length === "q" ? 1 : 0,
    length: 0,
    opcode: 0,
    opcodeBytes: 0,
    immediateBytes: 0,
    digit: -1,
    hasModRm: false,
    hasOperandInOpcode: false,
    hasIs4: false,
    unit: 0,
    roles: "",
  };
  for (let i = 0; i < words.length; i++) {
    const isPrefix = words[i] in prefixes && encoding.opcodeBytes === 0 &&
      encoding.encoding === encodings.legacy &&
      i + 1 < words.length && hexByte.test(words[i + 1]);
    if (isPrefix) encoding.prefix = prefixes[words[i]];
    else apply(words[i], encoding, length);
  }
  return encoding;
}
