import { libc } from "../../ffi/mod.ts";
import type { Future } from "../task/future.ts";
import { ready } from "../task/futures/ready.ts";
import { begun, nothing, systemCall, type Used } from "./system_call.ts";

/**
 * A descriptor, and how many calls use it: it is closed after the last of them, so that none meets another file which was
 * given its number.
 */
export class Handle implements Used {
  readonly path: string;
  readonly #number: number;
  #users = 0;
  #isClosed = false;

  constructor(number: number, path: string) {
    this.#number = number;
    this.path = path;
  }

  /** For a call that is about to be made. Throws where it was closed. */
  get number(): number {
    this.#requireOpen();
    return this.#number;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  #requireOpen(): void {
    if (this.#isClosed) throw new Error(`cannot use ${this.path}: the file was closed`);
  }

  add(): void {
    this.#requireOpen();
    this.#users++;
  }

  subtract(): void {
    this.#users--;
    if (this.#users === 0 && this.#isClosed) libc().close(this.#number);
  }

  /** Closes it, now or after the last call that uses it, whether or not that is waited for. */
  close(): Future<void> {
    if (this.#isClosed) return ready(undefined);
    this.#isClosed = true;
    if (this.#users > 0) return ready(undefined);
    const { path } = this;
    const call = systemCall({ name: "close", arguments: [this.#number], context: { path }, value: nothing });
    return begun(call);
  }

  /** As `close`, on this thread: for one that was forgotten. */
  closeNow(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#users === 0) libc().close(this.#number);
  }
}
