import { includesETag, isStrong } from "./etag.ts";
import { parseHttpDate } from "./http_date.ts";

/** What tells one state of a resource from another. */
export interface Validators {
  /** With its quotes, and `W/` where it is weak. */
  readonly etag: string;
  /** Seconds since 1970. */
  readonly modified: number;
}

/** A request's header fields, each by its name in lower case. */
export type Fields = Pick<Headers, "get">;

/** What a request's preconditions come to: the method is done, or it is answered 304 or 412. */
export type Verdict = "proceed" | "not modified" | "failed";

/** Evaluates the preconditions of a `GET` or a `HEAD` in the order that RFC 9110 gives (section 13.2.2). */
export function checkPreconditions(headers: Fields, { etag, modified }: Validators): Verdict {
  const match = headers.get("if-match");
  if (match !== null) {
    if (!includesETag(match, etag, true)) return "failed";
  } else {
    const unmodifiedSince = dateOf(headers, "if-unmodified-since");
    if (unmodifiedSince !== undefined && modified > unmodifiedSince) return "failed";
  }
  const noneMatch = headers.get("if-none-match");
  if (noneMatch !== null) return includesETag(noneMatch, etag, false) ? "not modified" : "proceed";
  const modifiedSince = dateOf(headers, "if-modified-since");
  return modifiedSince !== undefined && modified <= modifiedSince ? "not modified" : "proceed";
}

/**
 * Whether a `Range` is to be heeded: there is no `If-Range`, or it names the state that is sent, by a strong tag or by
 * its very date (RFC 9110, section 13.1.5).
 */
export function isRangeCurrent(headers: Fields, { etag, modified }: Validators): boolean {
  const value = headers.get("if-range");
  if (value === null) return true;
  if (value.startsWith('"') || value.startsWith("W/")) return isStrong(etag) && value === etag;
  // What changed within this second may change again under the same date.
  return parseHttpDate(value) === modified && Date.now() / 1000 >= modified + 1;
}

function dateOf(headers: Fields, name: string): number | undefined {
  const value = headers.get(name);
  return value === null ? undefined : parseHttpDate(value);
}
