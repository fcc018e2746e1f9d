import { type Context, type Future, Pending } from "../../task/future.ts";
import { coop, proceed } from "../../task/runtime/coop.ts";
import { requireCount, requireInto, requireReader } from "./arguments.ts";
import { Operation } from "./operation.ts";
import type { AsyncRead } from "./traits.ts";

/** The first bytes of a reader: what `take` gives. */
export class Take implements AsyncRead {
  /** How many bytes may come still. */
  remaining: number;
  readonly reader: AsyncRead;

  /** `take`'s own. */
  constructor(reader: AsyncRead, count: number) {
    this.reader = reader;
    this.remaining = count;
  }

  /** As the reader's, and 0 once all that it may give were given. Safe to drop where the reader's is. */
  read(into: Uint8Array): Future<number> {
    requireInto(into);
    return new ReadTaken(this, into);
  }
}

class ReadTaken extends Operation<number> {
  #take: Take;
  #into: Uint8Array;
  #read: Future<number> | null = null;

  constructor(take: Take, into: Uint8Array) {
    super();
    this.#take = take;
    this.#into = into;
  }

  override describe(): string {
    return this.#read === null ? "take()" : this.#read.describe();
  }

  protected override step(context: Context): number | Pending {
    const { remaining, reader } = this.#take;
    if (remaining === 0) {
      if (!proceed(context)) return Pending;
      coop.left--;
      return 0;
    }
    const count = (this.#read ??= reader.read(this.#into.subarray(0, remaining))).poll(context);
    if (count === Pending) return Pending;
    if (count > remaining) {
      throw new RangeError(
        `cannot read: a reader says that it gave ${count} bytes where it had room for ${remaining}`,
      );
    }
    this.#take.remaining -= count;
    return count;
  }

  protected override abandon(): void {
    this.#read?.drop();
  }
}

/** A reader of the first `count` bytes of `reader`. What comes behind them can be read from that afterwards. */
export function take(reader: AsyncRead, count: number): Take {
  requireReader("cannot take", reader);
  if (count !== Infinity) requireCount("cannot take", "count", count);
  return new Take(reader, count);
}
