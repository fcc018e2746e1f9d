/** A call of an empty function, loaded or compiled by gcc: the host's own, with nothing of ours before it. */
import { dlopen } from "../../ffi/mod.ts";
import { load } from "../../lib/jit/load.ts";
import { Assembler, type Code } from "../../lib/jit/mod.ts";
import { compare, type Contender, timed } from "../compare.ts";
import { buildLibrary, libraryPath } from "../peers.ts";

const CALLS = 1000;
const C = "compiled by gcc";
const LOADED = "loaded";

function emptyCode(): Code {
  const a = new Assembler();
  a.ret();
  return a.finish();
}

const { symbols: { loaded, checked } } = load({
  loaded: { signature: { parameters: [], result: "void", unchecked: true }, code: emptyCode() },
  checked: { signature: { parameters: [], result: "void" }, code: emptyCode() },
});
buildLibrary("empty");
const { symbols: { compiled } } = dlopen([libraryPath("empty")], {
  compiled: { symbol: "empty", parameters: [], result: "void", unchecked: true },
});

// Each in a function of its own: V8 makes a fast call only where it knows the target.
function callCompiled(): void {
  for (let i = 0; i < CALLS; i++) compiled();
}

/** The same again, so that the noise shows. */
function callCompiledAgain(): void {
  for (let i = 0; i < CALLS; i++) compiled();
}

function callLoaded(): void {
  for (let i = 0; i < CALLS; i++) loaded();
}

function callChecked(): void {
  for (let i = 0; i < CALLS; i++) checked();
}

function contender(name: string, run: () => void, quick: boolean): Contender {
  return timed({ name, quick, run, check() {}, figure: (ns) => ns / CALLS });
}

/** Prints what calls cost. */
export async function compareCalls(quick: boolean): Promise<void> {
  await compare({
    title: "a call of an empty function",
    units: ["ns a call"],
    baseline: C,
    contenders: [
      contender(C, callCompiled, quick),
      contender(`${C}, again`, callCompiledAgain, quick),
      contender(LOADED, callLoaded, quick),
      contender(`${LOADED}, checked`, callChecked, quick),
    ],
    quick,
    targets: [{ name: LOADED, atMost: 1.1 }],
  });
}
