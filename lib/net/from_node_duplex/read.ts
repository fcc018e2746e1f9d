import { consumed, type Context, Future, Pending } from "../../task/future.ts";
import { coop, proceed } from "../../task/runtime/coop.ts";
import { roomOf } from "../async_io/arguments.ts";
import type { Told } from "./told.ts";

export class Read extends Future<number> {
  #told: Told | null;
  #into: Uint8Array;

  constructor(told: Told, into: Uint8Array) {
    super();
    this.#told = told;
    this.#into = into;
  }

  override describe(): string {
    return "read() of a Duplex";
  }

  override poll(context: Context): number | Pending {
    const told = this.#told;
    if (told === null) throw consumed("read()");
    if (!proceed(context)) return Pending;
    const chunk = this.#take(told);
    if (chunk === Pending) {
      told.reading.park(this, context.waker, "read");
      return Pending;
    }
    coop.left--;
    this.drop();
    if (chunk === null) return 0;
    this.#into.set(chunk);
    return chunk.byteLength;
  }

  #take(told: Told): Uint8Array | null | Pending {
    try {
      return told.take(roomOf(this.#into));
    } catch (error) {
      this.drop();
      throw error;
    }
  }

  override drop(): void {
    this.#told?.reading.forget(this);
    this.#told = null;
  }
}
