/** Readers and writers that do what a test tells them, step by step. */
import type { AsyncRead, AsyncWrite } from "../../../lib/net/async_io.ts";
import { type Context, Future, Pending, type Waker } from "../../../lib/task/future.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text);
}

export function textOf(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/** What a read does: bytes, or an error, or waiting once, woken at once where it is `"yield"`. */
export type Step = string | Uint8Array | Error | "wait" | "yield";

/** `wait` and `yield` are words of their own: bytes that say so are given as an array. */
function isWait(step: Step): boolean {
  return step === "wait" || step === "yield";
}

class Scripted<T> extends Future<T> {
  #attempt: (context: Context) => T | Pending;
  #isOver = false;

  constructor(attempt: (context: Context) => T | Pending) {
    super();
    this.#attempt = attempt;
  }

  override poll(context: Context): T | Pending {
    if (this.#isOver) throw new Error("a scripted future was polled after its end");
    try {
      const value = this.#attempt(context);
      if (value !== Pending) this.#isOver = true;
      return value;
    } catch (error) {
      this.#isOver = true;
      throw error;
    }
  }

  override drop(): void {
    this.#isOver = true;
  }
}

/** Gives the bytes of each step in one read, or more where there is less room; then the end. */
export class ScriptedReader implements AsyncRead {
  readonly steps: Step[];
  reads = 0;
  waker: Waker | null = null;

  constructor(...steps: Step[]) {
    this.steps = steps;
  }

  read(into: Uint8Array): Future<number> {
    this.reads++;
    return new Scripted((context) => this.#read(into, context));
  }

  #read(into: Uint8Array, context: Context): number | Pending {
    const step = this.steps.shift();
    if (step === undefined) return 0;
    if (step instanceof Error) throw step;
    if (isWait(step)) {
      this.waker = context.waker;
      if (step === "yield") context.waker.wake();
      return Pending;
    }
    const bytes = typeof step === "string" ? bytesOf(step) : step;
    const part = bytes.subarray(0, into.byteLength);
    into.set(part);
    if (part.byteLength < bytes.byteLength) this.steps.unshift(bytes.subarray(part.byteLength));
    return part.byteLength;
  }
}

/** What a write does: takes so many bytes at most, fails, or waits. All, where no step is left. */
export type WriteStep = number | Error | "wait" | "yield";

export class ScriptedWriter implements AsyncWrite {
  readonly steps: WriteStep[];
  /** What each write has taken. */
  readonly taken: Uint8Array[] = [];
  flushes = 0;
  isShutDown = false;

  constructor(...steps: WriteStep[]) {
    this.steps = steps;
  }

  get text(): string {
    return this.taken.map(textOf).join("");
  }

  write(bytes: Uint8Array): Future<number> {
    return new Scripted((context) => this.#write(bytes, context));
  }

  writeAll(bytes: Uint8Array): Future<void> {
    let rest = bytes;
    return new Scripted((context): void | Pending => {
      while (rest.byteLength > 0) {
        const count = this.#write(rest, context);
        if (count === Pending) return Pending;
        rest = rest.subarray(count);
      }
      return undefined;
    });
  }

  #write(bytes: Uint8Array, context: Context): number | Pending {
    const step = this.steps.shift() ?? Infinity;
    if (step instanceof Error) throw step;
    if (typeof step === "string") {
      if (step === "yield") context.waker.wake();
      return Pending;
    }
    const part = bytes.slice(0, step);
    this.taken.push(part);
    return part.byteLength;
  }

  shutdown(): Future<void> {
    return new Scripted<void>(() => {
      this.isShutDown = true;
    });
  }
}

/** A scripted writer that has a `flush`. */
export class FlushedWriter extends ScriptedWriter {
  flush(): Future<void> {
    return new Scripted<void>(() => {
      this.flushes++;
    });
  }
}

/** The bytes cut into pieces of these lengths, over and over. */
export function cut(bytes: Uint8Array, lengths: readonly number[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0, i = 0; at < bytes.byteLength; i++) {
    const length = lengths.length === 0 ? bytes.byteLength : Math.max(1, lengths[i % lengths.length]);
    pieces.push(bytes.subarray(at, at + length));
    at += length;
  }
  return pieces;
}

/** Waits for one turn of the others. */
export function turn(): Future<void> {
  let isOver = false;
  return new Scripted((context): void | Pending => {
    if (isOver) return undefined;
    isOver = true;
    context.waker.wake();
    return Pending;
  });
}
