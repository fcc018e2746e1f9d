import process from "node:process";
import { isMainThread } from "node:worker_threads";
import { hostName } from "../../ffi/mod.ts";
import { Fd } from "../io/fd.ts";
import { requireSignal, type SignalName, SignalWatch } from "../jit/signal.ts";
import { coop, proceed } from "./runtime/coop.ts";
import { currentRuntime } from "./runtime/current.ts";
import { consumed, type Context, Future, Pending, type Waker } from "./future.ts";
import type { Reactor } from "./reactor/reactor.ts";
import type { ScheduledIo } from "./reactor/scheduled_io.ts";

/** Where signals are counted, and who is woken by the next. */
interface Source extends Disposable {
  /** How many have come since it was last asked; where none, the waker is kept for the next. */
  take(waker: Waker): number;
  /** Wakes it no more. */
  forget(waker: Waker | null): void;
}

/** Under `run`: the handler of machine code counts into an eventfd, which the reactor watches. */
class WatchedSource implements Source {
  #watch: SignalWatch;
  #fd: Fd;
  #reactor: Reactor;
  #io: ScheduledIo;

  constructor(name: SignalName, reactor: Reactor) {
    using made = new DisposableStack();
    this.#watch = made.use(new SignalWatch(name));
    // The watch's own descriptor stays the watch's.
    this.#fd = made.use(Fd.unsafeOwn(this.#watch.fd).dup());
    this.#reactor = reactor;
    this.#io = reactor.register(this.#fd);
    made.move();
  }

  take(waker: Waker): number {
    const count = this.#watch.take();
    if (count === 0) {
      this.#io.clearReadable();
      this.#io.waitReadable(waker);
    }
    return count;
  }

  forget(waker: Waker | null): void {
    this.#io.forgetReader(waker);
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
    if (!isMainThread && hostName !== "deno") {
      throw new Error(
        `cannot wait for ${name} here: the host tells its workers of no signal; wait for it in run(main)`,
      );
    }
    this.#name = name;
    process.on(name, this.#listener);
  }

  take(waker: Waker): number {
    const count = this.#count;
    this.#count = 0;
    if (count > 0) return count;
    if (this.#waker !== null && this.#waker !== waker) {
      throw new Error(
        `cannot wait for ${this.#name}: another task waits for it here; let each listen by its own Signal`,
      );
    }
    this.#waker = waker;
    return 0;
  }

  forget(waker: Waker | null): void {
    if (this.#waker === waker) this.#waker = null;
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
    requireSignal(name);
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
  forget(waker: Waker | null): void {
    this.#source?.forget(waker);
  }

  /** Listens no more: the signal does again what it did before. */
  [Symbol.dispose](): void {
    this.#source?.[Symbol.dispose]();
    this.#source = null;
  }
}

class Received extends Future<number> {
  #signal: Signal;
  #waker: Waker | null = null;
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
    if (count === 0) {
      this.#waker = context.waker;
      return Pending;
    }
    coop.left--;
    this.#isDone = true;
    return count;
  }

  override drop(): void {
    if (!this.#isDone) this.#signal.forget(this.#waker);
    this.#isDone = true;
  }
}

/** All of them, or none where one cannot be listened to. */
function listenTo(names: readonly SignalName[]): Signal[] {
  using made = new DisposableStack();
  const signals = names.map((name) => made.use(new Signal(name)));
  made.move();
  return signals;
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
    this.#signals ??= listenTo(this.#names);
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
