import { resolve } from "node:path";
import { requireNames, shown } from "../../io/arguments.ts";
import { toPath } from "../../io/fd.ts";
import { acceptedPackings, PACKINGS } from "./files/accept_encoding.ts";
import { answerWithFile, plain, whole } from "./files/file_answer.ts";
import { mediaType } from "./files/media_types.ts";
import { type Found, OpenFile, OpenFiles } from "./files/open_files.ts";
import { LazyRequest } from "./request.ts";
import { CheckedFields } from "./response/static_response.ts";

/** How files are served. */
export interface ServeFilesOptions {
  /** What comes before the file's path in a URL, such as `/static`: nothing where nothing is said. */
  prefix?: string;
  /** The file that answers for its folder: `index.html` where nothing is said; `false` for none. */
  index?: string | false;
  /** Whether `a.js.br` or `a.js.gz` is sent for `a.js`, where it lies there and the client takes it: `false`. */
  precompressed?: boolean;
  /** Whether what begins with a dot is served; `.well-known` always is. `false` where nothing is said. */
  hidden?: boolean;
  /** Media types by extension, before those that are known. */
  types?: Readonly<Record<string, string>>;
  /** Header fields of each answer that has a file, such as `cache-control`. */
  headers?: Readonly<Record<string, string>>;
  /**
   * Header fields of every answer, also of those that have none (403, 404, 405, 412, 416) or send the client on (301),
   * such as `access-control-allow-origin`. What `headers` says besides counts where there is a file.
   */
  always?: Readonly<Record<string, string>>;
  /** Files and other answers that are kept at most: 256 where nothing is said. */
  maxOpen?: number;
  /** For how long a path is not looked up again, in milliseconds: 1,000 where nothing is said. */
  validMs?: number;
}

/** Answers requests with files. To be closed where it is not used to the program's end. */
export interface FileHandler extends Disposable {
  (request: Request): Response;
  /** Closes the files that are kept open; those that are being sent are sent to their end. */
  close(): void;
}

const NAMES: readonly string[] = [
  "prefix",
  "index",
  "precompressed",
  "hidden",
  "types",
  "headers",
  "always",
  "maxOpen",
  "validMs",
] satisfies (keyof ServeFilesOptions)[];

class Files {
  readonly #files: OpenFiles;
  readonly #prefix: string;
  readonly #index: string | false;
  readonly #precompressed: boolean;
  readonly #hidden: boolean;
  readonly #types: Readonly<Record<string, string>>;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #always: Readonly<Record<string, string>>;

  constructor(root: string | URL, options: ServeFilesOptions) {
    const what = "cannot serve files";
    requireNames(what, "options are", options, NAMES);
    const { prefix = "", index = "index.html", precompressed = false, hidden = false } = options;
    const { types = {}, headers = {}, always = {}, maxOpen = 256, validMs = 1000 } = options;
    if (typeof prefix !== "string" || !/^(?:\/[^?#]*[^/?#])?$/.test(prefix)) {
      throw new TypeError(`${what}: prefix is ${shown(prefix)}, and not as /static`);
    }
    if (index !== false && (typeof index !== "string" || index === "" || index.includes("/"))) {
      throw new TypeError(`${what}: index is ${shown(index)}, and no file's name and not false`);
    }
    if (!(Number.isSafeInteger(maxOpen) && maxOpen > 0)) {
      throw new RangeError(`${what}: maxOpen is ${shown(maxOpen)}, and no number above 0`);
    }
    if (!(validMs >= 0)) {
      throw new RangeError(`${what}: validMs is ${shown(validMs)}, and no number of milliseconds`);
    }
    this.#prefix = prefix;
    this.#index = index;
    this.#precompressed = precompressed;
    this.#hidden = hidden;
    this.#types = types;
    this.#always = Object.fromEntries(new Headers({ ...always }));
    this.#headers = { ...this.#always, ...Object.fromEntries(new Headers({ ...headers })) };
    this.#files = new OpenFiles(resolve(toPath(root, "serve")), maxOpen, validMs);
  }

  close(): void {
    this.#files[Symbol.dispose]();
  }

  answer(request: Request): Response {
    try {
      return this.#answer(request);
    } finally {
      this.#files.trim();
    }
  }

  #answer(request: Request): Response {
    const { method } = request;
    if (method !== "GET" && method !== "HEAD") {
      return plain(request, 405, "Method Not Allowed", this.#always, { allow: "GET, HEAD" });
    }
    const { path, search } = partsOf(request.url);
    if (path !== this.#prefix && !path.startsWith(`${this.#prefix}/`)) return this.#missing(request);
    const relative = this.#decode(path.slice(this.#prefix.length + 1));
    if (relative === undefined) return this.#missing(request);
    if (path === this.#prefix) return redirect(request, path, search, this.#always);
    const isFolder = relative === "" || relative.endsWith("/");
    const wanted = isFolder ? relative.slice(0, -1) : relative;
    const found = this.#files.find(wanted === "" ? "." : wanted);
    if (found === "folder") {
      if (!isFolder) return redirect(request, path, search, this.#always);
      if (this.#index === false) return this.#missing(request);
      const name = relative + this.#index;
      return this.#answerWith(request, name, this.#files.find(name));
    }
    return this.#answerWith(request, wanted, isFolder ? "missing" : found);
  }

  /** The path that is meant, or `undefined` for one that no file has. */
  #decode(encoded: string): string | undefined {
    let path = encoded;
    if (encoded.includes("%")) {
      // A slash that was encoded is no separator, and in no file's name.
      if (/%2f|%00/i.test(encoded)) return undefined;
      try {
        path = decodeURIComponent(encoded);
      } catch {
        return undefined;
      }
    }
    const segments = path.split("/");
    for (let i = 0; i < segments.length; i++) {
      const segment = segments[i];
      if (segment === "." || segment === "..") return undefined;
      if (segment === "" && i < segments.length - 1) return undefined;
      if (segment.startsWith(".") && !this.#hidden && !(i === 0 && segment === ".well-known")) {
        return undefined;
      }
    }
    return path;
  }

  #answerWith(request: Request, path: string, found: Found): Response {
    if (found === "forbidden") return plain(request, 403, "Forbidden", this.#always);
    if (!(found instanceof OpenFile)) return this.#missing(request);
    if (!this.#precompressed) {
      const headers = found.headers ??= this.#headersOf(found, path, {});
      return answerWithFile(request, found, headers, this.#always);
    }
    const { file, headers } = this.#packed(request, path, found);
    return answerWithFile(request, file, this.#headersOf(file, path, headers), this.#always);
  }

  #missing(request: Request): Response {
    return plain(request, 404, "Not Found", this.#always);
  }

  /** What is said of `file`, which is what `path` means: with `more` beside it. */
  #headersOf(file: OpenFile, path: string, more: Readonly<Record<string, string>>): CheckedFields {
    return new CheckedFields({
      ...this.#headers,
      "content-type": mediaType(path, this.#types),
      ...more,
      etag: file.etag,
      "last-modified": file.lastModified,
      "accept-ranges": "bytes",
    });
  }

  /** The packed file that the client likes best, if one is there. That it was asked for is said either way. */
  #packed(
    request: Request,
    path: string,
    file: OpenFile,
  ): { file: OpenFile; headers: Record<string, string> } {
    const there = new Map<string, OpenFile>();
    for (const { coding, extension } of PACKINGS) {
      const found = this.#files.find(path + extension);
      if (found instanceof OpenFile) there.set(coding, found);
    }
    if (there.size === 0) return { file, headers: {} };
    const { vary } = this.#headers;
    const headers = { vary: vary === undefined ? "accept-encoding" : `${vary}, accept-encoding` };
    for (const { coding } of acceptedPackings(LazyRequest.fields(request).get("accept-encoding"))) {
      const packed = there.get(coding);
      if (packed !== undefined) {
        return { file: packed, headers: { ...headers, "content-encoding": coding } };
      }
    }
    return { file, headers };
  }
}

/** The path and the query of a URL that is normalized, as a `Request`'s is. */
function partsOf(url: string): { path: string; search: string } {
  const start = url.indexOf("/", url.indexOf("//") + 2);
  const [rest] = url.slice(start).split("#", 1);
  const query = rest.indexOf("?");
  return query === -1
    ? { path: rest, search: "" }
    : { path: rest.slice(0, query), search: rest.slice(query) };
}

/** To the folder's own path. Two slashes at its start would name another host. */
function redirect(
  request: Request,
  path: string,
  search: string,
  always: Readonly<Record<string, string>>,
): Response {
  const location = `/${path.replace(/^\/+/, "")}/${search}`;
  return whole(request, null, { status: 301, headers: { ...always, location } });
}

/**
 * A handler that answers with the files below `root`: `GET` and `HEAD`, with ranges, preconditions, strong entity tags,
 * an index for a folder, and a redirect to the folder's own path. The kernel sends the bytes; those of a file of up to
 * 16 KiB are kept in memory while it does not change. No path and no link leads out of `root`, and what begins with a
 * dot is not there. A file that is cut or replaced while it is sent is sent as it was, or the connection is cut: a
 * length that was named is kept.
 *
 * Throws a `TypeError` or a `RangeError` for options that are none, a `SystemError` where `root` is no folder, and
 * Deno's `NotCapable` where it may not be read.
 *
 * @example
 * ```ts
 * import { mkdtempSync, writeFileSync } from "node:fs";
 * import { run } from "@oxbow/oxbow/task";
 * import { serve, serveFiles } from "@oxbow/oxbow/http";
 *
 * const root = mkdtempSync("/tmp/site-");
 * writeFileSync(`${root}/index.html`, "<h1>hello</h1>");
 *
 * await run(async () => {
 *   using files = serveFiles(root, { headers: { "cache-control": "max-age=60" } });
 *   await using server = serve(files, { port: 0 });
 *   const response = await fetch(`http://127.0.0.1:${server.address.port}/`, { headers: { range: "bytes=4-8" } });
 *   console.log(response.status, await response.text()); // 206 hello
 * });
 * ```
 *
 * Follows RFC 9110, sections 13 and 14.
 */
export function serveFiles(root: string | URL, options: ServeFilesOptions = {}): FileHandler {
  const files = new Files(root, options);
  const close = (): void => files.close();
  return Object.assign((request: Request): Response => files.answer(request), {
    close,
    [Symbol.dispose]: close,
  });
}
