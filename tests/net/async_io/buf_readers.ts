/** Buffered readers of what a test says, and where to cut that. */
import fc from "fast-check";
import { BufReader } from "../../../lib/net/async_io.ts";
import { type Future, Pending } from "../../../lib/task/mod.ts";
import { BUDGET, coop } from "../../../lib/task/runtime/coop.ts";
import { Probe } from "../../task/probe.ts";
import { ScriptedReader, type Step } from "./scripted.ts";

export function readerOf(...steps: Step[]): BufReader {
  return new BufReader(new ScriptedReader(...steps), { capacity: 8 });
}

/** The value of a future that must be ready. */
export function now<T>(future: Future<T>): T {
  coop.left = BUDGET;
  const value = new Probe().poll(future);
  if (value === Pending) throw new Error("the future pends");
  return value;
}

export const cuts = fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 5 });
