import { Buffer } from "node:buffer";
import { consumed, type Context, Future, Pending } from "../../task/future.ts";
import { coop, proceed } from "../../task/runtime/coop.ts";
import type { Told } from "./told.ts";

/** What is handed over at once. */
export const PIECE_BYTES = 65536;

/** Hands over pieces as long as the `Duplex` takes them, and ends once the last has left it. */
export class Write extends Future<number> {
  #told: Told | null;
  #bytes: Uint8Array;
  #from = 0;
  #hasLeft = false;
  #error: Error | null = null;

  constructor(told: Told, bytes: Uint8Array) {
    super();
    this.#told = told;
    this.#bytes = bytes;
  }

  override describe(): string {
    return "write() to a Duplex";
  }

  override poll(context: Context): number | Pending {
    const told = this.#told;
    if (told === null) throw consumed("write()");
    const bytes = this.#bytes;
    try {
      while (this.#from < bytes.byteLength) {
        if (!proceed(context)) return Pending;
        if (this.#error !== null) throw this.#error;
        told.requireOpen();
        if (told.isFull) break;
        coop.left--;
        this.#hand(told, bytes.subarray(this.#from, this.#from + PIECE_BYTES));
      }
      const isOver = this.#from === bytes.byteLength && (this.#hasLeft || bytes.byteLength === 0);
      if (!isOver) {
        if (this.#error !== null) throw this.#error;
        told.requireOpen();
        told.writing.park(this, context.waker, "write to");
        return Pending;
      }
    } catch (error) {
      this.drop();
      throw error;
    }
    this.drop();
    return bytes.byteLength;
  }

  /** A copy: the caller's own may change once this future is dropped, and the `Duplex` keeps what it is given. */
  #hand(told: Told, piece: Uint8Array): void {
    this.#from += piece.byteLength;
    const isLast = this.#from === this.#bytes.byteLength;
    told.duplex.write(Buffer.from(piece), (error) => {
      this.#error ??= error ?? null;
      this.#hasLeft = isLast;
      if (isLast || error) told.writing.wake();
    });
  }

  override drop(): void {
    this.#told?.writing.forget(this);
    this.#told = null;
  }
}
