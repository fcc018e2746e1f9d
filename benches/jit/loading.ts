/** A kernel of 4 KiB from nothing to its first call, another one each time. */
import { load } from "../../lib/jit/load.ts";
import { Assembler, type Code, eax, edi, ymm } from "../../lib/jit/mod.ts";
import { compare, equals, timed } from "../compare.ts";

const ROUNDS = 290;
const OXBOW = "assembled, loaded, called, unloaded";

/** `int f(int)`: what it is given and `which`, a kernel of its own for each. */
function kernel(which: number): Code {
  const a = new Assembler();
  a.mov(eax, edi);
  for (let i = 0; i < ROUNDS; i++) {
    a.vfmadd231ps(ymm(i & 7), ymm(8), ymm(9));
    a.vaddps(ymm(10), ymm(11), ymm(i & 7));
    a.add(eax, 1000);
  }
  a.add(eax, which - 1000 * ROUNDS);
  a.vzeroupper();
  a.ret();
  return a.finish();
}

let which = 0;

/** What is loaded already is not loaded again: each kernel is new to the process. */
function fromNothing(): number {
  which++;
  using kernels = load({
    f: { signature: { parameters: ["i32"], result: "i32" }, code: kernel(which) },
  });
  return kernels.symbols.f(5) - which;
}

/** Prints what it takes. */
export async function compareLoading(quick: boolean): Promise<void> {
  await compare({
    title: `a kernel of ${kernel(0).text.length} bytes, from nothing to callable`,
    units: ["ms"],
    baseline: OXBOW,
    contenders: [
      timed({ name: OXBOW, quick, run: fromNothing, check: equals(OXBOW, 5), figure: (ns) => ns / 1e6 }),
    ],
    quick,
    targets: [{ name: OXBOW, figuresAtMost: [2] }],
  });
}
