import { requireNames } from "../../io/arguments.ts";

/** How long a client may take, and a handler, in milliseconds. */
export interface HttpTimeouts {
  /** Between two requests: 60,000 where nothing is said. */
  idle?: number;
  /** From a request's first byte to the end of its head: 10,000. */
  head?: number;
  /** Without a byte of a body: 30,000. */
  body?: number;
  /**
   * Until the handler has answered, from the request's head or the last that it was given of the body: then the
   * request's signal is aborted, `onError` is told, and the client is answered 503. No limit where nothing is said. A
   * response's stream has none.
   */
  handler?: number;
  /** Without room for 64 KiB more of a response: 30,000. */
  write?: number;
}

const NAMES: readonly string[] = [
  "idle",
  "head",
  "body",
  "handler",
  "write",
] satisfies (keyof HttpTimeouts)[];

/** A positive number of milliseconds or of things. Throws a `RangeError` that names it. */
export function positive(name: string, value: number): number {
  if (value > 0) return value;
  throw new RangeError(`cannot serve: ${name} is ${value}, not a number above 0`);
}

/** {@linkcode HttpTimeouts} with the defaults filled in. Throws for what is none, by its name. */
export function resolveTimeouts(timeouts: HttpTimeouts = {}): Required<HttpTimeouts> {
  requireNames("cannot serve", "timeouts are", timeouts, NAMES);
  return {
    idle: positive("timeouts.idle", timeouts.idle ?? 60_000),
    head: positive("timeouts.head", timeouts.head ?? 10_000),
    body: positive("timeouts.body", timeouts.body ?? 30_000),
    handler: positive("timeouts.handler", timeouts.handler ?? Infinity),
    write: positive("timeouts.write", timeouts.write ?? 30_000),
  };
}
