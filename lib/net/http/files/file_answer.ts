import { checkPreconditions, isRangeCurrent } from "./conditional.ts";
import { type Piece, streamOf } from "./file_stream.ts";
import type { OpenFile } from "./open_files.ts";
import { type ByteRange, contentRange, MultipartFrame, parseRange } from "./ranges.ts";
import { FileResponse } from "../response/special_response.ts";

/** Gives a file back whose response nobody has sent or read. */
const unsent = new FinalizationRegistry<Use>((use) => use.end());

/** One response's use of a file, which ends once. */
class Use {
  readonly #file: OpenFile;
  #isOver = false;

  private constructor(file: OpenFile) {
    this.#file = file;
    file.retain();
  }

  /** Begins one: what ends it, at the latest when nobody has that any more. */
  static begin(file: OpenFile): () => void {
    const use = new Use(file);
    const end = (): void => use.end();
    unsent.register(end, use);
    return end;
  }

  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#file.release();
  }
}

/** An answer of its status alone, and a line that says it, with the fields that are `always` there, and its own. */
export function plain(
  status: number,
  text: string,
  always: Headers,
  own: Record<string, string> = {},
): Response {
  const headers = new Headers(always);
  for (const [name, value] of Object.entries(own)) headers.set(name, value);
  headers.set("content-type", "text/plain;charset=UTF-8");
  return new Response(`${text}\n`, { status, headers });
}

/**
 * `file` as the request wants it: all, parts or nothing of it, by `headers` and its own; what has nothing of it is by those
 * that are `always` there.
 */
export function answerWithFile(
  request: Request,
  file: OpenFile,
  headers: Headers,
  always: Headers,
): Response {
  headers.set("etag", file.etag);
  headers.set("last-modified", file.lastModified);
  headers.set("accept-ranges", "bytes");
  switch (checkPreconditions(request.headers, file)) {
    case "failed":
      return plain(412, "Precondition Failed", always);
    case "not modified":
      headers.delete("content-type");
      return new Response(null, { status: 304, headers });
  }
  const { size } = file;
  const field = request.method === "GET" ? request.headers.get("range") : null;
  const ranges = field !== null && isRangeCurrent(request.headers, file)
    ? parseRange(field, size)
    : undefined;
  if (ranges === undefined) return sendPart(file, { start: 0, end: size }, 200, headers);
  if (ranges.length === 0) {
    return plain(416, "Range Not Satisfiable", always, { "content-range": `bytes */${size}` });
  }
  if (ranges.length > 1) return sendParts(file, ranges, headers);
  headers.set("content-range", contentRange(ranges[0], size));
  return sendPart(file, ranges[0], 206, headers);
}

function sendPart(file: OpenFile, range: ByteRange, status: number, headers: Headers): Response {
  const { start, end } = range;
  const part = { fd: file.fd, offset: start, length: end - start, released: Use.begin(file) };
  return new FileResponse(part, { status, headers });
}

/** Several ranges in one body, read and sent piece by piece as the client takes them. */
function sendParts(file: OpenFile, ranges: readonly ByteRange[], headers: Headers): Response {
  const frame = new MultipartFrame(headers.get("content-type") ?? "", file.size);
  headers.set("content-type", frame.contentType);
  const utf8 = new TextEncoder();
  const pieces: Piece[] = ranges.flatMap((range) => [utf8.encode(frame.before(range)), range]);
  pieces.push(utf8.encode(frame.end));
  const length = pieces.reduce(
    (sum, piece) => sum + ("start" in piece ? piece.end - piece.start : piece.length),
    0,
  );
  headers.set("content-length", String(length));
  return new Response(streamOf(file.fd, pieces, Use.begin(file)), { status: 206, headers });
}
