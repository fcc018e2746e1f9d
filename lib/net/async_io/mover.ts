import type { Context, Pending } from "../../task/future.ts";

/** What moves the bytes of one reader to one writer. */
export interface Mover {
  /** How many bytes there were, at the end and once the writer has all of them. Throws what either fails with. */
  poll(context: Context): number | Pending;
  /** Abandons it: what was read and not written is lost. */
  drop(): void;
  describe(): string;
}
