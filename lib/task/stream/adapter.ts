import { shown } from "../../io/arguments.ts";
import { dropAll, type Droppable } from "../futures/drop_all.ts";
import { Ended } from "./ended.ts";
import { Stream } from "./stream.ts";

/** A stream that is made of another one, which it owns: gone once that has ended, or was dropped. */
export abstract class Adapter<S, T> extends Stream<T> {
  protected source: Stream<S> | null;

  constructor(source: Stream<S>) {
    super();
    this.source = source;
  }

  /** The source has ended. */
  protected end(): Ended {
    this.source = null;
    return Ended;
  }

  override drop(): void {
    const { source } = this;
    this.source = null;
    source?.drop();
  }
}

/** Drops what has failed, then throws why: with what dropping threw in a `SuppressedError`, as `using` does. */
export function fail(failed: Droppable, error: unknown): never {
  return dropAll([failed], { error });
}

/** Throws a `TypeError` where `f` is no function. */
export function requireFunction(f: unknown, tried: string): void {
  if (typeof f !== "function") throw new TypeError(`cannot ${tried}: f is ${shown(f)}, and no function`);
}

/** Throws a `RangeError` where `n` is no count from `least` to `Infinity`. */
export function requireCount(n: unknown, least: number, tried: string): void {
  if (typeof n === "number" && n >= least && (Number.isInteger(n) || n === Infinity)) return;
  throw new RangeError(`cannot ${tried}: n is ${shown(n)}, not an integer from ${least}`);
}

/** Throws a `RangeError` where `ms` is no length of time. */
export function requireSpan(ms: unknown, tried: string): void {
  if (typeof ms === "number" && ms >= 0) return;
  throw new RangeError(`cannot ${tried}: ms is ${shown(ms)}, not a count of milliseconds`);
}
