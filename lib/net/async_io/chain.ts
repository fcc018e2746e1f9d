import { type Context, type Future, Pending } from "../../task/future.ts";
import { requireInto, requireReader } from "./arguments.ts";
import { Operation } from "./operation.ts";
import type { AsyncRead } from "./traits.ts";

class Chain implements AsyncRead {
  /** Those that have not ended. */
  readers: readonly AsyncRead[];

  constructor(readers: readonly AsyncRead[]) {
    this.readers = readers;
  }

  read(into: Uint8Array): Future<number> {
    requireInto(into);
    return new ReadChain(this, into);
  }
}

class ReadChain extends Operation<number> {
  #chain: Chain;
  #into: Uint8Array;
  #read: Future<number> | null = null;

  constructor(chain: Chain, into: Uint8Array) {
    super();
    this.#chain = chain;
    this.#into = into;
  }

  override describe(): string {
    return this.#read === null ? "chain()" : this.#read.describe();
  }

  protected override step(context: Context): number | Pending {
    const chain = this.#chain;
    for (;;) {
      const count = (this.#read ??= chain.readers[0].read(this.#into)).poll(context);
      this.#read = count === Pending ? this.#read : null;
      // The last one stays: it is asked again whether it has ended.
      if (count !== 0 || chain.readers.length === 1) return count;
      chain.readers = chain.readers.slice(1);
    }
  }

  protected override abandon(): void {
    this.#read?.drop();
  }
}

/** A reader of what `first` gives, and behind its end of what `second` gives. Safe to drop where theirs are. */
export function chain(first: AsyncRead, second: AsyncRead): AsyncRead {
  requireReader("cannot chain", first, "first");
  requireReader("cannot chain", second, "second");
  return new Chain([first, second]);
}
