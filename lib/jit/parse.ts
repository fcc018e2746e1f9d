/** Reads the lines of the tables into forms: see notation.ts for what a line says. */
import type { Feature } from "./code.ts";
import { code } from "./kinds.ts";
import {
  check,
  encodings,
  type Form,
  type FormOperand,
  memoryBits,
  operandOf,
  registerBits,
} from "./form.ts";

type Words = Readonly<Record<string, string>>;

/** What the words that stand for several lengths mean at one of them. */
const vectorWords: readonly Words[] = [
  {
    V: "xmm",
    mV: "m128",
    H: "xmm",
    mH: "m64",
    Q: "xmm",
    mQ: "m32",
    E: "xmm",
    mE: "m16",
    vmV: "vmx",
    vmH: "vmx",
  },
  {
    V: "ymm",
    mV: "m256",
    H: "xmm",
    mH: "m128",
    Q: "xmm",
    mQ: "m64",
    E: "xmm",
    mE: "m32",
    vmV: "vmy",
    vmH: "vmx",
  },
  {
    V: "zmm",
    mV: "m512",
    H: "ymm",
    mH: "m256",
    Q: "xmm",
    mQ: "m128",
    E: "xmm",
    mE: "m64",
    vmV: "vmz",
    vmH: "vmy",
  },
];
const vectorBits = ["128", "256", "512"];

const wordWords: Words = { R: "r16", mR: "m16", AR: "ax", immR: "imm16", simm8: "simm8w" };
const doubleWords: Words = {
  R: "r32",
  D: "r32",
  mR: "m32",
  mD: "m32",
  AR: "eax",
  immR: "imm32",
  simm8: "simm8d",
};
const quadWords: Words = { R: "r64", D: "r64", mR: "m64", mD: "m64", AR: "rax", immR: "simm32" };

function filled(text: string, words: Words): string {
  return text.replace(/[A-Za-z]\w*/g, (word) => words[word] ?? word);
}

/** A line at one length. */
interface Line {
  readonly operands: string;
  readonly encoding: string;
  readonly features: string;
}

function linesOf(line: string): Line[] {
  const [operands = "", encoding = "", features = ""] = line.split(" | ");
  const isEvex = encoding.includes("EVEX.");
  if (encoding.includes("VEX.V.")) return vectorLines(operands, encoding, features.split(","), isEvex);
  if (/\b(?:m|imm|A)?R\b/.test(operands)) {
    return [
      { operands: filled(operands, wordWords), encoding: `o16 ${encoding.replace("iR", "iw")}`, features },
      { operands: filled(operands, doubleWords), encoding: encoding.replace("iR", "id"), features },
      { operands: filled(operands, quadWords), encoding: `REX.W ${encoding.replace("iR", "id")}`, features },
    ];
  }
  if (/\bm?D\b/.test(operands)) {
    return [
      { operands: filled(operands, doubleWords), encoding: encoding.replace(".WD", ".W0"), features },
      {
        operands: filled(operands, quadWords),
        encoding: encoding.includes("VEX.") ? encoding.replace(".WD", ".W1") : `REX.W ${encoding}`,
        features,
      },
    ];
  }
  return [{ operands, encoding, features }];
}

function vectorLines(
  operands: string,
  encoding: string,
  features: readonly string[],
  isEvex: boolean,
): Line[] {
  const lines: Line[] = [];
  for (let i = 0; i < (isEvex ? 3 : 2); i++) {
    const needed = features.length === 1 ? features[0] : features[i];
    if (needed === undefined || needed === "-") continue;
    lines.push({
      operands: filled(operands, vectorWords[i]),
      encoding: encoding.replace("VEX.V.", `VEX.${vectorBits[i]}.`),
      features: isEvex && i < 2 ? `${needed}+avx512vl` : needed,
    });
  }
  return lines;
}

/** Without what may follow an operand, and with it. */
function roundedLines(line: Line): Line[] {
  const { operands, encoding } = line;
  const found = /^(.*)\{(er|sae)\}(.*)$/.exec(operands);
  if (found === null) return [line];
  const [, before, word, after] = found;
  const plain = { ...line, operands: `${before}${after}` };
  if (/VEX\.(?:128|256)/.test(encoding)) return [plain];
  return [plain, { ...line, operands: `${before.replace(/\/m\w+(?:\/b\w+)?$/, "")}, ${word}${after}` }];
}

const numbers: Readonly<Record<string, number>> = { 66: 0x66, F2: 0xf2, F3: 0xf3, F0: 0xf0 };
const vexPrefix: Readonly<Record<string, number>> = { 66: 1, F3: 2, F2: 3 };
const vexMap: Readonly<Record<string, number>> = { "0F": 1, "0F38": 2, "0F3A": 3 };
const immediateWidths: Readonly<Record<string, number>> = { ib: 1, iw: 2, id: 4, io: 8, cb: 1, cd: 4 };

/** What an encoding says by its own words. */
interface Encoding {
  encoding: number;
  prefix: number;
  is16: boolean;
  map: number;
  wide: 0 | 1;
  length: number;
  opcode: number;
  opcodeBytes: number;
  immediateBytes: number;
  digit: number;
  hasModRm: boolean;
  hasOperandInOpcode: boolean;
  hasIs4: boolean;
  unit: number;
  roles: string;
}

function encodingOf(text: string): Encoding {
  const result: Encoding = {
    encoding: encodings.legacy,
    prefix: 0,
    is16: false,
    map: 0,
    wide: 0,
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
  const words = text.split(" ");
  words.forEach((word, i) => {
    if (word === "o16") result.is16 = true;
    else if (word === "REX.W") result.wide = 1;
    else if (/^E?VEX\./.test(word)) addVex(result, word);
    else if (/^[MRV]{2,}$/.test(word)) result.roles = word;
    else if (/^N\d+$/.test(word)) result.unit = Number(word.slice(1));
    else if (word === "/is4") result.hasIs4 = true;
    else if (word.startsWith("/")) {
      result.hasModRm = true;
      if (word !== "/r") result.digit = Number(word.slice(1));
    } else if (immediateWidths[word] !== undefined) {
      result.immediateBytes = immediateWidths[word];
      if (word.startsWith("c")) result.encoding = encodings.jump;
    } else if (numbers[word] !== undefined && result.opcodeBytes === 0 && isHex(words[i + 1])) {
      result.prefix = numbers[word];
    } else if (isHex(word)) {
      result.hasOperandInOpcode = word.endsWith("+r");
      result.opcode |= parseInt(word, 16) << 8 * result.opcodeBytes++;
    } else {
      throw new SyntaxError(`"${word}" is no word of an encoding`);
    }
  });
  return result;
}

function isHex(word: string | undefined): boolean {
  return word !== undefined && /^[\dA-F]{2}(?:\+r)?$/.test(word);
}

function addVex(result: Encoding, word: string): void {
  const [kind, ...parts] = word.split(".");
  result.encoding = kind === "EVEX" ? encodings.evex : encodings.vex;
  for (const part of parts) {
    if (vexPrefix[part] !== undefined) result.prefix = vexPrefix[part];
    else if (vexMap[part] !== undefined) result.map = vexMap[part];
    else if (part === "W1") result.wide = 1;
    else if (part === "256") result.length = 1;
    else if (part === "512") result.length = 2;
    else if (!/^(?:128|LIG|LZ|NP|W0|WIG)$/.test(part)) {
      throw new SyntaxError(`"${part}" is no part of ${kind}`);
    }
  }
}

/** Which operand goes to `ModRM:reg`, `ModRM:r/m`, `vvvv` and so on; -1 where none does. */
interface Places {
  reg: number;
  rm: number;
  vvvv: number;
  inOpcode: number;
  is4: number;
}

function placesOf(operands: readonly FormOperand[], encoding: Encoding): Places {
  const placed: number[] = [];
  operands.forEach(({ kinds, check: kind }, i) => {
    if ((kinds & (registerBits | memoryBits | 1 << code.symbol)) !== 0 && kind !== check.fixed) {
      placed.push(i);
    }
  });
  const places: Places = { reg: -1, rm: -1, vvvv: -1, inOpcode: -1, is4: -1 };
  if (encoding.roles !== "") {
    places.reg = placed[encoding.roles.indexOf("R")] ?? -1;
    places.rm = placed[encoding.roles.indexOf("M")] ?? -1;
    places.vvvv = placed[encoding.roles.indexOf("V")] ?? -1;
    return places;
  }
  if (encoding.hasIs4) places.is4 = placed.pop() ?? -1;
  if (encoding.hasOperandInOpcode) places.inOpcode = placed[0] ?? -1;
  if (!encoding.hasModRm) return places;
  const memory = placed.findIndex((i) => (operands[i].kinds & (memoryBits | 1 << code.symbol)) !== 0);
  const at = memory === -1 ? placed.length - 1 : memory;
  places.rm = placed[at] ?? -1;
  const rest = placed.filter((_, i) => i !== at);
  const first = encoding.digit === -1 && (at > 0 || rest.length === 1) ? rest.shift() : undefined;
  places.vvvv = rest.shift() ?? -1;
  places.reg = first ?? rest.shift() ?? -1;
  return places;
}

const memoryWidth = /\bm(8|16|32|64|128|256|512)\b/;

function formOf({ operands, encoding: encodingText, features }: Line): Form {
  const encoding = encodingOf(encodingText);
  const isEvex = encoding.encoding === encodings.evex;
  const list = operands === "" ? [] : operands.split(", ").map((text) => operandOf(text, isEvex));
  const element = Number(/\/b(32|64)/.exec(operands)?.[1] ?? 0) / 8;
  const unit = encoding.unit || Number(memoryWidth.exec(operands)?.[1] ?? 8) / 8;
  const hasFeature = (name: string): name is Feature => name !== "";
  return {
    text: `${operands} | ${encodingText} | ${features}`,
    operands: list,
    features: features.split("+").filter(hasFeature),
    ...encoding,
    ...placesOf(list, encoding),
    immediate: list.findIndex(({ check: kind, text }) => kind === check.integer && text !== "1"),
    unit,
    element,
    lanes: element === 0 ? 0 : unit / element,
    rounding: list.findIndex(({ text }) => text === "er"),
    suppresses: list.some(({ text }) => text === "sae"),
    isGather: list.some(({ text }, i) => i > 0 && text.startsWith("vm")),
    mirror: undefined,
    lastUser: 0,
  };
}

/** GNU's and our way to a VEX of two bytes: `vmovaps xmm0, xmm9` as a store. */
function mirrors(form: Form, other: Form): boolean {
  return form !== other && form.encoding === encodings.vex && other.encoding === encodings.vex &&
    form.map === 1 && form.digit === -1 && form.reg !== -1 && form.rm !== -1 && form.reg === other.rm &&
    form.rm === other.reg && form.vvvv === other.vvvv && form.length === other.length &&
    form.operands.length === other.operands.length &&
    form.operands.every(({ kinds }, i) =>
      (kinds & other.operands[i].kinds & registerBits) !== 0 || i === form.immediate
    );
}

/** All forms that the lines of a mnemonic stand for, in the order of preference. */
export function formsOf(lines: readonly string[]): Form[] {
  const forms = lines.flatMap(linesOf).flatMap(roundedLines).map(formOf);
  for (const form of forms) form.mirror = forms.find((other) => mirrors(form, other));
  return forms;
}
