import { NativeBuffer } from "../../../ffi/native_buffer.ts";
import { type HttpLimits, resolveLimits } from "./limits.ts";
import { Output } from "./response/output.ts";
import { RequestParser } from "./parse/parser.ts";

/** What is sent by one call: more than most answers, so that many leave together. */
export const BUFFER_BYTES = 65536;
/**
 * What is received by one call. Half of it may wait in memory of its connection's own while as much is on its way to the
 * handler: a body takes no more than 64 KiB, however long it is.
 */
export const RECEIVED_BYTES = 32768;
const SPARE_PARSERS = 256;

/**
 * What a server's connections share, since none holds it across a wait: what was received is parsed, or kept by its
 * parser, and what could not be sent is copied, before another has its turn. An idle connection has no parser either.
 */
export class Buffers {
  readonly received: NativeBuffer = new NativeBuffer(RECEIVED_BYTES);
  readonly sending: NativeBuffer = new NativeBuffer(BUFFER_BYTES);
  readonly output: Output = new Output(this.sending.bytes);
  readonly #limits: Required<HttpLimits>;
  readonly #parsers: RequestParser[] = [];

  constructor(limits: HttpLimits | undefined) {
    this.#limits = resolveLimits(limits);
  }

  takeParser(): RequestParser {
    return this.#parsers.pop() ?? new RequestParser(this.#limits);
  }

  /** Takes it back from a connection that is between two requests. */
  giveParser(parser: RequestParser): void {
    if (this.#parsers.length >= SPARE_PARSERS) return;
    parser.release();
    this.#parsers.push(parser);
  }
}
