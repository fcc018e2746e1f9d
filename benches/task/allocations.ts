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
/** Nothing, with what asking for the heap's size allocates itself: some 400 bytes. */
const NO_BYTES = 0.001;
/** A poll of the chain: no claim, but more would be a fault. */
const MOST_NS = 50;
const ARGUMENTS = { deno: ["run", "-A", "--quiet"], bun: ["run"], node: ["--no-warnings"] };

/** A program of this folder that prints its nanoseconds and its bytes. */
function spending(name: string, file: string, args: readonly (string | number)[]): Contender {
  const path = fileURLToPath(new URL(file, import.meta.url));
  const spent = (environment: Readonly<Record<string, string>>) =>
    runPeer(process.execPath, [...ARGUMENTS[hostName], path, ...args.map(String)], environment);
  return {
    name,
    sample() {
      const figures = spent({});
      if (hostName === "bun") figures[1] = spent({ BUN_JSC_useGC: "0" })[1];
      return Promise.resolve(figures);
    },
  };
}

/** Prints what a pair of values takes in each model. */
export async function compareJoins(quick: boolean): Promise<void> {
  const rounds = quick ? 8 : 100;
  await compare({
    title: "two values that are there a turn later, a pair",
    units: ["ns", "bytes"],
    baseline: JOIN,
    contenders: [
      spending(JOIN, "joins.ts", ["join", rounds]),
      spending("Promise.all", "joins.ts", ["all", rounds]),
      spending("callbacks and a shared counter", "joins.ts", ["callbacks", rounds]),
      spending("events posted to one queue", "joins.ts", ["events", rounds]),
    ],
    quick,
  });
}

/** Prints what a million polls of a chain of combinators take. */
export async function pollChain(quick: boolean): Promise<void> {
  await compare({
    title: "a chain of five combinators, polled a million times",
    units: ["ns a poll", "bytes a poll"],
    baseline: CHAIN,
    contenders: [spending(CHAIN, "chain.ts", quick ? [100_000, 8] : [1_000_000, 8])],
    quick,
    targets: [{ name: CHAIN, figuresAtMost: [MOST_NS, NO_BYTES] }],
  });
}
