/**
 * What the models of waiting for two values take, and a chain of combinators: time, and bytes of the host's heap. Each
 * in a process of its own. JSC does not tell what it allocates where it fills what the collector has freed, so on Bun
 * the bytes are of a second process, in which it collects nothing.
 *
 * @module
 */
import process from "node:process";
import { fileURLToPath } from "node:url";
import { hostName } from "../../ffi/mod.ts";
import { compare, type Contender } from "../compare.ts";
import { runPeer } from "../peers.ts";

const JOIN = "join(f, g)";
const CHAIN = "five combinators";
/** Nothing, with what asking for the heap's size allocates itself: up to 1,000 bytes a round. */
const NO_BYTES = 0.002;
/** A poll of the chain: no claim, but more would be a fault. */
const MOST_NS = 50;
const ARGUMENTS = { deno: ["run", "-A", "--quiet"], bun: ["run"], node: ["--no-warnings"] };

/** How much is done in a round, and how many rounds. */
type Size = readonly [operations: number, rounds: number];

/**
 * A program of this folder that prints its nanoseconds and its bytes. V8 does not collect in most rounds of `size`; JSC
 * tells its bytes in blocks, so rounds of `ofBytes` are long.
 */
function spending(
  name: string,
  program: readonly [file: string, ...string[]],
  size: Size,
  ofBytes: Size,
): Contender {
  const [file, ...args] = program;
  const path = fileURLToPath(new URL(file, import.meta.url));
  const spent = (size: Size, environment: Readonly<Record<string, string>>) =>
    runPeer(process.execPath, [...ARGUMENTS[hostName], path, ...args, ...size.map(String)], environment);
  return {
    name,
    sample() {
      const figures = spent(size, {});
      if (hostName === "bun") figures[1] = spent(ofBytes, { BUN_JSC_useGC: "0" })[1];
      return Promise.resolve(figures);
    },
  };
}

/** Prints what a pair of values takes in each model. */
export async function compareJoins(quick: boolean): Promise<void> {
  const model = (name: string, argument: string) =>
    spending(name, ["joins.ts", argument], quick ? [200, 20] : [200, 400], quick ? [2000, 8] : [2000, 100]);
  await compare({
    title: "two values that are there a turn later, a pair",
    units: ["ns", "bytes"],
    baseline: JOIN,
    contenders: [
      model(JOIN, "join"),
      model("Promise.all", "all"),
      model("callbacks and a shared counter", "callbacks"),
      model("events posted to one queue", "events"),
    ],
    quick,
  });
}

/** Prints what a million polls of a chain of combinators take. */
export async function pollChain(quick: boolean): Promise<void> {
  const size: Size = quick ? [100_000, 8] : [1_000_000, 8];
  await compare({
    title: "a chain of five combinators, polled a million times",
    units: ["ns a poll", "bytes a poll"],
    baseline: CHAIN,
    contenders: [spending(CHAIN, ["chain.ts"], size, size)],
    quick,
    targets: [{ name: CHAIN, figuresAtMost: [MOST_NS, NO_BYTES] }],
  });
}
