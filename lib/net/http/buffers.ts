import { NativeBuffer } from "../../../ffi/native_buffer.ts";
import { type HttpLimits, resolveLimits } from "./limits.ts";
import { Output } from "./response/output.ts";
import { RequestParser } from "./parse/parser.ts";

/** Both directions' buffers: larger than most requests and answers, which then take one call each. */
export const BUFFER_BYTES = 65536;
const SPARE_PARSERS = 256;

/**
 * What a server's connections share, since none holds it across a wait: what was received is parsed, or kept by its
 * parser, and what could not be sent is copied, before another has its turn. An idle connection has no parser either.
 */
export class Buffers {
  readonly received: NativeBuffer = new NativeBuffer(BUFFER_BYTES);
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
    if (this.#parsers.length < SPARE_PARSERS) this.#parsers.push(parser);
  }
}
