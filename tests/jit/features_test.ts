import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { Assembler } from "../../lib/jit/assembler.ts";
import type { Feature } from "../../lib/jit/code.ts";
import { encodings } from "../../lib/jit/form.ts";
import { instructions } from "../../lib/jit/instructions/mod.ts";
import { gnuName, refusedLines, unlessGnu } from "./gnu.ts";
import { Random, sampleOf } from "./samples.ts";

const skip = unlessGnu();

/** To a feature those that no CPU has it without, so that naming them changes nothing. */
const implied: Partial<Record<Feature, readonly Feature[]>> = {
  avx512vl: ["avx512f"],
  avx512dq: ["avx512f"],
  avx512bw: ["avx512f"],
  aes: ["sse2"],
  vaes: ["aes", "avx"],
  vpclmulqdq: ["pclmul", "avx"],
};

interface Case {
  readonly features: readonly Feature[];
  readonly line: string;
}

/** Without SSE2, which every x86-64 has, and with IBT, which makes of `endbr64` more than a nop. */
function has(features: readonly Feature[]): string[] {
  return ["ibt", ...features.filter((feature) => feature !== "sse2").map(gnuName)];
}

/** `as` does not look at the lanes of a broadcast here. */
function isOverlooked({ feature, line }: { feature: Feature; line: string }): boolean {
  return feature === "avx512vl" && line.startsWith("vfpclass") && line.includes("{1to");
}

/** A line for each form, of what it is chosen for. */
function cases(): Case[] {
  const random = new Random(1);
  return [...instructions].flatMap(([mnemonic, { forms }]) =>
    forms.filter(({ encoding }) => encoding !== encodings.jump).flatMap((form) => {
      const { ours, gnu } = sampleOf(mnemonic, form, random);
      const a = new Assembler();
      a.emit(mnemonic, ...ours);
      return { features: [...a.finish().features], line: gnu };
    })
  ).sort((a, b) => String(a.features) < String(b.features) ? -1 : 1);
}

describe("the features of an instruction", { skip }, () => {
  const all = cases();

  it("are all that GNU as asks for", () => {
    const refused = refusedLines(all.map(({ features, line }) => ({ has: has(features), line })));
    assertEquals(refused.map((i) => `${all[i].line}: ${all[i].features}`), []);
  });

  it("are each asked for by GNU as", () => {
    const less = all.flatMap(({ features, line }) =>
      features.filter((feature) =>
        feature !== "sse2" && !features.some((other) => implied[other]?.includes(feature))
      ).map((feature) => ({ feature, line, has: has(features.filter((other) => other !== feature)) }))
    ).sort((a, b) => String(a.has) < String(b.has) ? -1 : 1);
    const refused = new Set(refusedLines(less));
    const taken = less.filter((one, i) => !refused.has(i) && !isOverlooked(one));
    assertEquals(taken.map(({ feature, line }) => `${line}: without ${feature}`), []);
  });
});
