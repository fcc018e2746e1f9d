import { requireFlag, requireNames, shown } from "../../io/arguments.ts";
import { proceed } from "../runtime/coop.ts";
import { describeAll } from "./describe_all.ts";
import { dropAll } from "./drop_all.ts";
import { consumed, type Context, Future, Pending } from "../future.ts";
import { type Output, type Spawnable, toFutures } from "./to_future.ts";

/** The branch that was first: its key tells the type of its value. */
export type Selected<B> = { [K in keyof B]: { key: K; value: Output<B[K]> } }[keyof B];

/** How `select` chooses. */
export interface SelectOptions {
  /** The branches are polled in the order of their keys, so that the first wins where several are there. */
  biased?: boolean;
}

let seed = 0x9e3779b9;

/** A number below `count`: xorshift32, the same numbers in each process. */
function random(count: number): number {
  seed ^= seed << 13;
  seed ^= seed >>> 17;
  seed ^= seed << 5;
  return (seed >>> 0) % count;
}

class Select extends Future<{ key: string; value: unknown }> {
  #keys: string[];
  /** Taken out once it has ended. */
  #futures: (Future<unknown> | null)[];
  #isBiased: boolean;
  #hasEnded = false;

  constructor(keys: string[], futures: Future<unknown>[], isBiased: boolean) {
    super();
    this.#keys = keys;
    this.#futures = futures;
    this.#isBiased = isBiased;
  }

  override describe(): string {
    return `select(${describeAll(this.#futures)})`;
  }

  override poll(context: Context): { key: string; value: unknown } | Pending {
    if (this.#hasEnded) throw consumed("select()");
    // With no budget left, a branch that asks for it would seem to lose against one that does not.
    if (!proceed(context)) return Pending;
    const { length } = this.#keys;
    let i = this.#isBiased ? 0 : random(length);
    for (let count = 0; count < length; count++) {
      const value = this.#pollBranch(i, context);
      if (value !== Pending) {
        this.drop();
        return { key: this.#keys[i], value };
      }
      if (++i === length) i = 0;
    }
    return Pending;
  }

  #pollBranch(i: number, context: Context): unknown {
    const future = this.#futures[i];
    if (future === null) return Pending;
    try {
      const value = future.poll(context);
      if (value !== Pending) this.#futures[i] = null;
      return value;
    } catch (error) {
      this.#futures[i] = null;
      this.#hasEnded = true;
      return dropAll(this.#futures, { error });
    }
  }

  override drop(): void {
    this.#hasEnded = true;
    dropAll(this.#futures);
  }
}

/**
 * The first branch that is there, as `{key, value}`; the others are dropped. Throws where the first to end fails.
 * A branch at random is asked first each time, so that one that is always there does not starve the others:
 * `biased` asks them in order. A branch that is to go on where it loses is given as `future.borrow()`, one that is
 * not wanted as `never()`. All branches are polled at each wake: for long lists see `race`.
 *
 * @example
 * ```ts
 * import { run, select, sleep } from "@oxbow/oxbow/task";
 *
 * const first = await run(() => select({ text: sleep(1).map(() => "text"), late: sleep(500) }));
 * if (first.key === "text") console.log(first.value.toUpperCase()); // TEXT
 * ```
 */
export function select<B extends Record<string, Spawnable<unknown>>>(
  branches: B,
  options?: SelectOptions,
): Future<Selected<B>>;
export function select(
  branches: Record<string, Spawnable<unknown>>,
  options: SelectOptions = {},
): Future<{ key: string; value: unknown }> {
  if (typeof branches !== "object" || branches === null) {
    throw new TypeError(`cannot select: branches is ${shown(branches)}, and no object`);
  }
  requireNames("cannot select", "options are", options, ["biased"]);
  const { biased = false } = options;
  requireFlag("cannot select", "biased", biased);
  const keys = Object.keys(branches);
  if (keys.length === 0) throw new RangeError("cannot select: there is no branch to wait for");
  return new Select(keys, toFutures(Object.values(branches)), biased);
}
