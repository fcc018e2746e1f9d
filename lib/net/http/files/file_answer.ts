import { checkPreconditions, isRangeCurrent } from "./conditional.ts";
import { type Piece, streamOf } from "./file_stream.ts";
import type { OpenFile } from "./open_files.ts";
import { type ByteRange, contentRange, MultipartFrame, parseRange } from "./ranges.ts";
import { LazyRequest } from "../request.ts";
import { FileResponse } from "../response/special_response.ts";
import { type CheckedFields, StaticResponse } from "../response/static_response.ts";

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

/** An answer that is there as a whole, of the kind that whose server asked sends best: Bun's takes its own alone. */
export function whole(
  request: Request,
  body: string | Uint8Array<ArrayBuffer> | null,
  init: { readonly status?: number; readonly headers: Readonly<Record<string, string>> },
): Response {
  return request instanceof LazyRequest ? new StaticResponse(body, init) : new Response(body, init);
}

/** An answer of its status alone, and a line that says it, with the fields that are `always` there, and its own. */
export function plain(
  request: Request,
  status: number,
  text: string,
  always: Readonly<Record<string, string>>,
  own: Readonly<Record<string, string>> = {},
): Response {
  const headers = { ...always, ...own, "content-type": "text/plain;charset=UTF-8" };
  return whole(request, `${text}\n`, { status, headers });
}

/**
 * `file` as the request wants it: all, parts or nothing of it, by `checked`, which say all of it; what has nothing of it
 * is by those that are `always` there.
 */
export function answerWithFile(
  request: Request,
  file: OpenFile,
  checked: CheckedFields,
  always: Readonly<Record<string, string>>,
): Response {
  const headers = checked.headers;
  const fields = LazyRequest.fields(request);
  switch (checkPreconditions(fields, file)) {
    case "failed":
      return plain(request, 412, "Precondition Failed", always);
    case "not modified": {
      const others = { ...headers };
      delete others["content-type"];
      return whole(request, null, { status: 304, headers: others });
    }
  }
  const { size } = file;
  const field = request.method === "GET" ? fields.get("range") : null;
  const ranges = field !== null && isRangeCurrent(fields, file) ? parseRange(field, size) : undefined;
  if (ranges === undefined) return sendAll(request, file, checked);
  if (ranges.length === 0) {
    return plain(request, 416, "Range Not Satisfiable", always, { "content-range": `bytes */${size}` });
  }
  if (ranges.length > 1) return sendParts(file, ranges, headers);
  const [range] = ranges;
  return sendPart(file, range, 206, { ...headers, "content-range": contentRange(range, size) });
}

function sendAll(request: Request, file: OpenFile, checked: CheckedFields): Response {
  const bytes = file.bytes();
  return bytes === null
    ? sendPart(file, { start: 0, end: file.size }, 200, checked.headers)
    : whole(request, bytes, checked);
}

function sendPart(
  file: OpenFile,
  { start, end }: ByteRange,
  status: number,
  headers: Readonly<Record<string, string>>,
): Response {
  const part = { fd: file.fd, offset: start, length: end - start, released: Use.begin(file) };
  return new FileResponse(part, { status, headers });
}

/** Several ranges in one body, read and sent piece by piece as the client takes them. */
function sendParts(
  file: OpenFile,
  ranges: readonly ByteRange[],
  headers: Readonly<Record<string, string>>,
): Response {
  const frame = new MultipartFrame(headers["content-type"], file.size);
  const utf8 = new TextEncoder();
  const pieces: Piece[] = ranges.flatMap((range) => [utf8.encode(frame.before(range)), range]);
  pieces.push(utf8.encode(frame.end));
  const length = pieces.reduce(
    (sum, piece) => sum + ("start" in piece ? piece.end - piece.start : piece.length),
    0,
  );
  const own = { "content-type": frame.contentType, "content-length": String(length) };
  return new Response(streamOf(file.fd, pieces, Use.begin(file)), {
    status: 206,
    headers: { ...headers, ...own },
  });
}
