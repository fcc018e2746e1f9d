import type { TcpStream } from "../tcp_stream.ts";
import type { Buffers } from "./buffers.ts";
import type { Deadlines } from "./deadlines.ts";
import type { ResponseWriter } from "./response/response_writer.ts";
import type { Tally } from "./tally.ts";

/** What the connections of one server share. */
export interface Service {
  readonly buffers: Buffers;
  readonly deadlines: Deadlines;
  /** For answers that are there as a whole. */
  readonly writer: ResponseWriter;
  readonly tally: Tally;
  /** Whether connections end that are between two requests. */
  readonly isClosing: boolean;
  /** Whether they end with the response that they are at, or else with their next. */
  readonly isLast: boolean;
  /** A connection has failed while it was answered. */
  failed(error: unknown): void;
  /** A connection has closed. */
  closed(): void;
  /** The connection speaks another protocol from now on: the service has done with it. Aborted when that closes. */
  upgraded(stream: TcpStream): AbortSignal;
}
