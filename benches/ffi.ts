/**
 * Claims: a checked call costs at most 1.3 times the host's own bare call; on Deno and Bun it makes at least
 * twice the calls a second that koffi and ffi-rs make on Node; a table of 50 symbols opens in half a
 * millisecond, and a symbol's first use costs 0.3 ms on Deno and 0.05 on Bun.
 *
 * koffi and ffi-rs, and ourselves on Node, run in a process of Node's for each round. All are given their
 * fastest form; arguments vary, or checks would be folded away; results are checked.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { hostName } from "../ffi/mod.ts";
import { compare, type Contender, equals, type Target, timed } from "./compare.ts";
import { CALLS, type Case, expected, type Loop, titles } from "./ffi/cases.ts";
import { compareOpening } from "./ffi/opening.ts";
import * as oxbow from "./ffi/oxbow.ts";
import { buildLibrary, runPeer } from "./peers.ts";

const HOST = "host's own, unchecked";
const CHECKED = "checked";
const CHECKED_BIGINT = "checked, 64 bits given as a bigint";
const PEERS = ["koffi", "ffi-rs"];

function contender<T>(name: string, run: () => T, expected: T, quick: boolean): Contender {
  return timed({ name, quick, run, check: equals(name, expected), figure: (ns) => ns / CALLS });
}

function contenderOnNode(contender: string, name: Case, library: string, quick: boolean): Contender {
  const node = fileURLToPath(new URL("../node_modules/.bin/node", import.meta.url));
  const program = fileURLToPath(new URL("ffi/in_node.ts", import.meta.url));
  return {
    name: `${contender} on Node`,
    sample() {
      const figures = runPeer(node, [program, contender, name, library, ...(quick ? ["--quick"] : [])]);
      return Promise.resolve(figures);
    },
  };
}

interface Ours {
  host: Loop;
  checked: Loop;
}

async function loopsOf(name: Case): Promise<Ours> {
  if (name === "eight") return await import("./ffi/eight.ts");
  return { host: oxbow.host[name], checked: oxbow.checked[name] };
}

/** `more` are other contenders of ours. */
async function compareCase(
  name: Case,
  library: string,
  quick: boolean,
  more: readonly Contender[] = [],
): Promise<void> {
  const { host, checked } = await loopsOf(name);
  const ours = contender(CHECKED, checked, expected[name], quick);
  await compare({
    title: titles[name],
    units: ["ns a call"],
    baseline: HOST,
    contenders: [contender(HOST, host, expected[name], quick), ours, ...more],
    quick,
    targets: [{ name: CHECKED, atMost: 1.3 }, { name: CHECKED_BIGINT, atMost: 1.3 }],
  });
  const others = hostName === "node" ? PEERS : [...PEERS, "oxbow"];
  await compare({
    title: `${titles[name]}, beside others`,
    units: ["ns a call"],
    baseline: CHECKED,
    contenders: [ours, ...others.map((other) => contenderOnNode(other, name, library, quick))],
    quick,
    targets: hostName === "node"
      ? []
      : PEERS.map((peer): Target => ({ name: `${peer} on Node`, atLeast: 2 })),
  });
}

export async function run({ quick }: { quick: boolean }): Promise<void> {
  const library = buildLibrary("eight");
  await compareCase("abs", "", quick);
  await compareCase("memcpy", "", quick, [
    contender(CHECKED_BIGINT, oxbow.memcpyByBigint, expected.memcpy, quick),
  ]);
  if (library !== undefined) await compareCase("eight", library, quick);
  await compareCase("sqrt", "", quick);
  await compareCase("atoi", "", quick);
  const widest = BigInt(oxbow.WIDEST);
  await compare({
    title: "llabs(i64) → i64",
    units: ["ns a call"],
    baseline: HOST,
    contenders: [
      contender(HOST, oxbow.llabsOfHost, widest, quick),
      contender(CHECKED, oxbow.llabsChecked, widest, quick),
      contender(CHECKED_BIGINT, oxbow.llabsByBigint, widest, quick),
    ],
    quick,
    targets: [{ name: CHECKED, atMost: 1.3 }, { name: CHECKED_BIGINT, atMost: 1.3 }],
  });
  await compareOpening(quick);
}
