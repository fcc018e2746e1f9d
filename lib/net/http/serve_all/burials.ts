import { SystemError } from "../../../../ffi/mod.ts";
import { Fd } from "../../../io/fd.ts";
import { shutdown } from "../../../io/socket_calls.ts";
import { isAlive, type Thread } from "../../../mem/thread.ts";
import { sleep } from "../../../task/mod.ts";
import type { Board } from "./board.ts";

const LOOK_MS = 20;
/** A thread that loops for ever never goes: what it has is shut down, and stays open. */
const LONGEST_MS = 10_000;

/** Sees to the connections of servers that have died. */
export class Burials {
  readonly #board: Board;
  /** Takes what nobody had taken yet. */
  readonly #inherit: (numbers: readonly number[]) => void;
  readonly #closing: Set<Promise<void>> = new Set();

  constructor(board: Board, inherit: (numbers: readonly number[]) => void) {
    this.#board = board;
    this.#inherit = inherit;
  }

  /**
   * Ends what a sitter held: the clients hear it at once; and the numbers are free once its thread is gone, which may
   * still be in a call with one.
   */
  bury(sitter: number, thread: Thread | undefined): void {
    const { held, passed } = this.#board.bury(sitter);
    for (const number of passed) this.#board.forget(number);
    if (passed.length > 0) this.#inherit(passed);
    if (held.length === 0) return;
    const fds = held.map((number) => Fd.unsafeOwn(number));
    for (const fd of fds) hangUp(fd);
    const closing = this.#closeAfter(fds, thread);
    this.#closing.add(closing);
    closing.finally(() => this.#closing.delete(closing));
  }

  async #closeAfter(fds: readonly Fd[], thread: Thread | undefined): Promise<void> {
    for (let waited = 0; thread !== undefined && isAlive(thread); waited += LOOK_MS) {
      if (waited >= LONGEST_MS) return;
      await sleep(LOOK_MS);
    }
    for (const fd of fds) {
      this.#board.forget(fd.number);
      fd.close();
    }
  }

  /** Settled once all are closed that can be. */
  async settled(): Promise<void> {
    await Promise.all(this.#closing);
  }
}

function hangUp(fd: Fd): void {
  try {
    shutdown(fd, "both");
  } catch (error) {
    // Its client has gone before.
    if (!(error instanceof SystemError && error.code === "ENOTCONN")) throw error;
  }
}
