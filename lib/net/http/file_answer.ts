import { readFrom } from "../../../ffi/file_calls.ts";
import { errno, SystemError } from "../../../ffi/mod.ts";
import { checkPreconditions, isRangeCurrent } from "./conditional.ts";
import type { OpenFile } from "./open_files.ts";
import { type ByteRange, contentRange, MultipartFrame, parseRange } from "./ranges.ts";
import { FileResponse } from "./special_response.ts";
import { StaticResponse } from "./static_response.ts";

/** What a body is made of. */
type Piece = Uint8Array<ArrayBuffer> | ByteRange;

/** What is read at once where the kernel cannot send it by itself. */
const PIECE_BYTES = 65536;
const EINTR = 4;

/** Gives a file back whose response nobody has sent, by what reads it. */
const unsent = new FinalizationRegistry<Use>((use) => use.end());

/** One response's use of a file, which ends once. */
class Use {
  readonly file: OpenFile;
  #isOver = false;

  constructor(file: OpenFile) {
    this.file = file;
    file.retain();
  }

  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.file.release();
  }
}

/** An answer of its status alone, and a line that says it. */
export function plain(status: number, text: string, headers: Record<string, string> = {}): Response {
  return new StaticResponse(`${text}\n`, { status, headers });
}

/** `file` as the request wants it: all, parts or nothing of it, by `headers` and its own. */
export function answerWithFile(request: Request, file: OpenFile, headers: Headers): Response {
  headers.set("etag", file.etag);
  headers.set("last-modified", file.lastModified);
  headers.set("accept-ranges", "bytes");
  switch (checkPreconditions(request.headers, file)) {
    case "failed":
      return plain(412, "Precondition Failed");
    case "not modified":
      headers.delete("content-type");
      return new StaticResponse(null, { status: 304, headers });
  }
  const { size } = file;
  const field = request.method === "GET" ? request.headers.get("range") : null;
  const ranges = field !== null && isRangeCurrent(request.headers, file)
    ? parseRange(field, size)
    : undefined;
  if (ranges === undefined) return sendPart(file, { start: 0, end: size }, 200, headers);
  if (ranges.length === 0) {
    return plain(416, "Range Not Satisfiable", { "content-range": `bytes */${size}` });
  }
  if (ranges.length > 1) return sendParts(file, ranges, headers);
  headers.set("content-range", contentRange(ranges[0], size));
  return sendPart(file, ranges[0], 206, headers);
}

function sendPart(file: OpenFile, range: ByteRange, status: number, headers: Headers): Response {
  headers.set("content-length", String(range.end - range.start));
  return new OpenFileResponse(file, range, { status, headers });
}

/**
 * The kernel's to send, as long as it reaches the server as it is. Middleware makes another `Response` of its body: for
 * all but the server it has one like any other, which is read piece by piece.
 */
class OpenFileResponse extends FileResponse {
  readonly #file: OpenFile;
  readonly #range: ByteRange;
  #real: Response | undefined;

  constructor(file: OpenFile, range: ByteRange, init: ResponseInit) {
    const use = new Use(file);
    const { start, end } = range;
    const part = { fd: file.fd, offset: start, length: end - start, released: () => use.end() };
    unsent.register(part, use);
    super(part, init);
    this.#file = file;
    this.#range = range;
  }

  static {
    for (
      const name of ["body", "bodyUsed", "arrayBuffer", "blob", "bytes", "clone", "formData", "json", "text"]
    ) {
      Object.defineProperty(this.prototype, name, {
        get(this: OpenFileResponse): unknown {
          const real = this.#real ??= this.#makeReal();
          const value: unknown = Reflect.get(real, name);
          return typeof value === "function" ? value.bind(real) : value;
        },
      });
    }
  }

  #makeReal(): Response {
    const { status, statusText, headers } = this;
    return new Response(streamOf(this.#file, [this.#range]), { status, statusText, headers });
  }
}

/** Several ranges in one body, read and sent piece by piece as the client takes them. */
function sendParts(file: OpenFile, ranges: readonly ByteRange[], headers: Headers): Response {
  const frame = new MultipartFrame(headers.get("content-type") ?? "", file.size);
  headers.set("content-type", frame.contentType);
  const utf8 = new TextEncoder();
  const pieces = ranges.flatMap((range) => [utf8.encode(frame.before(range)), range]);
  pieces.push(utf8.encode(frame.end));
  const length = pieces.reduce(
    (sum, piece) => sum + ("start" in piece ? piece.end - piece.start : piece.length),
    0,
  );
  headers.set("content-length", String(length));
  return new Response(streamOf(file, pieces), { status: 206, headers });
}

/** Bytes and parts of a file one after another, each asked for when the one before was taken. */
function streamOf(file: OpenFile, pieces: readonly Piece[]): ReadableStream<Uint8Array<ArrayBuffer>> {
  const use = new Use(file);
  const parts = piecesOf(file, pieces);
  const source = {
    pull(controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>): void {
      try {
        const { done, value } = parts.next();
        if (!done) return controller.enqueue(value);
        controller.close();
      } catch (error) {
        controller.error(error);
      }
      use.end();
    },
    cancel: () => use.end(),
  };
  unsent.register(source, use);
  return new ReadableStream(source, { highWaterMark: 0 });
}

function* piecesOf(
  file: OpenFile,
  pieces: readonly Piece[],
): Generator<Uint8Array<ArrayBuffer>, undefined> {
  for (const piece of pieces) {
    if (piece instanceof Uint8Array) {
      yield piece;
      continue;
    }
    for (let at = piece.start; at < piece.end;) {
      const bytes = readPart(file, at, Math.min(PIECE_BYTES, piece.end - at));
      at += bytes.length;
      yield bytes;
    }
  }
}

function readPart(file: OpenFile, offset: number, length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (;;) {
    const count = readFrom(file.fd.number, bytes, offset);
    if (count > 0) return bytes.subarray(0, count);
    if (count === 0) throw new Error(`a response's file ended at ${offset}, before its length`);
    const failure = errno();
    if (failure !== EINTR) throw new SystemError(failure, "pread");
  }
}
