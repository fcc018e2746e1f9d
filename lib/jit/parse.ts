/** Reads the lines of the tables into forms: see notation.ts for what a line says. */
import type { Feature } from "./code.ts";
import { type Encoding, encodings, type Form, type Places } from "./form.ts";
import { check, type FormOperand, type Length, memoryBits, operandOf, registerBits } from "./form_operand.ts";
import { code } from "./kinds.ts";
import { encodingOf } from "./parse_encoding.ts";

/** A line, taken apart. */
interface Line {
  readonly operands: readonly string[];
  readonly words: readonly string[];
  readonly isEvex: boolean;
}

const gprLengths: readonly Length[] = ["w", "d", "q"];

function formsOfLine(text: string): Form[] {
  const [operands = "", encoding = "", features = ""] = text.split(" | ");
  const line: Line = {
    operands: operands === "" ? [] : operands.split(", "),
    words: encoding.split(" "),
    isEvex: encoding.includes("EVEX."),
  };
  if (encoding.includes("VEX.V.")) return vectorForms(line, features.split(","));
  const word = /\b(?:m|imm|A)?([RD])\b/.exec(operands)?.[1];
  const lengths = word === "R" ? gprLengths : word === "D" ? gprLengths.slice(1) : ["one"] as const;
  return lengths.flatMap((length) => roundedForms(line, length, featuresOf(features)));
}

function vectorForms(line: Line, features: readonly string[]): Form[] {
  const lengths = line.isEvex ? ["x", "y", "z"] as const : ["x", "y"] as const;
  return lengths.flatMap((length, i) => {
    const needed = features.length === 1 ? features[0] : features[i];
    if (needed === "-") return [];
    const list = featuresOf(needed);
    return roundedForms(line, length, line.isEvex && length !== "z" ? [...list, "avx512vl"] : list);
  });
}

function featuresOf(text: string): Feature[] {
  const isFeature = (name: string): name is Feature => name !== "";
  return text.split("+").filter(isFeature);
}

/** Without what may follow an operand, and with it: vectors round at their full length alone. */
function roundedForms(line: Line, length: Length, features: readonly Feature[]): Form[] {
  const at = line.operands.findIndex((text) => text.endsWith("{er}") || text.endsWith("{sae}"));
  if (at === -1) return [formOf(line, length, features)];
  const [words, rounding] = line.operands[at].slice(0, -1).split("{");
  const before = line.operands.slice(0, at);
  const after = line.operands.slice(at + 1);
  const plain = formOf({ ...line, operands: [...before, words, ...after] }, length, features);
  if (length === "x" || length === "y") return [plain];
  const register = words.split("/m", 1);
  return [
    plain,
    formOf({ ...line, operands: [...before, ...register, rounding, ...after] }, length, features),
  ];
}

function formOf(
  { operands: texts, words, isEvex }: Line,
  length: Length,
  features: readonly Feature[],
): Form {
  const encoding = encodingOf(words, length);
  const operands = texts.map((text) => operandOf(text, length, isEvex));
  const memory = operands.find(({ memoryBytes }) => memoryBytes !== 0);
  const unit = encoding.unit || (memory?.memoryBytes ?? 1);
  const element = memory?.elementBytes ?? 0;
  return {
    ...encoding,
    ...placesOf(operands, encoding),
    operands,
    features,
    immediate: operands.findIndex(({ check: kind, text }) => kind === check.integer && text !== "1"),
    unit,
    element,
    lanes: element === 0 ? 0 : unit / element,
    rounding: texts.indexOf("er"),
    suppresses: texts.includes("sae"),
    isGather: texts.some((text, i) => i > 0 && text.startsWith("vm")),
    mirror: undefined,
    lastUser: 0,
  };
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

/** The way to a VEX of two bytes, as GNU goes it: `vmovaps xmm0, xmm9` as a store. */
function mirrors(form: Form, other: Form): boolean {
  return form !== other && other.encoding === encodings.vex && form.reg === other.rm &&
    form.rm === other.reg &&
    form.vvvv === other.vvvv && form.length === other.length &&
    form.operands.length === other.operands.length &&
    form.operands.every(({ kinds }, i) =>
      (kinds & other.operands[i].kinds & registerBits) !== 0 || i === form.immediate
    );
}

/** All forms that the lines of a mnemonic stand for, in the order of preference. */
export function formsOf(lines: readonly string[]): Form[] {
  const forms = lines.flatMap(formsOfLine);
  for (const form of forms) {
    if (form.encoding !== encodings.vex || form.map !== 1 || form.reg === -1 || form.rm === -1) continue;
    form.mirror = forms.find((other) => mirrors(form, other));
  }
  return forms;
}
