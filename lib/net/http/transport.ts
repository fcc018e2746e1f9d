import { WouldBlock } from "../../io/fd.ts";
import { coop, proceed } from "../../task/runtime/coop.ts";
import { type Context, Future, type Waker } from "../../task/mod.ts";
import type { ScheduledIo } from "../../task/reactor/scheduled_io.ts";
import { ioOf } from "../socket_stream.ts";
import type { TcpStream } from "../tcp_stream.ts";
import { RECEIVED_BYTES } from "./buffers.ts";
import { IDLE, type Timed, WRITING } from "./deadlines.ts";
import type { RequestParser } from "./parse/parser.ts";
import type { Output } from "./response/output.ts";
import type { Service } from "./service.ts";
import { RECEIVED, SENT } from "./tally.ts";
import { Unsent } from "./unsent.ts";

/**
 * What goes in and out by a connection's socket: received into a buffer that all share, where the connection's parser
 * reads it, and sent out of one, of which a copy is kept where the client is slow.
 */
export abstract class Transport extends Future<void> implements Timed {
  readonly stream: TcpStream;
  phase: number = IDLE;
  since = 0;
  previous: Timed | null = null;
  next: Timed | null = null;
  protected readonly service: Service;
  protected readonly io: ScheduledIo;
  /** Null while nothing of a request has come. */
  protected openParser: RequestParser | null = null;
  /** The task's, as of its last turn. */
  protected waker: Waker | null = null;
  #unsent: Unsent | null = null;

  constructor(stream: TcpStream, service: Service) {
    super();
    this.stream = stream;
    this.service = service;
    this.io = ioOf(stream);
    service.deadlines.add(this);
  }

  abstract expire(): void;
  abstract cut(): void;
  abstract cutIdle(): void;

  /** What the connection reads its requests with. */
  protected get parser(): RequestParser {
    return this.openParser ??= this.service.buffers.takeParser();
  }

  /** Enters a phase, whose deadline starts anew. */
  enter(phase: number): void {
    this.service.deadlines.enter(this, phase);
  }

  /** Feeds the parser with what has come: `false` at the end of what the client sends. */
  receive(): boolean | typeof WouldBlock {
    const { received } = this.service.buffers;
    const count = this.stream.tryRead(received, 0, RECEIVED_BYTES);
    if (count === WouldBlock) return WouldBlock;
    if (count === 0) return false;
    this.service.tally[RECEIVED] += count;
    this.parser.feed(received, 0, count);
    return true;
  }

  /** Sends what the output holds. False where not all of it left: what is left is `Flush`'s. */
  send(): boolean {
    const { output, sending } = this.service.buffers;
    const { length, rest } = output;
    if (this.#unsent !== null) {
      this.#keepUnsent(output, 0);
      return false;
    }
    if (length === 0 && rest.length === 0) return true;
    const sent = length === 0 ? 0 : Math.max(0, this.stream.tryWrite(sending, 0, length));
    this.service.tally[SENT] += sent;
    if (sent < length || rest.length > 0) this.#keepUnsent(output, sent);
    output.clear();
    return this.#unsent === null;
  }

  #keepUnsent(output: Output, sent: number): void {
    this.#unsent ??= new Unsent();
    this.#unsent.take(output, sent);
  }

  /** Whether all was sent; else the socket has no room, or the turn is over, and the task is woken for more. */
  sendRest(context: Context): boolean {
    const unsent = this.#unsent;
    if (unsent === null) return true;
    const { sending } = this.service.buffers;
    if (this.phase !== WRITING) this.enter(WRITING);
    while (!unsent.isEmpty) {
      if (!proceed(context)) return false;
      const count = unsent.sendTo(this.stream, sending);
      if (count === WouldBlock) {
        this.io.waitWritable(context.waker);
        return false;
      }
      coop.left--;
      this.service.tally[SENT] += count;
      this.enter(WRITING);
    }
    this.#unsent = null;
    return true;
  }

  /**
   * Sends what stands before every response, between two others: how many bytes of it left. The task is woken for the
   * others.
   */
  interject(bytes: Uint8Array): number {
    if (this.#unsent !== null) return 0;
    const { sending } = this.service.buffers;
    sending.bytes.set(bytes);
    const count = Math.max(0, this.stream.tryWrite(sending, 0, bytes.length));
    this.service.tally[SENT] += count;
    if (count < bytes.length && this.waker !== null) {
      if (this.phase !== WRITING) this.enter(WRITING);
      this.io.waitWritable(this.waker);
    }
    return count;
  }
}
