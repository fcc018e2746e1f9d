/**
 * Times one contender's loop on Node, and prints the nanoseconds of a call:
 *
 *     node benches/ffi/in_node.ts CONTENDER CASE LIBRARY [--quick]
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { equals, timed } from "../compare.ts";
import { CALLS, type Case, expected, type Loop } from "./cases.ts";

async function loopOf(contender: string, name: Case, library: string): Promise<Loop> {
  switch (contender) {
    case "koffi":
      return (await import("./koffi.ts")).peer[name](library);
    case "ffi-rs":
      return (await import("./ffi_rs.ts")).peer[name](library);
    default:
      if (name === "eight") return (await import("./eight.ts")).checked;
      return (await import("./oxbow.ts")).checked[name];
  }
}

function isCase(name: string): name is Case {
  return Object.hasOwn(expected, name);
}

const { values: { quick }, positionals: [contender, name, library] } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: "boolean", default: false } },
});
if (!isCase(name)) throw new Error(`no such case: ${name}`);
const run = await loopOf(contender, name, library);
const check = equals(contender, expected[name]);
const [ns] = await timed({ name, quick, run, check, figure: (ns) => ns / CALLS }).sample();
console.log(ns);
process.exit();
