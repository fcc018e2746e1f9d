/**
 * Operands for a form, ours beside the text that GNU `as` takes for the same.
 *
 * @module
 */
import type { Operand } from "../../lib/jit/encoder.ts";
import { encodings, type Form } from "../../lib/jit/form.ts";
import type { FormOperand } from "../../lib/jit/form_operand.ts";
import type { MemoryKind } from "../../lib/jit/kinds.ts";
import * as memory from "../../lib/jit/memory.ts";
import * as modifiers from "../../lib/jit/modifiers.ts";
import type { Immediate } from "../../lib/jit/notation.ts";
import { symbol } from "../../lib/jit/places.ts";
import * as registers from "../../lib/jit/registers.ts";

export interface Sample {
  readonly ours: readonly (Operand | Immediate)[];
  readonly gnu: string;
}

/** Numbers that are the same in every run: xorshift of 32 bits. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 1;
  }

  below(limit: number): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return (this.#state >>> 0) % limit;
  }

  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)];
  }
}

const all = Object.values(registers);
export const gprs = all.filter((value) => value instanceof registers.Gpr);
const r64s = gprs.filter((register): register is registers.Gpr<"r64"> => register.kind === "r64");
const masks = all.filter((value) => value instanceof registers.Mask);
const realMasks = masks.slice(1);
const vectors = { xmm: registers.xmm, ymm: registers.ymm, zmm: registers.zmm };
const roundings = [modifiers.rnSae, modifiers.rdSae, modifiers.ruSae, modifiers.rzSae];
const scales = [1, 2, 4, 8] as const;

/** Displacements at the edges of every encoding, those of EVEX in its units. */
const displacements = [0, 1, -1, 127, 128, -128, -129, 2 ** 31 - 1, -(2 ** 31)]
  .concat([2, 4, 8, 16, 32, 64].flatMap((unit) => [unit, 127 * unit, 128 * unit, -128 * unit, -129 * unit]));

/** The terms of an address. */
function terms(random: Random): memory.Term[] {
  const displacement = random.of(displacements);
  const index = random.of(r64s.filter(({ id }) => id !== 4)).times(random.of(scales));
  switch (random.below(9)) {
    case 8:
      // From the end of the instruction, which is at most 16 bytes further, it must fit too.
      return [symbol("memcpy"), Math.max(displacement, 16 - 2 ** 31)];
    case 0:
      return [index, displacement];
    case 1:
      return [random.below(2 ** 31)];
    case 2:
    case 3:
      return [random.of(r64s), index, displacement];
    case 4:
      return [random.of(r64s)];
    default:
      return [random.of(r64s), displacement];
  }
}

function vectorTerms<K extends "xmm" | "ymm" | "zmm">(
  index: registers.Vector<K, "none">,
  random: Random,
): (memory.Term | registers.Index<K>)[] {
  const scaled = index.times(random.of(scales));
  const displacement = random.of(displacements);
  return random.below(4) === 0 ? [scaled, displacement] : [random.of(r64s), scaled, displacement];
}

const immediates: Readonly<Record<string, readonly Immediate[]>> = {
  1: [1],
  imm8: [0, 1, 127, -128, 255],
  imm16: [0, 1, 255, 256, 65535, -32768, 32767, 65408],
  imm32: [0, 1, 127, 128, 2 ** 31 - 1, 2 ** 32 - 1, -(2 ** 31), 2 ** 32 - 128],
  imm64: [0, -1, 2 ** 31, 2 ** 32, -(2 ** 31) - 1, 0x123456789abcdefn, 2n ** 64n - 1n, -(2n ** 63n)],
  simm8w: [0, 1, 127, -128, 65535, 65408],
  simm8d: [0, 1, 127, -128, 2 ** 32 - 1],
  simm8: [0, 1, 127, -128],
  simm32: [0, 127, 128, -129, 2 ** 31 - 1, -(2 ** 31)],
};

export interface Piece {
  readonly ours: Operand | Immediate;
  readonly gnu: string;
}

function plain(ours: Operand | Immediate): Piece {
  return { ours, gnu: String(ours) };
}

/** As GNU writes it: sized, and a broadcast with its lanes. */
function memoryPiece(word: string, form: Form, random: Random): Piece {
  const { ours, gnu } = sizedPiece(word, terms(random), form);
  if (!(ours instanceof memory.Memory) || random.below(8) > 0) return { ours, gnu };
  const segment = random.of(["fs", "gs"] as const);
  return { ours: ours[segment](), gnu: gnu.replace("[", `${segment}:[`) };
}

/** Memory of that size, or a broadcast. */
export function sizedPiece(word: string, address: readonly memory.Term[], form: Form): Piece {
  switch (word) {
    case "b32":
    case "b64": {
      const to = String(memory.broadcast(...address)).replace("1toN", `1to${form.lanes}`);
      const ours = form.lanes === 2 || form.lanes === 4 || form.lanes === 8 || form.lanes === 16
        ? memory.broadcast(...address).to(form.lanes)
        : memory.broadcast(...address);
      return { ours, gnu: to };
    }
    case "m8":
      return plain(memory.byte(...address));
    case "m16":
      return plain(memory.word(...address));
    case "m32":
      return plain(memory.dword(...address));
    case "m64":
      return plain(memory.qword(...address));
    case "m128":
      return plain(memory.xmmword(...address));
    case "m256":
      return plain(memory.ymmword(...address));
    case "m512":
      return plain(memory.zmmword(...address));
    default:
      return plain(memory.ptr(...address));
  }
}

function vectorIndex(kind: "xmm" | "ymm" | "zmm", form: Form, random: Random): Piece {
  const id = random.below(form.encoding === encodings.evex ? 32 : 16);
  switch (kind) {
    case "xmm":
      return plain(memory.ptr(...vectorTerms(registers.xmm(id), random)));
    case "ymm":
      return plain(memory.ptr(...vectorTerms(registers.ymm(id), random)));
    case "zmm":
      return plain(memory.ptr(...vectorTerms(registers.zmm(id), random)));
  }
}

function wordPiece(word: string, form: Form, random: Random): Piece {
  switch (word) {
    case "r8":
    case "r16":
    case "r32":
    case "r64":
      return plain(random.of(gprs.filter(({ kind }) => kind === word)));
    case "xmm":
    case "ymm":
    case "zmm":
      return plain(vectors[word](random.below(form.encoding === encodings.evex ? 32 : 16)));
    case "k":
      return plain(random.of(masks));
    case "vmx":
      return vectorIndex("xmm", form, random);
    case "vmy":
      return vectorIndex("ymm", form, random);
    case "vmz":
      return vectorIndex("zmm", form, random);
    case "er":
      return plain(random.of(roundings));
    case "sae":
      return plain(modifiers.sae);
    case "{vex}":
      return plain(modifiers.vex);
    case "symbol":
      return { ours: symbol("memcpy"), gnu: "qword ptr [rip+memcpy@GOTPCREL]" };
    case "xmm0":
      return plain(registers.xmm(0));
    case "m":
    case "mem":
      return plain(memory.ptr(...terms(random)));
    default: {
      const register = gprs.find(({ name }) => name === word);
      return register === undefined ? memoryPiece(word, form, random) : plain(register);
    }
  }
}

export function isUnmasked(operand: memory.Memory): operand is memory.Memory<MemoryKind, "none"> {
  return operand.masking === "none";
}

/** `text` again under a mask, where the form takes one. */
function masked({ ours, gnu }: Piece, suffix: string, random: Random): Piece {
  const mask = random.of(realMasks);
  const merging = `${gnu}{${mask}}`;
  if (ours instanceof registers.Vector && ours.masking === "none") {
    const vector = new registers.Vector(ours.kind, ours.id, "none", 0);
    if (suffix === "{kz}" && random.below(2) === 0) return { ours: vector.z(mask), gnu: `${merging}{z}` };
    return { ours: vector.k(mask), gnu: merging };
  }
  if (ours instanceof registers.Mask) {
    return { ours: new registers.Mask(ours.id, "none", 0).k(mask), gnu: merging };
  }
  if (ours instanceof memory.Memory && isUnmasked(ours)) return { ours: ours.k(mask), gnu: merging };
  return { ours, gnu };
}

/** One operand that the form takes there. */
export function pieceOf({ text }: FormOperand, form: Form, random: Random): Piece {
  const [, word, suffix = ""] = /^(\{vex\}|[^{]+)(\{.+\})?$/.exec(text) ?? [];
  if (immediates[word] !== undefined) return plain(random.of(immediates[word]));
  const found = wordPiece(random.of(word.split("/")), form, random);
  return suffix === "{k!}" || (suffix !== "" && random.below(2) === 0)
    ? masked(found, suffix, random)
    : found;
}

/** Each choice of the words with `/` between, without what may decorate them. */
export function choices(form: Form): string[][] {
  return form.operands.reduce<string[][]>((before, { text }) => {
    const [, words, suffix = ""] = /^(\{vex\}|[^{]+)(\{.+\})?$/.exec(text) ?? [];
    const required = suffix === "{k!}" ? suffix : "";
    return words.split("/").flatMap((word) => before.map((list) => [...list, word + required]));
  }, [[]]);
}

/** As GNU writes the mnemonic with those operands: `lock add` and `{vex} vpdpbusd`. */
export function lineOf(mnemonic: string, operands: readonly string[]): string {
  const rest = operands.filter((text) => text !== "{vex}").map((text) =>
    text.replace(/^([^:[]*)(\[0x.*\})$/, "$1ds:$2")
  );
  const prefix = rest.length < operands.length ? "{vex} " : "";
  return `${prefix}${mnemonic.replace("_", " ")} ${rest.join(", ")}`.trim();
}

/** Whether `ah` and its like would need what cannot be. */
function isImpossible(operands: readonly (Operand | Immediate)[], form: Form): boolean {
  const high = operands.some((operand) => operand instanceof registers.Gpr && operand.rex === "forbidden");
  return high &&
    (form.wide === 1 ||
      operands.some((operand) =>
        (operand instanceof registers.Gpr &&
          (operand.id > 7 || operand.rex === "needed" || operand.kind === "r64")) ||
        (operand instanceof memory.Memory && (operand.base > 7 || operand.index > 7))
      ));
}

/** Whether a gather's registers are not distinct. */
function isMixed(operands: readonly (Operand | Immediate)[], form: Form): boolean {
  const ids = operands.map((operand) =>
    operand instanceof memory.Memory ? operand.index : typeof operand === "object" ? operand.id : 0
  );
  return form.isGather && new Set(ids).size < ids.length;
}

/** Some operands that the form takes. */
export function sampleOf(mnemonic: string, form: Form, random: Random): Sample {
  for (;;) {
    const pieces = form.operands.map((operand) => pieceOf(operand, form, random));
    const ours = pieces.map((piece) => piece.ours);
    if (isImpossible(ours, form) || isMixed(ours, form)) continue;
    return { ours, gnu: lineOf(mnemonic, pieces.map((piece) => piece.gnu)) };
  }
}
