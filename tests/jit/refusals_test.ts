import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { Assembler } from "../../lib/jit/assembler.ts";
import { encodings } from "../../lib/jit/form.ts";
import { instructions } from "../../lib/jit/instructions/mod.ts";
import { tiered } from "../tier.ts";
import { refusedLines, unlessGnu } from "./gnu.ts";
import { lineOf, pieceOf, Random, type Sample } from "./samples.ts";

const skip = unlessGnu();
const CASES = tiered({ quick: 20_000, full: 200_000, soak: 2_000_000 });

const forms = [...instructions].flatMap(([mnemonic, { forms }]) =>
  forms.filter(({ encoding }) => encoding !== encodings.jump).map((form) => ({ mnemonic, form }))
);

function takes(mnemonic: string, operands: Sample["ours"]): boolean {
  try {
    new Assembler().emit(mnemonic, ...operands);
    return true;
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) return false;
    throw error;
  }
}

/** A form's operands, one of them being another form's. */
function mixed(random: Random): { mnemonic: string; sample: Sample } {
  const { mnemonic, form } = random.of(forms);
  const stranger = random.of(forms).form;
  const pieces = form.operands.map((operand) => pieceOf(operand, form, random));
  const at = random.below(pieces.length + 1);
  if (stranger.operands.length > 0 && at < pieces.length) {
    pieces[at] = pieceOf(random.of(stranger.operands), stranger, random);
  }
  return {
    mnemonic,
    sample: { ours: pieces.map(({ ours }) => ours), gnu: lineOf(mnemonic, pieces.map(({ gnu }) => gnu)) },
  };
}

describe("operands that are mixed up", { skip }, () => {
  it("are refused where GNU as refuses them", () => {
    const random = new Random(7);
    const cases = Array.from({ length: CASES }, () => mixed(random));
    const refused = new Set(refusedLines(cases.map(({ sample }) => ({ line: sample.gnu }))));
    const taken = cases.filter(({ mnemonic, sample }, i) => refused.has(i) && takes(mnemonic, sample.ours));
    assertEquals(taken.map(({ sample }) => sample.gnu), []);
  });
});
