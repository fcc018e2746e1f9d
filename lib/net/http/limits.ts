import { requireNames } from "../../io/arguments.ts";

/** How much of a request is taken; what is longer is refused with the status named. */
export interface HttpLimits {
  /** Bytes of the request line without its line end (414). Default 8,192. */
  requestLine?: number;
  /** Bytes of all header fields with their line ends, and of a chunked body's trailers (431). Default 16,384. */
  headers?: number;
  /** Header fields, and trailers (431). Default 100. */
  headerCount?: number;
  /** Bytes of the body once the chunks are taken apart (413). Default 128 MiB. */
  body?: number;
}

const NAMES: readonly string[] = [
  "requestLine",
  "headers",
  "headerCount",
  "body",
] satisfies (keyof HttpLimits)[];

function bound(limits: HttpLimits, name: keyof HttpLimits, standard: number): number {
  const value = limits[name] ?? standard;
  if (!(value >= 0)) throw new RangeError(`limits.${name} must be a number of at least 0, got ${value}`);
  return value;
}

/** {@linkcode HttpLimits} with the defaults filled in. Throws for what is none, by its name. */
export function resolveLimits(limits: HttpLimits = {}): Required<HttpLimits> {
  requireNames("cannot serve", "limits are", limits, NAMES);
  return {
    requestLine: bound(limits, "requestLine", 8192),
    headers: bound(limits, "headers", 16384),
    headerCount: bound(limits, "headerCount", 100),
    body: bound(limits, "body", 128 * 1024 * 1024),
  };
}
