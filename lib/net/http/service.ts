import type { TcpStream } from "../tcp_stream.ts";
import type { Buffers } from "./buffers.ts";
import type { Deadlines } from "./deadlines.ts";
import type { ResponseWriter } from "./response/response_writer.ts";

/** What the connections of one server share. */
export interface Service {
  readonly buffers: Buffers;
  readonly deadlines: Deadlines;
  /** For answers that are there as a whole. */
  readonly writer: ResponseWriter;
  /** Whether connections end with the response that they are at. */
  readonly isClosing: boolean;
  /** A connection has failed while it was answered. */
  failed(error: unknown): void;
  /** A connection has closed. */
  closed(): void;
  /** The connection speaks another protocol from now on: the service has done with it. Aborted when that closes. */
  upgraded(stream: TcpStream): AbortSignal;
}
