import { SystemError } from "../../../ffi/mod.ts";
import { WouldBlock } from "../../io/fd.ts";
import { coop, proceed } from "../../task/runtime/coop.ts";
import { consumed } from "../../task/future.ts";
import { toFuture } from "../../task/futures/to_future.ts";
import { type Context, type Coroutine, type Future, type JoinHandle, Pending } from "../../task/mod.ts";
import { BUFFER_BYTES } from "./buffers.ts";
import { BODY, CLOSING, HANDLER, HEAD, IDLE, WRITING } from "./deadlines.ts";
import { HttpError } from "./error.ts";
import { Flush } from "./flush.ts";
import type { RequestHead } from "./parse/head.ts";
import type { RequestBody } from "./request_body.ts";
import { ResponseWriter } from "./response/response_writer.ts";
import { REQUESTS } from "./tally.ts";
import { Transport } from "./transport.ts";

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

/**
 * One connection, as a future that is polled when its socket is ready, or its handler has answered. It takes request
 * after request out of what was received, and sends the answers to all of them by one call; only what has to wait
 * becomes a coroutine.
 */
export abstract class Connection extends Transport {
  task: JoinHandle<void> | null = null;
  /** What the handler may read of its request's body, where that has one. */
  body: RequestBody | null = null;
  /** Whether the response has begun: from then on nothing else can be said. */
  isAnswering = false;
  #isWaiting = false;
  #hasTurn = false;
  #hasEnded = false;
  #isUpgraded = false;
  #slow: Future<boolean> | null = null;

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
    return `an HTTP connection, ${this.#slow === null ? this.io.describe("read") : this.#slow.describe()}`;
  }

  override poll(context: Context): void | Pending {
    if (this.#hasEnded) throw consumed("a connection");
    this.#hasTurn = true;
    this.waker = context.waker;
    try {
      if (this.#run(context) === Pending) return Pending;
    } catch (error) {
      if (!(error instanceof SystemError && GONE.has(error.code))) this.service.failed(error);
    } finally {
      this.#hasTurn = false;
      // Whatever happened, no other connection sends these bytes.
      this.service.buffers.output.clear();
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
            this.openParser?.keep();
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
    const parser = this.openParser;
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
        this.service.tally[REQUESTS]++;
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
    const parser = this.openParser;
    if (parser === null || parser.isIdle) {
      if (this.service.isClosing) return;
      if (parser !== null && !parser.hasBytes) {
        this.service.buffers.giveParser(parser);
        this.openParser = null;
      }
      this.enter(IDLE);
    } else if (this.phase !== HEAD) {
      this.enter(HEAD);
    }
    this.io.waitReadable(context.waker);
    return Pending;
  }

  /** While something else is waited for: gives the handler its request's body, and notices where the client goes. */
  #attend(context: Context): Pending {
    this.body?.serve();
    if (this.io.isHungUp) {
      const error = this.stream.socket.takeError("recv");
      if (error !== undefined) throw error;
      this.abandon();
    }
    this.openParser?.keep();
    this.io.waitReadable(context.waker);
    return Pending;
  }

  /** Whether another request may follow the one that is answered, as far as is known before it is. */
  protected mayGoOn(head: RequestHead): boolean {
    return head.keepAlive && !this.service.isLast && (this.body === null || !this.body.isOwed);
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
    if (!this.#hasTurn) this.waker?.wake();
  }

  /** The response is written as a whole. */
  protected done(keepAlive: boolean): Step {
    const { body } = this;
    body?.end();
    if (keepAlive && body === null) {
      this.isAnswering = false;
      const { output } = this.service.buffers;
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
    new ResponseWriter(this.service.buffers.output).fail(error, isHead);
    if (!this.send()) yield* new Flush(this);
    yield* this.#linger();
    return false;
  }

  /** Says that nothing more will come, and reads on until the client has heard it: else it would be reset. */
  *#linger(): Coroutine<void> {
    this.enter(CLOSING);
    this.stream.socket.shutdown("write");
    for (let left = LINGER_BYTES; left > 0;) {
      const count = this.stream.tryRead(this.service.buffers.received);
      if (count === 0) return;
      if (count === WouldBlock) yield* this.stream.whenReadable();
      else left -= count;
    }
  }

  /** The stream is somebody else's from now on, as is what was received beyond the request. */
  protected upgrade(): { received: Uint8Array<ArrayBuffer>; closing: AbortSignal } {
    this.#isUpgraded = true;
    const closing = this.service.upgraded(this.stream);
    this.io.forgetReader(this.waker);
    return { received: this.parser.takeRest(), closing };
  }

  /** The sweeper's: it has taken too long. */
  override expire(): void {
    if (this.phase === HANDLER) {
      // A stream may take its time.
      if (this.isAnswering) return;
      const error = new HttpError(503, "the handler did not answer in time");
      this.service.failed(error);
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
  override cutIdle(): void {
    if (this.phase === IDLE && !this.#hasTurn) this.cut();
  }

  override cut(): void {
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
    this.service.deadlines.remove(this);
    this.service.closed();
  }
}
