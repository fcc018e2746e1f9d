import type { EventFd } from "../../../io/event_fd.ts";
import { AsyncFd, type Coroutine } from "../../../task/mod.ts";

/** Calls `heard` each time that the bell was rung, for ever; and `over` where that has ended. */
export function* attend(bell: EventFd, heard: () => void, over: () => void = () => {}): Coroutine<void> {
  try {
    using watched = new AsyncFd(bell.fd);
    for (;;) {
      yield* watched.read(() => bell.read());
      heard();
    }
  } finally {
    over();
  }
}
