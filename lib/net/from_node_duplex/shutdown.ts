import { consumed, type Context, Future, Pending } from "../../task/future.ts";
import type { Told } from "./told.ts";

export class Shutdown extends Future<void> {
  #told: Told | null;
  #hasBegun = false;
  #isOver = false;

  constructor(told: Told) {
    super();
    this.#told = told;
  }

  override describe(): string {
    return "shutdown() of a Duplex";
  }

  override poll(context: Context): void | Pending {
    const told = this.#told;
    if (told === null) throw consumed("shutdown()");
    const { duplex } = told;
    try {
      if (duplex.writableFinished) this.#isOver = true;
      if (!this.#isOver) told.requireOpen();
      if (!this.#hasBegun && !this.#isOver) {
        this.#hasBegun = true;
        if (!duplex.writableEnded) duplex.end();
        duplex.once("finish", () => {
          this.#isOver = true;
          told.writing.wake();
        });
      }
      if (!this.#isOver) {
        told.writing.park(this, context.waker, "shut down");
        return Pending;
      }
    } catch (error) {
      this.drop();
      throw error;
    }
    this.drop();
  }

  override drop(): void {
    this.#told?.writing.forget(this);
    this.#told = null;
  }
}
