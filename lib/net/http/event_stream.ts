import { requireNames, shown } from "../../io/arguments.ts";

/** What an `EventSource` is sent. */
export interface ServerSentEvent {
  /** The text, of as many lines as it has. An event without any is not dispatched. */
  data?: string;
  /** What listeners ask for: `message` where nothing is said. */
  event?: string;
  /** What the client names in `Last-Event-ID` when it comes back. */
  id?: string;
  /** After how many milliseconds the client is to come back. */
  retry?: number;
  /** Lines that the client reads over. */
  comment?: string;
}

/** How events are sent. */
export interface EventStreamOptions {
  /** More header fields. */
  headers?: Readonly<Record<string, string>>;
  /**
   * After how many milliseconds without an event a comment is sent, which keeps proxies from closing the connection
   * and finds out that the client has gone: 15,000 where nothing is said; 0 for never.
   */
  heartbeatMs?: number;
  /** Ends the events: a request's `signal` says that its client has gone. */
  signal?: AbortSignal;
}

const NAMES: readonly string[] = ["headers", "heartbeatMs", "signal"] satisfies (keyof EventStreamOptions)[];
const FIELDS: readonly string[] = [
  "data",
  "event",
  "id",
  "retry",
  "comment",
] satisfies (keyof ServerSentEvent)[];
const LINE_END = /\r\n|\r|\n/;
const LONGEST_HEARTBEAT_MS = 2 ** 31 - 1;

/**
 * An event as it is sent: a field for each line, a blank line at its end. Throws a `TypeError` for what a client would
 * read otherwise: a line end in `event` or `id`, a NUL in `id`, a `retry` that is no whole number.
 */
export function formatEvent(event: ServerSentEvent): string {
  const what = "cannot send an event";
  requireNames(what, "it is", event, FIELDS);
  const { data, event: name, id, retry, comment } = event;
  let text = comment === undefined ? "" : linesOf(what, "comment", "", comment);
  if (name !== undefined) text += `event: ${lineOf(what, "event", name)}\n`;
  if (data !== undefined) text += linesOf(what, "data", "data", data);
  if (id !== undefined) {
    if (lineOf(what, "id", id).includes("\0")) throw new TypeError(`${what}: id ${shown(id)} holds a NUL`);
    text += `id: ${id}\n`;
  }
  if (retry !== undefined) {
    if (!Number.isSafeInteger(retry) || retry < 0) {
      throw new TypeError(`${what}: retry is ${shown(retry)}, and no whole number of milliseconds`);
    }
    text += `retry: ${retry}\n`;
  }
  return `${text}\n`;
}

function lineOf(what: string, name: string, value: string): string {
  if (typeof value !== "string") throw new TypeError(`${what}: ${name} is ${shown(value)}, and no string`);
  if (LINE_END.test(value)) throw new TypeError(`${what}: ${name} ${shown(value)} is more than one line`);
  return value;
}

function linesOf(what: string, name: string, field: string, value: string): string {
  if (typeof value !== "string") throw new TypeError(`${what}: ${name} is ${shown(value)}, and no string`);
  return value.split(LINE_END).map((line) => `${field}: ${line}\n`).join("");
}

/** What an event's source gives by and by. */
type Next = IteratorResult<ServerSentEvent, unknown>;

/** The events of one client, of which the next is asked for when it has taken the one before. */
class EventSender {
  readonly #events: Iterator<ServerSentEvent> | AsyncIterator<ServerSentEvent>;
  readonly #heartbeatMs: number;
  readonly #signal: AbortSignal | undefined;
  readonly #utf8 = new TextEncoder();
  /** The event that was asked for and has not come: a heartbeat goes first. */
  #next: Promise<Next> | null = null;
  #isOver = false;
  #stop: (() => void) | null = null;

  constructor(
    events: Iterator<ServerSentEvent> | AsyncIterator<ServerSentEvent>,
    heartbeatMs: number,
    signal: AbortSignal | undefined,
  ) {
    this.#events = events;
    this.#heartbeatMs = heartbeatMs;
    this.#signal = signal;
  }

  start(controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>): void {
    const signal = this.#signal;
    if (signal === undefined) return;
    const stop = (): void => {
      if (this.#isOver) return;
      controller.close();
      this.cancel();
    };
    this.#stop = stop;
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  }

  async pull(controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>): Promise<void> {
    try {
      const next = await this.#nextOrHeartbeat();
      if (this.#isOver) return;
      if (next === null) {
        controller.enqueue(this.#utf8.encode(":\n\n"));
      } else if (next.done) {
        this.#end();
        controller.close();
      } else {
        controller.enqueue(this.#utf8.encode(formatEvent(next.value)));
      }
    } catch (error) {
      if (this.#isOver) return;
      this.cancel();
      controller.error(error);
    }
  }

  /** Nobody listens any more: the source is told. What it throws at that has nobody left to hear it. */
  cancel(): void {
    if (this.#isOver) return;
    this.#end();
    new Promise((resolve) => resolve(this.#events.return?.())).catch(() => undefined);
  }

  #end(): void {
    this.#isOver = true;
    if (this.#stop !== null) this.#signal?.removeEventListener("abort", this.#stop);
  }

  async #nextOrHeartbeat(): Promise<Next | null> {
    const asked = this.#next ??= Promise.resolve(this.#events.next());
    let timer: ReturnType<typeof setTimeout> | undefined;
    try {
      const beat = this.#heartbeatMs === 0 ? [] : [
        new Promise<null>((resolve) => timer = setTimeout(resolve, this.#heartbeatMs, null)),
      ];
      const next = await Promise.race([asked, ...beat]);
      if (next !== null) this.#next = null;
      return next;
    } finally {
      clearTimeout(timer);
    }
  }
}

/**
 * A `Response` of server-sent events, from a `Stream`, an async iterable or an array of them. The next event is asked
 * for when the client has taken the one before; where the client has gone, the source's `return` is called. What the
 * source throws breaks the response off, and an `EventSource` comes back with `Last-Event-ID`.
 *
 * @example
 * ```ts
 * import { run } from "@oxbow/oxbow/task";
 * import { eventStream, serve } from "@oxbow/oxbow/http";
 *
 * async function* count(from: number) {
 *   for (let id = from; id < from + 3; id++) yield { id: String(id), data: `tick\n${id}` };
 * }
 *
 * await run(async () => {
 *   await using server = serve((request) => {
 *     const last = request.headers.get("last-event-id");
 *     return eventStream(count(last === null ? 0 : Number(last) + 1), { signal: request.signal });
 *   }, { port: 0 });
 *   const response = await fetch(`http://127.0.0.1:${server.address.port}/`, { headers: { "last-event-id": "6" } });
 *   console.log((await response.text()).split("\n")[1]); // data: 7
 * });
 * ```
 *
 * Follows the HTML standard, section 9.2.
 */
export function eventStream(
  events: AsyncIterable<ServerSentEvent> | Iterable<ServerSentEvent>,
  options: EventStreamOptions = {},
): Response {
  const what = "cannot make a stream of events";
  requireNames(what, "options are", options, NAMES);
  const { headers = {}, heartbeatMs = 15_000, signal } = options;
  if (!(heartbeatMs >= 0 && heartbeatMs <= LONGEST_HEARTBEAT_MS)) {
    throw new RangeError(`${what}: heartbeatMs is ${shown(heartbeatMs)}, and no number of milliseconds`);
  }
  if (typeof events !== "object" || events === null) {
    throw new TypeError(`${what}: events are ${shown(events)}, and cannot be iterated`);
  }
  const iterator = Symbol.asyncIterator in events
    ? events[Symbol.asyncIterator]()
    : events[Symbol.iterator]();
  const all = new Headers(headers);
  all.set("content-type", "text/event-stream");
  if (!all.has("cache-control")) all.set("cache-control", "no-cache");
  const sender = new EventSender(iterator, heartbeatMs, signal);
  return new Response(
    new ReadableStream<Uint8Array<ArrayBuffer>>({
      start: (controller) => sender.start(controller),
      pull: (controller) => sender.pull(controller),
      cancel: () => sender.cancel(),
    }, { highWaterMark: 0 }),
    { headers: all },
  );
}
