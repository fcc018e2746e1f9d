import { EventFd } from "../../io/event_fd.ts";
import { Fd } from "../../io/fd.ts";
import type { ScheduledIo } from "../reactor/scheduled_io.ts";
import type { Runtime } from "../runtime/runtime.ts";

/** Watches for a runtime whether calls have ended. In the host's loop, while some are awaited: it keeps the process alive. */
export class Listener {
  readonly #runtime: Runtime;
  readonly #drain: () => void;
  readonly #event: EventFd;
  readonly #io: ScheduledIo;
  #awaited = 0;
  #isClosed = false;

  constructor(runtime: Runtime, event: number, drain: () => void) {
    this.#runtime = runtime;
    this.#drain = drain;
    // The threads' own descriptor stays theirs.
    const fd = Fd.unsafeOwn(event).dup();
    this.#event = new EventFd(fd);
    try {
      this.#io = runtime.reactor.register(fd);
    } catch (error) {
      fd.close();
      throw error;
    }
    this.#listen();
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** One call more is awaited. */
  add(): void {
    this.#awaited++;
  }

  /** One call less. */
  subtract(): void {
    this.#awaited--;
    // Under `run` it costs nothing to go on.
    if (this.#awaited > 0 || this.#isClosed || !this.#runtime.livesInHost) return;
    this.#runtime.reactor.deregister(this.#io);
    this.#close();
  }

  #listen(): void {
    this.#io.clearReadable();
    this.#io.waitReadable({ wake: () => this.#rung() });
  }

  #rung(): void {
    if (this.#isClosed) return;
    if (this.#io.isDeaf) return this.#close();
    this.#event.read();
    this.#listen();
    this.#drain();
  }

  #close(): void {
    this.#isClosed = true;
    this.#event.close();
  }
}
