/**
 * Masks, zeroing, broadcasts, rounding and segments on every operand of every form, whether its line in the table
 * has them or not: what the assembler takes is then no matter of what the table says, but of what `as` takes.
 *
 * @module
 */
import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { Assembler } from "../../lib/jit/assembler.ts";
import { encodings, type Form } from "../../lib/jit/form.ts";
import { instructions } from "../../lib/jit/instructions/mod.ts";
import { broadcast, Memory } from "../../lib/jit/memory.ts";
import { rdSae, rnSae, ruSae, rzSae, sae } from "../../lib/jit/modifiers.ts";
import { k3, Mask, rbx, Vector } from "../../lib/jit/registers.ts";
import { tiered } from "../tier.ts";
import { gnuName, refusedLines, unlessGnu } from "./gnu.ts";
import { choices, isUnmasked, lineOf, type Piece, pieceOf, Random, type Sample } from "./samples.ts";

const skip = unlessGnu();

const modifiers = [rnSae, rdSae, ruSae, rzSae, sae];
const lanes = [2, 4, 8, 16] as const;
/** One form of so many is tried. */
const STEP = tiered({ quick: 5, full: 1, soak: 1 });

/** What `as` takes, and we do not, on purpose. */
const deliberate: readonly RegExp[] = [
  // Rounding before the integer, where old manuals have it: as behind it.
  /^vcvtu?si2s[sd] xmm\d+, xmm\d+, \{r[nduz]-sae\}, [er]/,
  // Rounding behind AVX2's gathers, which have none: `as` drops it.
  /^vp?gather[dq][dqps]+ [xy]mm\d+, \[.*\], [xy]mm\d+, \{/,
];

/** All that the tables ask for and no more: a later `as` takes more of decorations, for CPUs to come. */
const has = ["ibt"].concat(
  [...new Set([...instructions.values()].flatMap(({ forms }) => forms.flatMap(({ features }) => features)))]
    .filter((feature) => feature !== "sse2").map(gnuName),
);

interface Call extends Sample {
  readonly mnemonic: string;
}

function callOf(mnemonic: string, pieces: readonly Piece[]): Call {
  return {
    mnemonic,
    ours: pieces.map(({ ours }) => ours),
    gnu: lineOf(mnemonic, pieces.map(({ gnu }) => gnu)),
  };
}

/** The bytes, or undefined where the operands are refused. */
function bytesOf({ mnemonic, ours }: Call): string | undefined {
  const a = new Assembler();
  try {
    a.emit(mnemonic, ...ours);
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) return undefined;
    throw error;
  }
  return String(a.finish().text);
}

/** Operands that are taken. */
function plainPieces(mnemonic: string, form: Form, words: readonly string[], random: Random): Piece[] {
  for (;;) {
    const pieces = form.operands.map((operand, i) => pieceOf({ ...operand, text: words[i] }, form, random));
    if (bytesOf(callOf(mnemonic, pieces)) !== undefined) return pieces;
  }
}

/** The operand with each thing that its class can bear. */
function decorated({ ours, gnu }: Piece): Piece[] {
  if (ours instanceof Vector && ours.masking === "none") {
    const vector = new Vector(ours.kind, ours.id, "none", 0);
    return [{ ours: vector.k(k3), gnu: `${gnu}{k3}` }, { ours: vector.z(k3), gnu: `${gnu}{k3}{z}` }];
  }
  if (ours instanceof Mask && ours.masking === "none") {
    return [{ ours: new Mask(ours.id, "none", 0).k(k3), gnu: `${gnu}{k3}` }];
  }
  if (!(ours instanceof Memory)) return [];
  const list: Piece[] = lanes.map((count) => {
    const operand = broadcast(rbx, 64).to(count);
    return { ours: operand, gnu: String(operand) };
  });
  if (isUnmasked(ours)) list.push({ ours: ours.k(k3), gnu: `${gnu}{k3}` });
  if (ours.segment === 0) list.push({ ours: ours.fs(), gnu: gnu.replace("[", "fs:[") });
  return list;
}

/** A call, and the same with each thing that any operand can bear, or that can stand behind it. */
function variants(mnemonic: string, pieces: readonly Piece[]): Call[] {
  const calls = [callOf(mnemonic, pieces)];
  pieces.forEach((piece, i) => {
    for (const other of decorated(piece)) calls.push(callOf(mnemonic, pieces.with(i, other)));
    for (const modifier of modifiers) {
      const inserted = { ours: modifier, gnu: String(modifier) };
      calls.push(callOf(mnemonic, pieces.toSpliced(i + 1, 0, inserted)));
    }
  });
  return [...new Map(calls.map((call) => [call.gnu, call])).values()];
}

function families(): Call[][] {
  const random = new Random(11);
  return [...instructions].flatMap(([mnemonic, { forms }]) =>
    forms.filter(({ encoding }) => encoding !== encodings.jump).map((form) => ({ mnemonic, form }))
  ).filter((_, i) => i % STEP === 0).flatMap(({ mnemonic, form }) =>
    choices(form).map((words) => variants(mnemonic, plainPieces(mnemonic, form, words, random)))
  );
}

describe("what decorates an operand", () => {
  const all = families();
  /** Of each call, once: of all forms there are more than a hundred thousand. */
  const made = new Map(all.flat().map((call) => [call, bytesOf(call)]));

  it("never vanishes: no two decorations of a call give the same bytes", () => {
    const lost = all.flatMap((calls) => {
      const byBytes = new Map<string, string>();
      return calls.flatMap((call) => {
        const bytes = made.get(call);
        if (bytes === undefined) return [];
        const other = byBytes.get(bytes);
        byBytes.set(bytes, call.gnu);
        return other === undefined ? [] : [`${other} = ${call.gnu}`];
      });
    });
    assertEquals(lost, []);
  });

  it("is taken where GNU as takes it, and refused where that refuses it", { skip }, () => {
    const calls = all.flat();
    const refused = new Set(refusedLines(calls.map(({ gnu }) => ({ has, line: gnu }))));
    const wrong = calls.filter((call, i) => refused.has(i) !== (made.get(call) === undefined));
    const isDeliberate = ({ gnu }: Call) => deliberate.some((pattern) => pattern.test(gnu));
    const unknown = wrong.filter((call) => made.get(call) !== undefined || !isDeliberate(call));
    assertEquals(unknown.map(({ gnu }) => gnu), []);
  });
});
