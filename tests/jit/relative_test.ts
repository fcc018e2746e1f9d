import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { Assembler } from "../../lib/jit/assembler.ts";
import { encodings, type Form } from "../../lib/jit/form.ts";
import { instructions } from "../../lib/jit/instructions/mod.ts";
import type { Term } from "../../lib/jit/memory.ts";
import { symbol } from "../../lib/jit/places.ts";
import { Gpr } from "../../lib/jit/registers.ts";
import { relocationsOf, unlessGnu } from "./gnu.ts";
import { choices, lineOf, type Piece, pieceOf, Random, sizedPiece } from "./samples.ts";

const skip = unlessGnu();

/** Its bytes are nowhere else in an instruction. */
const DISPLACEMENT = 0x11223344;

interface Case {
  readonly mnemonic: string;
  readonly form: Form;
  /** Which operand is memory, and its word. */
  readonly at: number;
  readonly word: string;
  readonly pieces: readonly Piece[];
}

/** Each form with each memory operand that it takes, and what stands beside that. */
function cases(): Case[] {
  const random = new Random(13);
  return [...instructions].flatMap(([mnemonic, { forms }]) =>
    forms.filter(({ encoding }) => encoding !== encodings.jump).flatMap((form) =>
      choices(form).flatMap((words) => {
        const at = words.findIndex((word) => /^(m\d*|mem|b\d+)$/.test(word));
        if (at === -1) return [];
        const pieces = form.operands.map((operand, i) =>
          pieceOf({ ...operand, text: words[i] }, form, random)
        );
        return { mnemonic, form, at, word: words[at], pieces };
      })
    )
  ).filter(({ pieces }) => !pieces.some(({ ours }) => ours instanceof Gpr && ours.rex === "forbidden"));
}

/** The pieces with memory there. */
function piecesAt({ pieces, at, word, form }: Case, address: readonly Term[]): Piece[] {
  return pieces.with(at, sizedPiece(word, address, form));
}

describe("an address relative to rip, in every form that has memory", () => {
  const all = cases();

  it("counts from the end of the instruction, whatever is behind the address", () => {
    const field = [0x44, 0x33, 0x22, 0x11];
    const wrong = all.filter((one) => {
      const a = new Assembler();
      const end = a.label("end");
      a.emit(one.mnemonic, ...piecesAt(one, [end, DISPLACEMENT]).map(({ ours }) => ours));
      a.bind(end);
      const { text } = a.finish();
      return !text.some((_, i) => field.every((byte, j) => text[i + j] === byte));
    });
    assertEquals(
      wrong.map(({ mnemonic, form }) => `${mnemonic} ${form.operands.map(({ text }) => text).join(", ")}`),
      [],
    );
    assert(all.some(({ form }) => form.is4 !== -1) && all.some(({ form }) => form.immediateBytes === 4));
  });

  it("leaves to the loader what GNU as leaves to the linker", { skip }, () => {
    const lines = all.map((one, i) => {
      const pieces = piecesAt(one, [symbol(`s${i}`), DISPLACEMENT]);
      const a = new Assembler();
      a.emit(one.mnemonic, ...pieces.map(({ ours }) => ours));
      const [{ addend }] = a.finish().relocations;
      return { symbol: `s${i}`, addend, gnu: lineOf(one.mnemonic, pieces.map(({ gnu }) => gnu)) };
    });
    const theirs = new Map(
      relocationsOf(lines.map(({ gnu }) => gnu).join("\n")).map(({ symbol: name, addend }) => [name, addend]),
    );
    assertEquals(lines.filter((line) => theirs.get(line.symbol) !== line.addend), []);
  });
});
