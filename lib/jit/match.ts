/** Finds the form that takes the operands of a call. */
import { described } from "./described.ts";
import type { Form } from "./form.ts";
import { check, type FormOperand, type Integer } from "./form_operand.ts";
import { idOf, type Operand } from "./encoder.ts";
import type { Instruction } from "./instruction.ts";
import { code } from "./kinds.ts";
import { Memory } from "./memory.ts";
import type { Immediate } from "./notation.ts";

/** More make no key of their own. */
const MOST_OPERANDS = 5;

/** The least integer that JavaScript cannot tell from its neighbour. */
const UNSAFE = 2 ** 53;

export class Match {
  /** What the last form that was found has as its immediate. */
  immediate: Immediate = 0;

  /** The first form that takes them. Throws where none does, or where memory's size would decide. */
  find(instruction: Instruction, operands: readonly (Operand | Immediate)[]): Form {
    if (operands.length > MOST_OPERANDS) {
      throw new TypeError(refusal(instruction, operands, instruction.forms));
    }
    let key = operands.length;
    for (let i = 0; i < operands.length; i++) key = key << 5 | codeOf(operands[i]);
    const forms = instruction.byKinds.get(key) ?? resolve(instruction, operands, key);
    for (let i = 0; i < forms.length; i++) {
      if (!this.#fits(forms[i], operands)) continue;
      if (forms[i].isGather) requireDistinct(instruction, operands);
      return forms[i];
    }
    throw new RangeError(refusal(instruction, operands, forms) + lanesOf(forms, operands));
  }

  #fits(form: Form, operands: readonly (Operand | Immediate)[]): boolean {
    for (let i = 0; i < operands.length; i++) {
      if (!this.#fitsOperand(form, form.operands[i], operands[i])) return false;
    }
    return true;
  }

  #fitsOperand(form: Form, expected: FormOperand, operand: Operand | Immediate): boolean {
    if (expected.check === check.none) return true;
    if (typeof operand !== "object") return this.#fitsInteger(operand, expected.integer);
    switch (expected.check) {
      case check.low:
        return operand.id < 16 && operand.mask === 0;
      case check.unmasked:
        return operand.mask === 0;
      case check.merging:
        return operand.masking !== "z";
      case check.masked:
        return operand.masking === "k";
      case check.fixed:
        return operand.id === expected.fixed && operand.mask === 0;
      case check.lanes:
        return operand.mask === 0 && hasLanes(operand, form.lanes);
      case check.lowIndex:
        return operand instanceof Memory && operand.index < 16 && operand.mask === 0;
      default:
        return true;
    }
  }

  #fitsInteger(value: Immediate, { bits, low, high }: Integer): boolean {
    let number = value;
    if (typeof number === "bigint") {
      if (bits === 64 && number >= 2n ** 63n && number < 2n ** 64n) number -= 2n ** 64n;
      if (number < -(2n ** 63n) || number >= 2n ** 63n) return false;
      if (number > -UNSAFE && number < UNSAFE) number = Number(number);
      else if (high !== Infinity) return false;
    } else if (!Number.isSafeInteger(number)) return false;
    if (typeof number === "number") {
      if (bits < 64 && low === -128 && high === 127) number = wrapped(number, bits);
      if (number < low || number > high) return false;
    }
    this.immediate = number;
    return true;
  }
}

function requireDistinct({ mnemonic }: Instruction, operands: readonly (Operand | Immediate)[]): void {
  const ids = operands.map((operand) => operand instanceof Memory ? operand.index : idOf(operand));
  if (new Set(ids).size < ids.length) {
    throw new RangeError(
      `${mnemonic} ${operands.join(", ")}: destination, index and mask must be different registers`,
    );
  }
}

/** -1 may be written 0xffff or 0xffffffff where the operation has no more bits. */
function wrapped(value: number, bits: number): number {
  return value >= 2 ** (bits - 1) && value < 2 ** bits ? value - 2 ** bits : value;
}

function hasLanes(operand: Operand, lanes: number): boolean {
  return !(operand instanceof Memory) || operand.lanes === 0 || operand.lanes === lanes;
}

/** 0, which no form takes, for what is no operand at all. */
function codeOf(operand: Operand | Immediate | null | undefined): number {
  if (typeof operand === "object") return operand?.code ?? 0;
  return typeof operand === "number" || typeof operand === "bigint" ? code.imm : 0;
}

/** The forms that take operands of these kinds, for the first time in the process. */
function resolve(
  instruction: Instruction,
  operands: readonly (Operand | Immediate)[],
  key: number,
): readonly Form[] {
  const codes = operands.map(codeOf);
  const forms = instruction.forms.filter((form) =>
    form.operands.length === codes.length &&
    form.operands.every(({ kinds }, i) => (kinds >>> codes[i] & 1) !== 0)
  );
  if (forms.length === 0) {
    throw new TypeError(refusal(instruction, operands, instruction.forms));
  }
  if (
    codes.some((kind) => kind === code.m || kind === code.bcst) &&
    new Set(forms.map(({ unit }) => unit)).size > 1
  ) {
    throw new TypeError(
      `${refusal(instruction, operands, forms)}: say the size, as in dword(…) or broadcast(…).to(4)`,
    );
  }
  instruction.byKinds.set(key, forms);
  return forms;
}

function refusal(
  { mnemonic }: Instruction,
  operands: readonly (Operand | Immediate)[],
  forms: readonly Form[],
): string {
  const takes = new Set(forms.map((form) => form.operands.map(({ text }) => text).join(", ") || "nothing"));
  return `${mnemonic} does not take (${operands.map(described).join(", ")}); it takes (${
    [...takes].join("), (")
  })`;
}

/** To how many lanes a broadcast goes, where another number was said. */
function lanesOf(forms: readonly Form[], operands: readonly (Operand | Immediate)[]): string {
  const lanes = new Set(forms.map((form) => form.lanes));
  const isWrong = operands.some((operand) =>
    operand instanceof Memory && operand.lanes !== 0 && !lanes.has(operand.lanes)
  );
  return isWrong ? `: a broadcast goes to ${[...lanes].join(" or ")} lanes here` : "";
}
