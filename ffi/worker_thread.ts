/**
 * Threads of JavaScript, as each host makes them: what they are given, what they say, and how they end.
 *
 * Deno's own `Worker` is used there, since that of `node:worker_threads` takes three times as long to start. It tells of
 * an error by its text alone and of an exit by nothing, so that a thread says itself what it throws.
 */
import process from "node:process";
import type { MessagePort, Worker as NodeWorker } from "node:worker_threads";
import { hostName } from "./host.ts";
import { hasWorkerScope } from "./is_worker.ts";

/** How a thread has ended, as far as the host says. */
export type Ending =
  /** By an error that nobody caught, or its module did not load. */
  | { readonly kind: "threw"; readonly error: unknown }
  /** By itself. */
  | { readonly kind: "exited"; readonly code: number };

/** What is told of a thread, in turns of the host's loop. */
export interface ThreadEvents {
  /** It has said something. */
  said(value: unknown): void;
  /** It is at its end, once, but where Deno's exits by itself or a thread was terminated. It may run for a moment still. */
  ended(ending: Ending): void;
}

/** A thread that was started. It keeps no process alive. */
export interface WorkerThread {
  /** Ends it where it runs JavaScript, now or later: what waits in C goes on waiting. */
  terminate(): void;
}

/** What `postMessage` takes beside what it clones. */
export type Transferred = MessagePort;

/** What a thread that dies of an error posts to say of which. */
const LAST_WORDS = "oxbow: threw";

interface WebWorker {
  postMessage(value: unknown, transfer: readonly unknown[]): void;
  terminate(): void;
  addEventListener(type: string, listener: (event: WebEvent) => void): void;
}

interface WebEvent {
  readonly data?: unknown;
  readonly message?: string;
  readonly error?: unknown;
  readonly reason?: unknown;
  preventDefault(): void;
}

interface WebScope {
  onmessage: ((event: WebEvent) => void) | null;
  postMessage(value: unknown): void;
  close(): void;
  addEventListener(type: string, listener: (event: WebEvent) => void): void;
}

type WebWorkerClass = {
  new (url: URL, options: { type: "module" }): WebWorker;
  readonly prototype: object;
};

/** Deno's own switch of whether a worker keeps the process alive, which has no name. */
function unrefSymbol(worker: WebWorkerClass): symbol | undefined {
  return Object.getOwnPropertySymbols(worker.prototype).find((symbol) => symbol.description === undefined);
}

/** Starts `module` as a thread, which is given `init` by `enterThread`. */
export function startThread(
  module: URL,
  init: unknown,
  transfer: readonly Transferred[],
  events: ThreadEvents,
): WorkerThread {
  if (hostName === "deno") {
    const Worker = Reflect.get(globalThis, "Worker") as WebWorkerClass;
    const unref = unrefSymbol(Worker);
    if (unref !== undefined) return startWeb(Worker, unref, { module, init, transfer, events });
  }
  return startNode({ module, init, transfer, events });
}

interface Start {
  readonly module: URL;
  readonly init: unknown;
  readonly transfer: readonly Transferred[];
  readonly events: ThreadEvents;
}

function startWeb(
  Worker: WebWorkerClass,
  unref: symbol,
  { module, init, transfer, events }: Start,
): WorkerThread {
  const worker = new Worker(module, { type: "module" });
  let words: { error: unknown } | null = null;
  worker.addEventListener("message", ({ data }) => {
    if (isLastWords(data)) words = { error: data.error };
    else events.said(data);
  });
  worker.addEventListener("error", (event) => {
    event.preventDefault();
    const error = words === null ? new Error(event.message) : words.error;
    events.ended({ kind: "threw", error });
  });
  (worker as unknown as Record<symbol, (ref: boolean) => void>)[unref](false);
  worker.postMessage(init, transfer);
  return worker;
}

function isLastWords(value: unknown): value is { error: unknown } {
  return typeof value === "object" && value !== null && LAST_WORDS in value;
}

function startNode({ module, init, transfer, events }: Start): WorkerThread {
  const { Worker } = process.getBuiltinModule("node:worker_threads");
  const worker: NodeWorker = new Worker(module, { workerData: init, transferList: [...transfer] });
  let isOver = false;
  function end(ending: Ending): void {
    if (isOver) return;
    isOver = true;
    events.ended(ending);
  }
  worker.on("message", (value) => events.said(value));
  worker.on("error", (error) => end({ kind: "threw", error }));
  worker.on("exit", (code) => end({ kind: "exited", code }));
  worker.unref();
  return { terminate: () => void worker.terminate() };
}

/** What a thread has of the one that started it. */
export interface ThreadScope {
  /** Says something, by a clone. */
  say(value: unknown): void;
  /** Ends the thread, once it is back in the host's loop, and listeners to the process's `exit` there were called. */
  close(): void;
}

/** A thread's own: calls `main` with what it was given. */
export function enterThread(main: (init: unknown, scope: ThreadScope) => void): void {
  if (hostName === "deno" && hasWorkerScope) enterWeb(main);
  else enterNode(main);
}

function enterWeb(main: (init: unknown, scope: ThreadScope) => void): void {
  const web = globalThis as unknown as WebScope;
  function tell(error: unknown): void {
    try {
      web.postMessage({ [LAST_WORDS]: true, error });
    } catch {
      web.postMessage({ [LAST_WORDS]: true, error: new Error(String(error)) });
    }
  }
  web.addEventListener("error", ({ error }) => tell(error));
  web.addEventListener("unhandledrejection", ({ reason }) => tell(reason));
  web.onmessage = ({ data }) => {
    web.onmessage = null;
    main(data, {
      say: (value) => web.postMessage(value),
      close() {
        // As Node's threads do before their ends, and Deno's do not: what they have open is closed by that.
        process.emit("exit", 0);
        web.close();
      },
    });
  };
}

function enterNode(main: (init: unknown, scope: ThreadScope) => void): void {
  const { parentPort, workerData } = process.getBuiltinModule("node:worker_threads");
  main(workerData, { say: (value) => parentPort?.postMessage(value), close: () => process.exit(0) });
}

/** Two ports, for `startThread` to hand one of over. */
export function messageChannel(): { readonly port1: MessagePort; readonly port2: MessagePort } {
  const MessageChannel = Reflect.get(globalThis, "MessageChannel") as new () => {
    port1: MessagePort;
    port2: MessagePort;
  };
  return new MessageChannel();
}
