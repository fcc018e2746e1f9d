import { WouldBlock } from "../../io/fd.ts";
import type { PidFd } from "../../io/pid_fd.ts";
import type { Signal } from "../../io/signals.ts";
import { AsyncFd } from "../../task/async_fd.ts";
import "../../task/runtime/attach.ts";
import { existingRuntime } from "../../task/runtime/current.ts";
import { type ExitStatus, exitStatusOf } from "./exit_status.ts";

/** What there is of a child apart from its handle, which may be forgotten. */
export class Running {
  readonly pid: number;
  readonly killOnDrop: boolean;
  #pidFd: PidFd;
  #status: ExitStatus | undefined;
  /** By the runtime that watches: the thread's own and the host's may both wait. */
  #watched: Map<unknown, AsyncFd> = new Map();

  constructor(pid: number, pidFd: PidFd, killOnDrop: boolean) {
    this.pid = pid;
    this.#pidFd = pidFd;
    this.killOnDrop = killOnDrop;
  }

  get status(): ExitStatus | undefined {
    return this.#status;
  }

  /** How it ended, where it has: it is no zombie then, and its descriptor closed. */
  tryWait(): ExitStatus | undefined {
    if (this.#status !== undefined) return this.#status;
    const ended = this.#pidFd.wait();
    if (ended === WouldBlock) return undefined;
    this.#status = exitStatusOf(ended);
    this.unwatch();
    this.#pidFd.close();
    return this.#status;
  }

  /** Its descriptor, in the runtime that has its turn. Only for one that runs. */
  watched(): AsyncFd {
    const watched = this.#watched.get(existingRuntime());
    if (watched !== undefined) return watched;
    const made = new AsyncFd(this.#pidFd.fd);
    this.#watched.set(existingRuntime(), made);
    return made;
  }

  unwatch(): void {
    for (const watched of this.#watched.values()) watched[Symbol.dispose]();
    this.#watched.clear();
  }

  /** Does nothing to one that was waited for. */
  send(signal: Signal): void {
    if (this.#status === undefined) this.#pidFd.sendSignal(signal);
  }
}
