import { plainText } from "./deno_response.ts";
import { type FilePart, FileResponse } from "./special_response.ts";
import { StaticResponse } from "./static_response.ts";

/** A body that is there as a whole. */
export type StaticBody = string | Uint8Array | null;

/** A body that the kernel sends. */
export class FileBody {
  readonly part: FilePart;
  #isReleased = false;

  constructor(part: FilePart) {
    this.part = part;
  }

  /** The descriptor is needed no more. Does nothing the second time. Whoever it was lent by cannot break the answer off. */
  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    try {
      this.part.released?.();
    } catch (error) {
      console.error(error);
    }
  }
}

/** Microtasks that a body which is there as a whole takes at most, on any host, to give itself up as a stream. */
const TICKS = 5;

/**
 * The body of a response, as a whole wherever it is there as a whole: so its length can be told, and it leaves
 * with the head. A stream that does not give all it has at once comes as a {@linkcode StreamBody}. The response
 * is used up. Rejects with what the stream throws, and with a `TypeError` where the body was used before.
 *
 * A `Response` says nothing of what it was made from. Deno keeps it where it can be looked at, for free; elsewhere
 * the first two reads tell, for about a microsecond.
 */
export function takeBody(response: Response): StaticBody | FileBody | Promise<StaticBody | StreamBody> {
  if (response instanceof StaticResponse) {
    const source = StaticResponse.source(response);
    return source instanceof Response ? takeBody(source) : source;
  }
  const text = plainText(response);
  if (text !== undefined) return text;
  if (response instanceof FileResponse) {
    const source = FileResponse.source(response);
    return source instanceof Response ? takeBody(source) : new FileBody(source);
  }
  const known = staticBodyOf(response);
  if (known !== undefined) return known;
  const { body } = response;
  if (body === null) return null;
  if (response.bodyUsed || body.locked) {
    throw new TypeError(
      "cannot send a response whose body was sent or read before: make a new one for each request, or a StaticResponse",
    );
  }
  return readBody(body.getReader());
}

interface Part {
  done: boolean;
  value?: unknown;
}

interface PartReader {
  read(): Promise<Part>;
  cancel(reason?: unknown): Promise<void>;
}

/** A body that comes in parts. */
export class StreamBody {
  readonly #reader: PartReader;
  readonly #reads: Promise<Part>[];

  /** `reads` were begun already. */
  constructor(
    reader: PartReader,
    reads: Promise<Part>[],
  ) {
    this.#reader = reader;
    this.#reads = reads;
  }

  /** The next part, or null at the end. Rejects with what the stream throws. */
  async next(): Promise<Uint8Array | null> {
    const { done, value } = await (this.#reads.shift() ?? this.#reader.read());
    return done ? null : checkPart(value);
  }

  /** Tells the stream that nobody reads on. What it throws at that has nobody left to hear it. */
  cancel(reason?: unknown): void {
    this.#reader.cancel(reason).catch(() => undefined);
  }
}

async function readBody(reader: PartReader): Promise<StaticBody | StreamBody> {
  const first = new EarlyRead(reader);
  for (let tick = 0; tick < TICKS && !first.isSettled; tick++) await null;
  if (!first.isSettled) return new StreamBody(reader, [first.promise]);
  const part = first.result ?? await first.promise;
  if (part.done) return new Uint8Array(0);
  const second = new EarlyRead(reader);
  for (let tick = 0; tick < TICKS && !second.isSettled; tick++) await null;
  return second.result?.done
    ? checkPart(part.value)
    : new StreamBody(reader, [first.promise, second.promise]);
}

/** A read that was begun, and what has come of it so far. */
class EarlyRead {
  readonly promise: Promise<Part>;
  isSettled = false;
  result: Part | undefined;

  constructor(reader: PartReader) {
    this.promise = reader.read();
    this.promise.then((result) => {
      this.isSettled = true;
      this.result = result;
    }, () => {
      this.isSettled = true;
    });
  }
}

function checkPart(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value;
  throw new TypeError(`a response's stream must give Uint8Arrays, but it gave a ${typeof value}`);
}

/** The getter by which Deno's own server reaches the body: `{ streamOrStatic: stream | { body, consumed } }`. */
const denoBody = Object.getOwnPropertySymbols(Response.prototype).find(({ description }) =>
  description === "body"
);

function staticBodyOf(response: Response): StaticBody | undefined {
  if (denoBody === undefined) return undefined;
  const inner: unknown = Reflect.get(response, denoBody);
  if (inner === null) return null;
  if (typeof inner !== "object" || !("streamOrStatic" in inner)) return undefined;
  const source = inner.streamOrStatic;
  if (typeof source !== "object" || source === null || !("consumed" in source) || !("body" in source)) {
    return undefined;
  }
  if (source.consumed !== false) return undefined;
  return typeof source.body === "string" || source.body instanceof Uint8Array ? source.body : undefined;
}
