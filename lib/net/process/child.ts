import { LimitExceededError } from "../async_io/errors.ts";
import type { Signal } from "../../io/signals.ts";
import { requireNames, shown } from "../../io/arguments.ts";
import { unwatch, watch } from "../../mem/forgotten.ts";
import type { AsyncFd } from "../../task/async_fd.ts";
import { consumed, type Context, type Coroutine, Future, Pending } from "../../task/future.ts";
import { tryJoin } from "../../task/futures/join.ts";
import { toFuture } from "../../task/futures/to_future.ts";
import type { PipeReader, PipeWriter } from "../pipe.ts";
import type { ExitStatus } from "./exit_status.ts";
import { abandon } from "./orphans.ts";
import type { Running } from "./running.ts";
import type { StdioPlan } from "./stdio.ts";

const READ_BYTES = 65536;

class Wait extends Future<ExitStatus> {
  #child: Child | null;
  #running: Running;
  #ready: Future<void> | null = null;
  #watched: AsyncFd | null = null;
  #hasBegun = false;

  constructor(child: Child, running: Running) {
    super();
    this.#child = child;
    this.#running = running;
  }

  override describe(): string {
    return `the end of process ${this.#running.pid}`;
  }

  override poll(context: Context): ExitStatus | Pending {
    const child = this.#child;
    if (child === null) throw consumed("a child's end");
    if (!this.#hasBegun) {
      this.#hasBegun = true;
      child.closeUnusedStdin();
    }
    for (;;) {
      const status = child.tryWait();
      if (status !== undefined) {
        this.drop();
        return status;
      }
      const watched = this.#running.watched();
      // Another one where the child was disposed of meanwhile, or this is polled by another runtime now.
      if (this.#ready === null || this.#watched !== watched) {
        this.#ready?.drop();
        watched.clearReadable();
        this.#ready = watched.readable();
        this.#watched = watched;
      }
      if (this.#ready.poll(context) === Pending) return Pending;
      this.#ready = null;
    }
  }

  override drop(): void {
    this.#child = null;
    this.#ready?.drop();
    this.#ready = null;
  }
}

/** What a child has written, and how it ended. */
export interface Output {
  readonly status: ExitStatus;
  /** Empty where it was not piped. */
  readonly stdout: Uint8Array<ArrayBuffer>;
  readonly stderr: Uint8Array<ArrayBuffer>;
}

/** How `waitWithOutput` reads. */
export interface OutputOptions {
  /** Bytes that each of both may be: with more, the child is killed and a `LimitExceededError` thrown. No limit by itself. */
  limit?: number;
}

/**
 * A process that was started. Its end is waited for by epoll, through a descriptor of the process: no signal is
 * handled, and the children of the host's own are left alone.
 *
 * One that is disposed of or forgotten before it has ended runs on, or is killed where `killOnDrop` was asked for; either
 * way it is waited for behind the scenes and leaves no zombie.
 */
export class Child implements Disposable {
  /** Its number, which another process may have once this one was waited for. */
  readonly pid: number;
  #running: Running;
  #stdin: PipeWriter | null;
  #stdout: PipeReader | null;
  #stderr: PipeReader | null;
  #hasUsedStdin = false;

  /** `Command.spawn`'s own. */
  constructor(running: Running, { stdin, stdout, stderr }: StdioPlan) {
    this.pid = running.pid;
    this.#running = running;
    this.#stdin = stdin;
    this.#stdout = stdout;
    this.#stderr = stderr;
    watch(this, `a Child, process ${this.pid}`, () => abandon(running));
  }

  /** Its number, or `undefined` once it was waited for. */
  get id(): number | undefined {
    return this.#running.status === undefined ? this.pid : undefined;
  }

  /**
   * What is written here, the child reads. Throws where it is not piped. Who asks for it closes it: otherwise `wait`
   * does, so that a child that reads to the end finds one.
   */
  get stdin(): PipeWriter {
    this.#hasUsedStdin = true;
    return piped(this.#stdin, "stdin");
  }

  /** What the child writes. Throws where it is not piped. A child that writes more than 64 KiB waits until it is read. */
  get stdout(): PipeReader {
    return piped(this.#stdout, "stdout");
  }

  /** What the child writes of what went wrong. Throws where it is not piped. */
  get stderr(): PipeReader {
    return piped(this.#stderr, "stderr");
  }

  /** `wait`'s own: the end of a stdin that nobody has asked for. */
  closeUnusedStdin(): void {
    if (!this.#hasUsedStdin) this.#stdin?.close();
  }

  /** How it ended, once it has. Any number may wait, and ask again. Safe to drop. */
  wait(): Future<ExitStatus> {
    return new Wait(this, this.#running);
  }

  /** How it ended, or `undefined` where it runs. */
  tryWait(): ExitStatus | undefined {
    const status = this.#running.tryWait();
    if (status !== undefined) unwatch(this);
    return status;
  }

  /** Sends it a signal, and waits for nothing. Does nothing where it has ended. */
  startKill(signal: Signal = "SIGKILL"): void {
    this.#running.send(signal);
  }

  /** Sends it a signal, and waits for its end. */
  kill(signal: Signal = "SIGKILL"): Future<ExitStatus> {
    return new Kill(this, signal);
  }

  /** Reads all that it writes, from both at once, and waits for its end. Dropped, what was read so far is lost. */
  waitWithOutput(options: OutputOptions = {}): Future<Output> {
    const what = "cannot wait for a child's output";
    requireNames(what, "options are", options, ["limit"]);
    const { limit = Infinity } = options;
    if (!(typeof limit === "number" && limit >= 0)) {
      throw new RangeError(`${what}: limit is ${shown(limit)}, and no count of bytes`);
    }
    return toFuture(this.#output(limit));
  }

  *#output(limit: number): Coroutine<Output> {
    const [status, stdout, stderr] = yield* tryJoin(
      this.wait(),
      this.#all(this.#stdout, "stdout", limit),
      this.#all(this.#stderr, "stderr", limit),
    );
    return { status, stdout, stderr };
  }

  *#all(reader: PipeReader | null, name: string, limit: number): Coroutine<Uint8Array<ArrayBuffer>> {
    const parts: Uint8Array[] = [];
    let size = 0;
    if (reader !== null) {
      const into = new Uint8Array(READ_BYTES);
      for (let count = yield* reader.read(into); count > 0; count = yield* reader.read(into)) {
        size += count;
        if (size > limit) {
          this.startKill();
          throw new LimitExceededError(`the child was killed: its ${name}`, limit);
        }
        parts.push(into.slice(0, count));
      }
    }
    const all = new Uint8Array(size);
    let at = 0;
    for (const part of parts) {
      all.set(part, at);
      at += part.byteLength;
    }
    return all;
  }

  /** Closes the pipes to it, and leaves it to itself where it was not waited for. */
  [Symbol.dispose](): void {
    unwatch(this);
    this.#stdin?.close();
    this.#stdout?.close();
    this.#stderr?.close();
    abandon(this.#running);
  }
}

class Kill extends Future<ExitStatus> {
  #child: Child;
  #signal: Signal;
  #wait: Future<ExitStatus> | null = null;

  constructor(child: Child, signal: Signal) {
    super();
    this.#child = child;
    this.#signal = signal;
  }

  override describe(): string {
    return `the end of process ${this.#child.pid}`;
  }

  override poll(context: Context): ExitStatus | Pending {
    if (this.#wait === null) {
      this.#child.startKill(this.#signal);
      this.#wait = this.#child.wait();
    }
    return this.#wait.poll(context);
  }

  override drop(): void {
    this.#wait?.drop();
  }
}

function piped<T>(end: T | null, name: string): T {
  if (end !== null) return end;
  throw new TypeError(`the child's ${name} is no pipe: start it with ${name}: "piped"`);
}
