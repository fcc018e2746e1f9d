import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { Assembler } from "../../lib/jit/assembler.ts";
import { instructions } from "../../lib/jit/instructions/mod.ts";
import { encodings } from "../../lib/jit/form.ts";
import { Match } from "../../lib/jit/match.ts";
import { tiered } from "../tier.ts";
import { assembledLines, disassembled, unlessGnu } from "./gnu.ts";
import { Random, type Sample, sampleOf } from "./samples.ts";

const skip = unlessGnu();
const SAMPLES = tiered({ quick: 6, full: 100, soak: 1000 });

function bytesOf(mnemonic: string, operands: Sample["ours"]): Uint8Array {
  const a = new Assembler();
  a.emit(mnemonic, ...operands);
  return a.finish().text;
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
}

/** Those that GNU writes otherwise and reads otherwise, each as a line. */
function differences(samples: readonly { mnemonic: string; sample: Sample }[]): string[] {
  const ours = samples.map(({ mnemonic, sample }) => bytesOf(mnemonic, sample.ours));
  const theirs = assembledLines(samples.map(({ sample }) => sample.gnu));
  const others = samples.map((_, i) => i).filter((i) => hex(ours[i]) !== hex(theirs[i]));
  const readOurs = disassembled(others.map((i) => ours[i]));
  const readTheirs = disassembled(others.map((i) => theirs[i]));
  return others.flatMap((i, j) => {
    if (readOurs[j] === readTheirs[j] && ours[i].length === theirs[i].length) return [];
    return `${samples[i].sample.gnu}: ${hex(ours[i])} (${readOurs[j]}), as: ${hex(theirs[i])} (${
      readTheirs[j]
    })`;
  });
}

describe("every instruction of the tables", { skip }, () => {
  it("is what GNU as writes, in every form", () => {
    const random = new Random(20_260_101);
    const samples = [...instructions].flatMap(([mnemonic, { forms }]) =>
      forms.filter(({ encoding }) => encoding !== encodings.jump).flatMap((form) =>
        Array.from({ length: SAMPLES }, () => ({ mnemonic, sample: sampleOf(mnemonic, form, random) }))
      )
    );
    assertEquals(differences(samples), []);
  });
});

describe("the tables", () => {
  it("have no line in vain: for each there are operands that no line before it takes", () => {
    const random = new Random(5);
    const match = new Match();
    const idle = [...instructions].flatMap(([mnemonic, instruction]) =>
      instruction.forms.filter((form) => {
        if (
          form.encoding === encodings.jump || instruction.forms.some(({ mirror }) => mirror === form)
        ) return false;
        const isTaken = () => match.find(instruction, sampleOf(mnemonic, form, random).ours) === form;
        return !Array.from({ length: 200 }).some(isTaken);
      }).map(({ operands }) => `${mnemonic} ${operands.map(({ text }) => text).join(", ")}`)
    );
    assertEquals(idle, []);
  });
});
