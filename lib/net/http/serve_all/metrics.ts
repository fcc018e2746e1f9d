import { ACCEPTED, ERRORS, RECEIVED, REQUESTS, SENT, type Tally } from "../tally.ts";

/** What a server has done since it began. */
export interface ServerMetrics {
  /** Requests whose head was read. */
  readonly requests: number;
  /** Connections that are open, or on their way to it. */
  readonly open: number;
  /** Connections that were taken. */
  readonly accepted: number;
  /** Bytes that clients have sent. */
  readonly received: number;
  /** Bytes that were sent to them. */
  readonly sent: number;
  /** Errors that `onError` was told of. */
  readonly errors: number;
}

/** What all servers have done, those that were replaced among them. */
export interface HttpServersMetrics extends ServerMetrics {
  /** How often one has crashed. */
  readonly crashes: number;
  /** Those that serve now, since each began. */
  readonly workers: readonly ServerMetrics[];
}

export const NOTHING: ServerMetrics = {
  requests: 0,
  open: 0,
  accepted: 0,
  received: 0,
  sent: 0,
  errors: 0,
};

export function metricsOf(tally: Tally, open: number): ServerMetrics {
  return {
    requests: tally[REQUESTS],
    open,
    accepted: tally[ACCEPTED],
    received: tally[RECEIVED],
    sent: tally[SENT],
    errors: tally[ERRORS],
  };
}

export function sum(a: ServerMetrics, b: ServerMetrics): ServerMetrics {
  return {
    requests: a.requests + b.requests,
    open: a.open + b.open,
    accepted: a.accepted + b.accepted,
    received: a.received + b.received,
    sent: a.sent + b.sent,
    errors: a.errors + b.errors,
  };
}
