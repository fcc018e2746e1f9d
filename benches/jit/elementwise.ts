/** `exp` and `gelu` beside a loop over `Math.exp`. */
import { exp, gelu, vectorLevel } from "../../lib/vector/mod.ts";
import { portable } from "../../lib/vector/portable.ts";
import { compare, type Contender, timed } from "../compare.ts";

const LENGTH = 4096;
const LOOP = "a loop over Math.exp";

/** A contender, and what an element of its result may be off by. */
function contender(
  name: string,
  out: Float32Array,
  run: () => void,
  expected: (i: number) => number,
  quick: boolean,
): Contender {
  return timed({
    name,
    quick,
    run,
    check() {
      out.forEach((actual, i) => {
        const off = Math.abs(actual - expected(i));
        if (!(off <= 2 ** -21 * Math.max(1, Math.abs(expected(i))))) {
          throw new Error(`${name} gave ${actual} for element ${i}, and ${expected(i)} is right`);
        }
      });
    },
    figure: (ns) => ns / out.length,
  });
}

function expLoop(x: Float32Array, out: Float32Array): void {
  for (let i = 0; i < x.length; i++) out[i] = Math.exp(x[i]);
}

/** Prints what an element of `exp` and `gelu` costs. */
export async function compareExponentials(quick: boolean): Promise<void> {
  const x = Float32Array.from({ length: LENGTH }, (_, i) => (i - LENGTH / 2) / 256);
  const out = new Float32Array(LENGTH);
  const byTwin = new Float32Array(LENGTH);
  portable.gelu(x, byTwin, LENGTH);
  const expected = (i: number): number => Math.exp(x[i]);
  await compare({
    title: `exp and gelu of ${LENGTH} elements, ${vectorLevel()}`,
    units: ["ns an element"],
    baseline: LOOP,
    contenders: [
      contender(LOOP, out, () => expLoop(x, out), expected, quick),
      contender("exp", out, () => exp(x, out), expected, quick),
      contender("gelu", out, () => gelu(x, out), (i) => byTwin[i], quick),
      contender("gelu in TypeScript", out, () => portable.gelu(x, out, LENGTH), (i) => byTwin[i], quick),
    ],
    quick,
    targets: [{ name: "exp", atMost: 0.1 }, { name: "gelu", atMost: 0.1 }],
  });
}
