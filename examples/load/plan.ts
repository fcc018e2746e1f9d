import type { NetAddress } from "../../lib/io/mod.ts";
import type { Answers } from "./answers.ts";

/** What is to be done to a server. */
export interface Plan {
  readonly address: NetAddress;
  /** The bytes of one request. */
  readonly request: Uint8Array;
  /** What a new connection is answered. */
  readonly answers: () => Answers;
  readonly connections: number;
  /** Connections beside them that only wait. */
  readonly idle: number;
  /** Requests that a connection may have sent before the first of them is answered. */
  readonly pipeline: number;
  /**
   * Requests a second, each at its time whether or not the ones before are answered; `undefined` is as many as there
   * are answers.
   */
  readonly rate?: number;
  readonly warmUpMs: number;
  readonly durationMs: number;
  /** How long an answer, or a connection, may take. */
  readonly timeoutMs: number;
  /** The process whose CPU and memory are looked at. */
  readonly pid?: number;
}
