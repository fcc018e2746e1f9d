import { SystemError } from "../../../ffi/mod.ts";
import { WouldBlock } from "../../io/fd.ts";
import { coop, proceed } from "../../task/runtime/coop.ts";
import { consumed } from "../../task/future.ts";
import { toFuture } from "../../task/futures/to_future.ts";
import {
  type Context,
  type Coroutine,
  Future,
  type JoinHandle,
  Pending,
  type Waker,
} from "../../task/mod.ts";
import type { ScheduledIo } from "../../task/reactor/scheduled_io.ts";
import { ioOf } from "../socket_stream.ts";
import type { TcpStream } from "../tcp_stream.ts";
import { BUFFER_BYTES, type Buffers } from "./buffers.ts";
import { BODY, CLOSING, type Deadlines, HANDLER, HEAD, IDLE, type Timed, WRITING } from "./deadlines.ts";
import { HttpError } from "./error.ts";
import { Flush } from "./flush.ts";
import type { RequestHead } from "./parse/head.ts";
import type { Output } from "./response/output.ts";
import type { RequestParser } from "./parse/parser.ts";
import type { RequestBody } from "./request_body.ts";
import { ResponseWriter } from "./response/response_writer.ts";

/** What a connection does next. */
export type Step = 0 | 1 | 2 | 3 | 4;
/** The next request. */
export const NEXT = 0;
/** Its handler has the request, and has not answered. */
export const PARKED = 1;
/** What takes more than one turn. */
export const SLOW = 2;
/** Nothing more has come. */
const BLOCKED = 3;
export const OVER = 4;

/** What a refused client may still send, lest the connection's reset overtakes the answer. */
const LINGER_BYTES = 1 << 22;
/** Answers to pipelined requests are sent together, up to this. */
const TOGETHER_BYTES = BUFFER_BYTES / 2;
/** The client has gone, which is no fault of the server's. */
const GONE: ReadonlySet<string> = new Set([
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENETUNREACH",
  // What is answered to a client that has closed resets the connection, which then cannot be shut down.
  "ENOTCONN",
]);

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

/**
 * One connection, as a future that is polled when its socket is ready, or its handler has answered. It takes request
 * after request out of what was received, and sends the answers to all of them by one call; only what has to wait
 * becomes a coroutine.
 */
export abstract class Connection extends Future<void> implements Timed {
  readonly stream: TcpStream;
  readonly #service: Service;
  readonly #io: ScheduledIo;
  phase: number = IDLE;
  since = 0;
  previous: Timed | null = null;
  next: Timed | null = null;
  task: JoinHandle<void> | null = null;
  /** What the handler may read of its request's body, where that has one. */
  body: RequestBody | null = null;
  /** Whether the response has begun: from then on nothing else can be said. */
  isAnswering = false;
  #parser: RequestParser | null = null;
  #isWaiting = false;
  #hasTurn = false;
  #hasEnded = false;
  #isUpgraded = false;
  #slow: Future<boolean> | null = null;
  #waker: Waker | null = null;
  #unsent: Uint8Array[] | null = null;
  /** Bytes in `#unsent`: fewer are there where one was detached. */
  #unsentLength = 0;

  constructor(stream: TcpStream, service: Service) {
    super();
    this.stream = stream;
    this.#service = service;
    this.#io = ioOf(stream);
    service.deadlines.add(this);
  }

  /** Has the handler answer. */
  protected abstract begin(head: RequestHead): Step;

  /** The handler may have answered. */
  protected abstract resume(): Step;

  /**
   * Nobody waits for the answer any more, and its handler may care to know: told once, or more often. The client has
   * gone, unless it is told the error.
   */
  protected abstract abandon(told?: HttpError): void;

  /** The connection has ended, or the request is refused: the handler is not waited for any more. */
  protected abstract ended(): void;

  /** Whether the request that is answered is a `HEAD`. */
  protected abstract get isHead(): boolean;

  override describe(): string {
    return `an HTTP connection, ${this.#slow === null ? this.#io.describe("read") : this.#slow.describe()}`;
  }

  override poll(context: Context): void | Pending {
    if (this.#hasEnded) throw consumed("a connection");
    this.#hasTurn = true;
    this.#waker = context.waker;
    try {
      if (this.#run(context) === Pending) return Pending;
    } catch (error) {
      if (!(error instanceof SystemError && GONE.has(error.code))) this.#service.failed(error);
    } finally {
      this.#hasTurn = false;
      // Whatever happened, no other connection sends these bytes.
      this.#service.buffers.output.clear();
    }
    this.#end();
  }

  override drop(): void {
    this.#end();
  }

  #run(context: Context): void | Pending {
    let step: Step = this.#slow === null ? this.#goOn() : SLOW;
    for (;;) {
      switch (step) {
        case NEXT:
          if (coop.left > 0) {
            step = this.#take();
          } else if (this.send()) {
            this.#parser?.keep();
            proceed(context);
            return Pending;
          } else {
            step = this.#flush();
          }
          break;
        case PARKED:
          this.#isWaiting = true;
          if (this.send()) return this.#attend(context);
          step = this.#flush();
          break;
        case SLOW: {
          const goesOn: boolean | Pending = this.#slow === null ? true : this.#slow.poll(context);
          if (goesOn === Pending) return this.#attend(context);
          this.#slow = null;
          step = goesOn ? this.#goOn() : OVER;
          break;
        }
        case BLOCKED:
          return this.#rest(context);
        case OVER:
          return;
      }
    }
  }

  #goOn(): Step {
    if (!this.#isWaiting) return NEXT;
    this.#isWaiting = false;
    // The answers before are sent.
    if (this.phase === WRITING) this.enter(HANDLER);
    return this.resume();
  }

  /** The next request, where one is there. */
  #take(): Step {
    const parser = this.#parser;
    if (parser !== null) {
      let head: RequestHead | undefined;
      try {
        head = parser.next();
      } catch (error) {
        if (!(error instanceof HttpError)) throw error;
        return this.refuse(error, false);
      }
      if (head !== undefined) {
        coop.left--;
        // What of the next one comes with it has a deadline of its own.
        if (this.phase !== IDLE) this.enter(HANDLER);
        return this.begin(head);
      }
    }
    if (!this.send()) return this.#flush();
    const more = this.receive();
    if (more === WouldBlock) return BLOCKED;
    return more ? NEXT : OVER;
  }

  /** Waits for the next request, or for the rest of one. */
  #rest(context: Context): void | Pending {
    const parser = this.#parser;
    if (parser === null || parser.isIdle) {
      if (this.#service.isClosing) return;
      if (parser !== null && !parser.hasBytes) {
        this.#service.buffers.giveParser(parser);
        this.#parser = null;
      }
      this.enter(IDLE);
    } else if (this.phase !== HEAD) {
      this.enter(HEAD);
    }
    this.#io.waitReadable(context.waker);
    return Pending;
  }

  /** While something else is waited for: gives the handler its request's body, and notices where the client goes. */
  #attend(context: Context): Pending {
    this.body?.serve();
    if (this.#io.isHungUp) {
      const error = this.stream.socket.takeError("recv");
      if (error !== undefined) throw error;
      this.abandon();
    }
    this.#parser?.keep();
    this.#io.waitReadable(context.waker);
    return Pending;
  }

  /** Whether another request may follow the one that is answered, as far as is known before it is. */
  protected mayGoOn(head: RequestHead): boolean {
    return head.keepAlive && !this.#service.isClosing && (this.body === null || !this.body.isOwed);
  }

  /** What the connection reads its requests with. */
  protected get parser(): RequestParser {
    return this.#parser ??= this.#service.buffers.takeParser();
  }

  /** Has the connection do this before anything else, once the answers before are sent: false closes it. */
  protected go(slow: Coroutine<boolean>): Step {
    this.#slow = toFuture(this.send() ? slow : this.#afterFlush(slow));
    return SLOW;
  }

  *#afterFlush(slow: Coroutine<boolean>): Coroutine<boolean> {
    yield* new Flush(this);
    return yield* slow;
  }

  #flush(): Step {
    this.#slow = new Flush(this);
    return SLOW;
  }

  /** Has the task look: the handler has answered, or waits for its request's body. */
  wake(): void {
    // In its own turn it looks before it waits.
    if (!this.#hasTurn) this.#waker?.wake();
  }

  /** Enters a phase, whose deadline starts anew. */
  enter(phase: number): void {
    this.#service.deadlines.enter(this, phase);
  }

  /** Feeds the parser with what has come: `false` at the end of what the client sends. */
  receive(): boolean | typeof WouldBlock {
    const { received } = this.#service.buffers;
    const count = this.stream.tryRead(received, 0, BUFFER_BYTES);
    if (count === WouldBlock) return WouldBlock;
    if (count === 0) return false;
    this.parser.feed(received, 0, count);
    return true;
  }

  /** Sends what the output holds. False where not all of it left: what is left is `Flush`'s. */
  send(): boolean {
    const { output, sending } = this.#service.buffers;
    const { length, rest } = output;
    if (this.#unsent !== null) {
      this.#keepUnsent(output, 0);
      return false;
    }
    if (length === 0 && rest.length === 0) return true;
    const sent = length === 0 ? 0 : Math.max(0, this.stream.tryWrite(sending, 0, length));
    if (sent < length || rest.length > 0) this.#keepUnsent(output, sent);
    output.clear();
    return this.#unsent === null;
  }

  #keepUnsent(output: Output, sent: number): void {
    const unsent = this.#unsent ??= [];
    for (const part of [output.bytes.slice(sent, output.length), ...output.rest]) {
      if (part.length === 0) continue;
      unsent.push(part);
      this.#unsentLength += part.length;
    }
    output.clear();
  }

  /** Whether all was sent; else the socket has no room, or the turn is over, and the task is woken for more. */
  sendRest(context: Context): boolean {
    const unsent = this.#unsent;
    if (unsent === null) return true;
    const { sending } = this.#service.buffers;
    if (this.phase !== WRITING) this.enter(WRITING);
    while (this.#unsentLength > 0) {
      if (!proceed(context)) return false;
      const [part] = unsent;
      if (part === undefined) throw new Error("a response's bytes were detached before they were sent");
      const length = Math.min(part.length, BUFFER_BYTES);
      if (length > 0) {
        sending.bytes.set(length < part.length ? part.subarray(0, length) : part);
        const count = this.stream.tryWrite(sending, 0, length);
        if (count === WouldBlock) {
          this.#io.waitWritable(context.waker);
          return false;
        }
        coop.left--;
        this.enter(WRITING);
        this.#unsentLength -= count;
        if (count < part.length) {
          unsent[0] = part.subarray(count);
          continue;
        }
      }
      unsent.shift();
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
    const { sending } = this.#service.buffers;
    sending.bytes.set(bytes);
    const count = Math.max(0, this.stream.tryWrite(sending, 0, bytes.length));
    if (count < bytes.length && this.#waker !== null) {
      if (this.phase !== WRITING) this.enter(WRITING);
      this.#io.waitWritable(this.#waker);
    }
    return count;
  }

  /** The response is written as a whole. */
  protected done(keepAlive: boolean): Step {
    const { body } = this;
    body?.end();
    if (keepAlive && body === null) {
      this.isAnswering = false;
      const { output } = this.#service.buffers;
      if (output.length < TOGETHER_BYTES && output.rest.length === 0) return NEXT;
      return this.send() ? NEXT : this.#flush();
    }
    if (!this.send()) return this.go(this.finish(keepAlive));
    if (keepAlive && body?.skip() === true) {
      this.#forgetBody();
      return NEXT;
    }
    return body === null && !this.parser.hasBytes ? OVER : this.go(this.finish(keepAlive));
  }

  #forgetBody(): void {
    this.body = null;
    this.isAnswering = false;
  }

  /** Sends the response's end, and sees to what is left of the request. Whether another request may follow. */
  protected *finish(keepAlive: boolean): Coroutine<boolean> {
    if (!this.send()) yield* new Flush(this);
    const { body } = this;
    body?.end();
    if (keepAlive && body === null) {
      this.isAnswering = false;
      return true;
    }
    if (keepAlive && body !== null) {
      let isSkipped = body.skip();
      while (isSkipped === undefined) {
        this.enter(BODY);
        yield* this.stream.whenReadable();
        isSkipped = body.skip();
      }
      if (isSkipped) {
        this.#forgetBody();
        return true;
      }
    }
    if (body !== null || this.parser.hasBytes) yield* this.#linger();
    return false;
  }

  /** Answers with the error, and closes the connection once the client has heard it. */
  protected refuse(error: HttpError, isHead: boolean): Step {
    this.body?.end();
    return this.go(this.#refuse(error, isHead));
  }

  *#refuse(error: HttpError, isHead: boolean): Coroutine<boolean> {
    this.isAnswering = true;
    new ResponseWriter(this.#service.buffers.output).fail(error, isHead);
    if (!this.send()) yield* new Flush(this);
    yield* this.#linger();
    return false;
  }

  /** Says that nothing more will come, and reads on until the client has heard it: else it would be reset. */
  *#linger(): Coroutine<void> {
    this.enter(CLOSING);
    this.stream.socket.shutdown("write");
    for (let left = LINGER_BYTES; left > 0;) {
      const count = this.stream.tryRead(this.#service.buffers.received);
      if (count === 0) return;
      if (count === WouldBlock) yield* this.stream.whenReadable();
      else left -= count;
    }
  }

  /** The stream is somebody else's from now on, as is what was received beyond the request. */
  protected upgrade(): { received: Uint8Array<ArrayBuffer>; closing: AbortSignal } {
    this.#isUpgraded = true;
    const closing = this.#service.upgraded(this.stream);
    this.#io.forgetReader(this.#waker);
    return { received: this.parser.takeRest(), closing };
  }

  /** The sweeper's: it has taken too long. */
  expire(): void {
    if (this.phase === HANDLER) {
      // A stream may take its time.
      if (this.isAnswering) return;
      const error = new HttpError(503, "the handler did not answer in time");
      this.#service.failed(error);
      this.turnAway(error);
    } else if ((this.phase === HEAD || this.phase === BODY) && !this.isAnswering) {
      this.turnAway(new HttpError(408, "the request did not come in time"));
    } else {
      this.cut();
    }
  }

  /** Refuses the client, whatever it was about. */
  turnAway(error: HttpError): void {
    this.#slow?.drop();
    this.#isWaiting = false;
    // Of a request whose head has not come nobody knows its method.
    const isHead = this.phase !== HEAD && this.isHead;
    this.abandon(error);
    this.ended();
    this.refuse(error, isHead);
    this.enter(WRITING);
    this.wake();
  }

  /** Closes the connection where it is between two requests. */
  cutIdle(): void {
    if (this.phase === IDLE && !this.#hasTurn) this.cut();
  }

  cut(): void {
    this.task?.abort();
    // A task that never had its turn has not polled it; one that has its turn goes on to its end.
    if (!this.#hasTurn) this.#end();
  }

  #end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#slow?.drop();
    this.#slow = null;
    this.body?.end();
    this.ended();
    if (!this.#isUpgraded) this.stream.close();
    this.#service.deadlines.remove(this);
    this.#service.closed();
  }
}
