import { SystemError } from "../../../../ffi/mod.ts";
import { type Fd, WouldBlock } from "../../../io/fd.ts";
import { accept } from "../../../io/socket_calls.ts";
import { AsyncFd, consumeBudget, type Coroutine, sleep } from "../../../task/mod.ts";
import { EXHAUSTED, EXHAUSTED_PAUSE_MS, PASSED } from "../../accept_errors.ts";

/** Who takes what is accepted. */
export interface Taker {
  /** Owns the connection of this number from now on. */
  take(number: number): void;
  /** All that had come is taken, and the next is waited for. */
  settle(): void;
}

/** The next connection's number, or `WouldBlock`; undefined where descriptors have run out. */
function next(listener: AsyncFd): number | typeof WouldBlock | undefined {
  for (;;) {
    try {
      return listener.tryRead(() => accept(listener.fd));
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      if (EXHAUSTED.has(error.code)) return undefined;
      if (!PASSED.has(error.code)) throw error;
    }
  }
}

/** Accepts what comes to a listening socket that stays its owner's, for ever. */
export function* accepting(fd: Fd, taker: Taker): Coroutine<void> {
  using listener = new AsyncFd(fd);
  for (;;) {
    const number = next(listener);
    if (number === undefined) {
      taker.settle();
      yield* sleep(EXHAUSTED_PAUSE_MS);
    } else if (number === WouldBlock) {
      taker.settle();
      yield* listener.readable();
    } else {
      taker.take(number);
      yield* consumeBudget();
    }
  }
}
