import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { Assembler } from "../../lib/jit/assembler.ts";
import type { Code } from "../../lib/jit/code.ts";
import { encodings, type Form } from "../../lib/jit/form.ts";
import { instructions } from "../../lib/jit/instructions/mod.ts";
import { ptr } from "../../lib/jit/memory.ts";
import { rax } from "../../lib/jit/registers.ts";
import { tiered } from "../tier.ts";
import { assembled, relocationsOf, unlessGnu } from "./gnu.ts";
import { Random, sampleOf } from "./samples.ts";

const skip = unlessGnu();
const numRuns = tiered({ quick: 60, full: 1000, soak: 10_000 });

const LABELS = 6;

const forms: { mnemonic: string; form: Form }[] = [...instructions].flatMap(([mnemonic, { forms }]) =>
  forms.filter(({ encoding }) => encoding !== encodings.jump).map((form) => ({ mnemonic, form }))
);
const jumps = [...instructions].filter(([, { jumps }]) => jumps.near !== undefined).map(([mnemonic]) =>
  mnemonic
);

type Item =
  | { kind: "instruction"; which: number; seed: number }
  | { kind: "jump"; mnemonic: string; label: number }
  | { kind: "lea"; label: number }
  | { kind: "align"; bytes: 1 | 2 | 4 | 8 | 16 | 32 | 64 }
  | { kind: "data"; bytes: Uint8Array };

const label = fc.nat(LABELS - 1);
const item: fc.Arbitrary<Item> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant("instruction" as const),
      which: fc.nat(forms.length - 1),
      seed: fc.nat(),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant("jump" as const), mnemonic: fc.constantFrom(...jumps), label }),
  },
  fc.record({ kind: fc.constant("lea" as const), label }),
  fc.record({ kind: fc.constant("align" as const), bytes: fc.constantFrom(1, 2, 4, 8, 16, 32, 64) }),
  fc.record({ kind: fc.constant("data" as const), bytes: fc.uint8Array({ minLength: 1, maxLength: 120 }) }),
);

interface Program {
  readonly items: readonly Item[];
  /** Before which item each label is bound. */
  readonly bound: readonly number[];
}

const program: fc.Arbitrary<Program> = fc.record({
  items: fc.array(item, { minLength: 1, maxLength: 60, size: "max" }),
  bound: fc.array(fc.nat(60), { minLength: LABELS, maxLength: LABELS }),
});

/** Ours, and the text for `as`. */
function both({ items, bound }: Program): { code: Code; source: string } {
  const a = new Assembler();
  const labels = bound.map(() => a.label());
  const lines: string[] = [];
  for (let i = 0; i <= items.length; i++) {
    bound.forEach((at, j) => {
      if (Math.min(at, items.length) !== i) return;
      a.bind(labels[j]);
      lines.push(`.L${j}:`);
    });
    if (i < items.length) lines.push(emit(a, items[i], labels));
  }
  return { code: a.finish(), source: lines.join("\n") };
}

function emit(a: Assembler, item: Item, labels: readonly ReturnType<Assembler["label"]>[]): string {
  switch (item.kind) {
    case "instruction": {
      const { mnemonic, form } = forms[item.which];
      const { ours, gnu } = sampleOf(mnemonic, form, new Random(item.seed));
      a.emit(mnemonic, ...ours);
      return gnu;
    }
    case "jump":
      a.emit(item.mnemonic, labels[item.label]);
      return `${item.mnemonic} .L${item.label}`;
    case "lea":
      a.lea(rax, ptr(labels[item.label], 8));
      return `lea rax, [rip+.L${item.label}+8]`;
    case "align":
      a.align(item.bytes);
      return `.balign ${item.bytes}`;
    case "data":
      a.data(item.bytes);
      return `.byte ${item.bytes.join(", ")}`;
  }
}

describe("a program", { skip }, () => {
  it("is what GNU as writes, with the shortest jumps that reach", () => {
    fc.assert(
      fc.property(program, (one) => {
        const { code, source } = both(one);
        assertEquals([...code.text], [...assembled(source)]);
      }),
      { numRuns, endOnFailure: true },
    );
  });

  it("leaves the same fields to the loader as GNU as to the linker", () => {
    fc.assert(
      fc.property(program, (one) => {
        const { code, source } = both(one);
        const ours = code.relocations.map((relocation) => ({
          offset: relocation.offset,
          symbol: relocation.kind === "symbol" ? relocation.name : relocation.kind,
          addend: relocation.addend,
        }));
        assertEquals(ours, relocationsOf(source));
      }),
      { numRuns: Math.ceil(numRuns / 4), endOnFailure: true },
    );
  });
});
