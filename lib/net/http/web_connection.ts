import { consumeBudget, type Coroutine, fromPromise } from "../../task/mod.ts";
import { WouldBlock } from "../../io/fd.ts";
import { shown } from "../../io/arguments.ts";
import { isThenable } from "../../task/promise.ts";
import type { Runtime } from "../../task/runtime/runtime.ts";
import type { TcpStream } from "../tcp_stream.ts";
import { Connection, PARKED, type Step } from "./connection.ts";
import { HANDLER, WRITING } from "./deadlines.ts";
import { abandoned, HttpError } from "./error.ts";
import { Flush } from "./flush.ts";
import type { RequestHead } from "./parse/head.ts";
import { type BodySource, LazyRequest } from "./request.ts";
import { RequestBody } from "./request_body.ts";
import { FileBody, type StaticBody, StreamBody, takeBody } from "./response/response_body.ts";
import { ResponseWriter } from "./response/response_writer.ts";
import { trySendFile } from "./send_file.ts";
import type { Service } from "./service.ts";
import { SENT } from "./tally.ts";
import { FileResponse, UpgradeResponse } from "./response/special_response.ts";
import { StaticResponse } from "./response/static_response.ts";

/** What the connections of a `serve` share. */
export interface WebService extends Service {
  readonly handler: (request: Request) => Response | PromiseLike<Response>;
  /** Never rejects. */
  readonly onError: (error: unknown) => Promise<Response>;
  /** `http://127.0.0.1:8000`, for clients that name no host. */
  readonly origin: string;
  readonly runtime: Runtime;
}

/** The host's own, whatever the global is made to be. */
const HostResponse = Response;
const NO_BODY: BodySource = { read: () => null };

/** What became of the handler's promise. */
const NOTHING = 0;
const WAITING = 1;
const FULFILLED = 2;
const REJECTED = 3;

/** A connection whose requests are answered by a handler of `Request` and `Response`. */
export class WebConnection extends Connection {
  declare protected readonly service: WebService;
  #head: RequestHead | null = null;
  /** Whose signal is aborted where the client goes before it was answered. */
  #request: LazyRequest | null = null;
  #outcome = NOTHING;
  #given: unknown;
  /** Counts what was waited for: what a promise gives that nobody waits for any more is not the next request's. */
  #ticket = 0;
  #isFailing = false;
  /** A response whose body is being looked at. */
  #response: Response | null = null;
  /** What is still to be sent of a body. */
  #rest: StreamBody | FileBody | null = null;

  constructor(stream: TcpStream, service: WebService) {
    super(stream, service);
  }

  protected override get isHead(): boolean {
    return this.#head !== null && this.#head.method === "HEAD";
  }

  protected override begin(head: RequestHead): Step {
    this.#head = head;
    this.#isFailing = false;
    let source = NO_BODY;
    if (head.framing !== "none") source = this.body = new RequestBody(this, this.parser, head);
    const request = new LazyRequest(head, this.service.origin, source);
    this.#request = request;
    let answered: Response | PromiseLike<unknown>;
    try {
      answered = answerOf(this.service.handler(request));
    } catch (error) {
      return this.#fail(error);
    }
    return answered instanceof HostResponse ? this.#answer(answered) : this.#wait(answered);
  }

  #wait(answered: PromiseLike<unknown>): Step {
    const ticket = ++this.#ticket;
    this.enter(HANDLER);
    this.#outcome = WAITING;
    this.service.runtime.promisePending();
    try {
      answered.then(
        (response) => this.#settled(ticket, FULFILLED, response),
        (error) => this.#settled(ticket, REJECTED, error),
      );
    } catch (error) {
      this.#settled(ticket, REJECTED, error);
    }
    // A thenable may have called back at once.
    return this.resume();
  }

  #settled(ticket: number, outcome: number, answered: unknown): void {
    if (ticket !== this.#ticket || this.#outcome !== WAITING) {
      if (outcome === FULFILLED) discard(answered);
      return;
    }
    this.service.runtime.promiseSettled();
    this.#outcome = outcome;
    this.#given = answered;
    this.wake();
  }

  protected override resume(): Step {
    const outcome = this.#outcome;
    if (outcome === WAITING) return PARKED;
    const answered = this.#given;
    this.#outcome = NOTHING;
    this.#given = undefined;
    const response = this.#response;
    this.#response = null;
    if (outcome === REJECTED) return this.#fail(answered);
    const head = this.#head;
    if (response !== null && head !== null && isBody(answered)) return this.#send(head, response, answered);
    let given: Response;
    try {
      given = responseOf(answered);
    } catch (error) {
      return this.#fail(error);
    }
    return this.#answer(given);
  }

  /** Has `onError` answer in the handler's place. */
  #fail(error: unknown): Step {
    if (error instanceof HttpError) return this.#refused(error);
    // What onError gave cannot be sent either.
    if (this.#isFailing) {
      console.error(error);
      return this.#refused(new HttpError(500, "Internal Server Error"));
    }
    this.#isFailing = true;
    return this.#wait(this.service.onError(error));
  }

  #refused(error: HttpError): Step {
    const { isHead } = this;
    this.#answered();
    return this.refuse(error, isHead);
  }

  #answer(response: Response): Step {
    const head = this.#head;
    if (head === null) throw new Error("a response without a request");
    if (response instanceof UpgradeResponse) return this.#upgrade(head, response);
    let body: ReturnType<typeof takeBody>;
    try {
      body = takeBody(response);
    } catch (error) {
      return this.#fail(error);
    }
    if (!(body instanceof Promise)) return this.#send(head, response, body);
    this.#response = response;
    return this.#wait(body);
  }

  #send(head: RequestHead, response: Response, body: StaticBody | StreamBody | FileBody): Step {
    const { writer: shared, buffers } = this.service;
    // One that is not there as a whole is the writer's until its end.
    const isWhole = body === null || typeof body === "string" || body instanceof Uint8Array;
    const writer = isWhole ? shared : new ResponseWriter(buffers.output);
    let rest: StreamBody | FileBody | null;
    try {
      rest = writer.begin(head, response, body, this.mayGoOn(head));
    } catch (error) {
      if (!isWhole) end(body);
      return this.#fail(error);
    }
    this.isAnswering = true;
    this.#rest = rest;
    if (rest === null) {
      this.#answered();
      return this.done(writer.keepAlive);
    }
    return this.go(rest instanceof FileBody ? this.#sendFile(writer, rest) : this.#sendStream(writer, rest));
  }

  *#sendStream(writer: ResponseWriter, body: StreamBody): Coroutine<boolean> {
    this.enter(HANDLER);
    for (;;) {
      if (!this.send()) {
        yield* new Flush(this);
        this.enter(HANDLER);
      }
      const part = yield* fromPromise(body.next());
      if (part === null) break;
      writer.write(part);
    }
    this.#rest = null;
    writer.end();
    this.#answered();
    return yield* this.finish(writer.keepAlive);
  }

  *#sendFile(writer: ResponseWriter, body: FileBody): Coroutine<boolean> {
    if (!this.send()) yield* new Flush(this);
    const { fd, offset = 0, length } = body.part;
    this.enter(WRITING);
    for (let sent = 0; sent < length;) {
      const count = trySendFile(this.stream, fd, offset + sent, length - sent);
      if (count === WouldBlock) {
        yield* this.stream.whenWritable();
      } else {
        sent += count;
        this.service.tally[SENT] += count;
        this.enter(WRITING);
        yield* consumeBudget();
      }
    }
    this.#rest = null;
    body.release();
    this.#answered();
    return yield* this.finish(writer.keepAlive);
  }

  /** Nobody is told any more that the client goes, and while it waits it keeps nothing of its request. */
  #answered(): void {
    const request = this.#request;
    this.#request = null;
    this.#head = null;
    if (request !== null) LazyRequest.answered(request);
  }

  #upgrade(head: RequestHead, response: UpgradeResponse): Step {
    if (head.framing !== "none") {
      return this.#refused(new HttpError(400, "a request with a body cannot upgrade"));
    }
    if (head.minor === 0) return this.#refused(new HttpError(400, "an HTTP/1.0 request cannot upgrade"));
    if (
      head.get("upgrade") === null || !/(^|,)[ \t]*upgrade[ \t]*(,|$)/i.test(head.get("connection") ?? "")
    ) {
      const headers = { upgrade: response.headers.get("upgrade") ?? "" };
      return this.#refused(new HttpError(426, "the request asks for no upgrade", { headers }));
    }
    const { writer } = this.service;
    try {
      writer.beginUpgrade(response);
    } catch (error) {
      return this.#fail(error);
    }
    this.isAnswering = true;
    return this.go(this.#handOver(response));
  }

  *#handOver(response: UpgradeResponse): Coroutine<boolean> {
    if (!this.send()) yield* new Flush(this);
    this.#request = null;
    const { received, closing } = this.upgrade();
    const { stream } = this;
    const service = this.service;
    const failed = (error: unknown): void => {
      if (stream.isClosed) return;
      stream.close();
      service.failed(error);
    };
    try {
      const onUpgrade = UpgradeResponse.onUpgrade(response);
      const given: unknown = onUpgrade(stream, received, closing, (error) => service.failed(error));
      if (isThenable(given)) given.then(undefined, failed);
    } catch (error) {
      failed(error);
    }
    return false;
  }

  protected override abandon(told?: HttpError): void {
    const request = this.#request;
    this.#request = null;
    if (request !== null) LazyRequest.abort(request, abandoned(told));
  }

  protected override ended(): void {
    this.abandon();
    this.#ticket++;
    if (this.#outcome === WAITING) this.service.runtime.promiseSettled();
    else if (this.#outcome === FULFILLED) discard(this.#given);
    this.#outcome = NOTHING;
    this.#given = undefined;
    if (this.#response !== null) discard(this.#response);
    this.#response = null;
    if (this.#rest !== null) end(this.#rest);
    this.#rest = null;
  }
}

function isBody(value: unknown): value is StaticBody | StreamBody {
  return value === null || typeof value === "string" || value instanceof Uint8Array ||
    value instanceof StreamBody;
}

/** What a handler gave, which throws where it is a Proxy, or has a getter, that does. */
function answerOf(given: unknown): Response | PromiseLike<unknown> {
  return given instanceof HostResponse || isThenable(given) ? given : responseOf(given);
}

/** Throws a `TypeError` for what is no response. */
function responseOf(given: unknown): Response {
  if (given instanceof HostResponse) return given;
  throw new TypeError(`the handler gave ${shown(given)}, which is no Response`);
}

/** Nobody will send the rest of it. */
function end(body: unknown): void {
  if (body instanceof FileBody) body.release();
  else if (body instanceof StreamBody) body.cancel();
}

/** Nobody will send it, nor hear what it throws at that. */
function discard(answered: unknown): void {
  try {
    cancel(answered);
  } catch (error) {
    console.error(error);
  }
}

function cancel(answered: unknown): void {
  if (answered instanceof FileResponse) {
    const source = FileResponse.source(answered);
    if (source instanceof HostResponse) cancel(source);
    else new FileBody(source).release();
  } else if (answered instanceof StreamBody) answered.cancel();
  else if (answered instanceof HostResponse && !(answered instanceof StaticResponse)) {
    // One that is locked or used already is somebody else's.
    answered.body?.cancel().catch(() => undefined);
  }
}
