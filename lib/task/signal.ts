import process from "node:process";
import { Fd } from "../io/fd.ts";
import { type SignalName, SignalWatch } from "../jit/signal.ts";
import { coop, proceed } from "./coop.ts";
import { currentRuntime } from "./current.ts";
import { consumed, type Context, Future, Pending, type Waker } from "./future.ts";
import type { Reactor } from "./reactor/reactor.ts";
import type { ScheduledIo } from "./reactor/scheduled_io.ts";

/** Where signals are counted, and who is woken by the next. */
interface Source extends Disposable {
  /** How many have come since it was last asked; where none, the waker is kept for the next. */
  take(waker: Waker): number;
  /** Wakes nobody any more. */
  forget(): void;
}

/** Under `run`: the handler of machine code counts into an eventfd, which the reactor watches. */
class WatchedSource implements Source {
  #watch: SignalWatch;
  #fd: Fd;
  #reactor: Reactor;
  #io: ScheduledIo;

  constructor(name: SignalName, reactor: Reactor) {
    this.#watch = new SignalWatch(name);
    // The watch's own descriptor stays the watch's.
    this.#fd = Fd.unsafeOwn(this.#watch.fd).dup();
    this.#reactor = reactor;
    this.#io = reactor.register(this.#fd);
  }

  take(waker: Waker): number {
    const count = this.#watch.take();
    if (count === 0) {
      this.#io.clearReadable();
      this.#io.waitReadable(waker);
    }
    return count;
  }

  forget(): void {
    this.#io.forgetReader();
  }

  [Symbol.dispose](): void {
    this.#reactor.deregister(this.#io);
    this.#fd.close();
    this.#watch[Symbol.dispose]();
  }
}

/** In the host's loop: a listener of the host's. */
class ListenedSource implements Source {
  #name: SignalName;
  #count = 0;
  #waker: Waker | null = null;
  #listener: () => void = () => {
    this.#count++;
    const waker = this.#waker;
    this.#waker = null;
    waker?.wake();
  };

  constructor(name: SignalName) {
    this.#name = name;
    process.on(name, this.#listener);
  }

  take(waker: Waker): number {
    const count = this.#count;
    this.#count = 0;
    if (count === 0) this.#waker = waker;
    return count;
  }

  forget(): void {
    this.#waker = null;
  }

  [Symbol.dispose](): void {
    process.off(this.#name, this.#listener);
  }
}

/**
 * A signal of the process, which ends it no longer for as long as this listens: tokio's `signal`. Under `run` it is
 * caught by a handler of machine code, and the host's own listeners are not called; in the host's loop it is one
 * of these. Signals that come while nobody waits are kept, as one where they come together.
 *
 * @example
 * ```ts
 * import { run, Signal } from "@oxbow/oxbow/task";
 * import process from "node:process";
 *
 * await run(async () => {
 *   using hup = new Signal("SIGHUP");
 *   process.kill(process.pid, "SIGHUP");
 *   await hup.recv();
 *   console.log("reload");
 * });
 * ```
 */
export class Signal implements Disposable {
  readonly name: SignalName;
  #source: Source | null;

  /** Listens from now on. Throws a `TypeError` for one that cannot be listened to, such as SIGKILL. */
  constructor(name: SignalName) {
    const runtime = currentRuntime();
    this.name = name;
    this.#source = runtime.livesInHost ? new ListenedSource(name) : new WatchedSource(name, runtime.reactor);
  }

  /** The next signal: how many have come since the last one was taken, which is 1 but for bursts. Safe to drop. */
  recv(): Future<number> {
    return new Received(this);
  }

  /** `recv`'s own. */
  take(waker: Waker): number {
    if (this.#source === null) throw new Error(`cannot wait for ${this.name}: its listening has ended`);
    return this.#source.take(waker);
  }

  /** `recv`'s own. */
  forget(): void {
    this.#source?.forget();
  }

  /** Listens no more: the signal does again what it did before. */
  [Symbol.dispose](): void {
    this.#source?.[Symbol.dispose]();
    this.#source = null;
  }
}

class Received extends Future<number> {
  #signal: Signal;
  #isDone = false;

  constructor(signal: Signal) {
    super();
    this.#signal = signal;
  }

  override describe(): string {
    return this.#signal.name;
  }

  override poll(context: Context): number | Pending {
    if (this.#isDone) throw consumed("a signal");
    if (!proceed(context)) return Pending;
    const count = this.#signal.take(context.waker);
    if (count === 0) return Pending;
    coop.left--;
    this.#isDone = true;
    return count;
  }

  override drop(): void {
    if (!this.#isDone) this.#signal.forget();
  }
}

class FirstOf extends Future<SignalName> {
  #names: readonly SignalName[];
  #signals: Signal[] | null = null;
  #isDone = false;

  constructor(names: readonly SignalName[]) {
    super();
    this.#names = names;
  }

  override describe(): string {
    return this.#names.join(" or ");
  }

  override poll(context: Context): SignalName | Pending {
    if (this.#isDone) throw consumed("a signal");
    this.#signals ??= this.#names.map((name) => new Signal(name));
    for (const signal of this.#signals) {
      if (signal.take(context.waker) === 0) continue;
      this.drop();
      return signal.name;
    }
    return Pending;
  }

  override drop(): void {
    this.#isDone = true;
    for (const signal of this.#signals ?? []) signal[Symbol.dispose]();
    this.#signals = null;
  }
}

/** The first Ctrl-C (SIGINT) after the first poll. Another one ends the process again, as it does by itself. */
export function ctrlC(): Future<SignalName> {
  return new FirstOf(["SIGINT"]);
}

/** The first wish for an orderly end, SIGINT or SIGTERM: which of the two it was. */
export function shutdownSignal(): Future<SignalName> {
  return new FirstOf(["SIGINT", "SIGTERM"]);
}
