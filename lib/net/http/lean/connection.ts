import type { TcpStream } from "../../tcp_stream.ts";
import { Connection, PARKED, type Step } from "../connection.ts";
import { HANDLER } from "../deadlines.ts";
import { abandoned, HttpError } from "../error.ts";
import type { RequestHead } from "../parse/head.ts";
import { RequestBody } from "../request_body.ts";
import type { Service } from "../service.ts";
import { LeanError } from "./misuse.ts";
import { LeanRequest } from "./request.ts";
import { LeanResponse } from "./response.ts";
import { isThenable } from "../../../task/promise.ts";
import type { Runtime } from "../../../task/runtime/runtime.ts";

/** Answers a request by ending its response: before it returns, or before its promise is settled, or later. */
export type LeanHandler = (request: LeanRequest, response: LeanResponse) => void | PromiseLike<void>;

/** What the connections of a `serveLean` share. */
export interface LeanService extends Service {
  readonly handler: LeanHandler;
  readonly runtime: Runtime;
}

/** A connection whose requests are answered by a handler of `LeanRequest` and `LeanResponse`. */
export class LeanConnection extends Connection {
  declare protected readonly service: LeanService;
  #head: RequestHead | null = null;
  #request: LeanRequest | null = null;
  #response: LeanResponse | null = null;
  /** What the handler has failed with before it ended the response. */
  #failure: { error: unknown } | null = null;

  constructor(stream: TcpStream, service: LeanService) {
    super(stream, service);
  }

  protected override get isHead(): boolean {
    return this.#head !== null && this.#head.method === "HEAD";
  }

  protected override begin(head: RequestHead): Step {
    let body: RequestBody | null = null;
    if (head.framing !== "none") body = this.body = new RequestBody(this, this.parser, head);
    const request = new LeanRequest(head, body);
    const response = new LeanResponse(this);
    this.#head = head;
    this.#request = request;
    this.#response = response;
    try {
      const given: unknown = this.service.handler(request, response);
      if (isThenable(given)) this.#watch(given, response);
    } catch (error) {
      return this.#fail(error);
    }
    return this.resume();
  }

  /** An async handler's end, by which the response must have ended. */
  #watch(promise: PromiseLike<unknown>, response: LeanResponse): void {
    const { runtime } = this.service;
    runtime.promisePending();
    let isSettled = false;
    const settled = (error: unknown): void => {
      // A thenable of one's own may call back as often as it likes.
      if (isSettled) return;
      isSettled = true;
      runtime.promiseSettled();
      if (this.#response === response && !response.isEnded) {
        this.#failure = { error };
        this.wake();
      } else if (!(error instanceof LeanError && error.after === "disconnect") && error !== UNENDED) {
        this.service.failed(error);
      }
    };
    try {
      promise.then(() => settled(UNENDED), settled);
    } catch (error) {
      settled(error);
    }
  }

  protected override resume(): Step {
    const response = this.#response;
    const head = this.#head;
    if (response === null || head === null) throw new Error("a response without a request");
    if (response.isEnded) return this.#send(head, response);
    if (this.#failure !== null) return this.#fail(this.#failure.error);
    this.enter(HANDLER);
    return PARKED;
  }

  #send(head: RequestHead, response: LeanResponse): Step {
    this.isAnswering = true;
    const keepAlive = this.mayGoOn(head);
    LeanResponse.write(response, this.service.writer, head, keepAlive);
    this.#over("end");
    return this.done(keepAlive);
  }

  #fail(error: unknown): Step {
    const { isHead } = this;
    if (this.#response !== null && this.#response.isEnded && this.#head !== null) {
      this.service.failed(error);
      return this.#send(this.#head, this.#response);
    }
    this.#over("end");
    if (error instanceof HttpError) return this.refuse(error, isHead);
    this.service.failed(error);
    return this.refuse(new HttpError(500, "Internal Server Error"), isHead);
  }

  #over(after: "end" | "disconnect"): void {
    if (this.#request !== null) LeanRequest.end(this.#request, after);
    if (this.#response !== null) LeanResponse.gone(this.#response);
    // While it waits for the next one it keeps nothing of this.
    this.#head = null;
    this.#request = null;
    this.#response = null;
    this.#failure = null;
  }

  protected override abandon(told?: HttpError): void {
    if (this.#request !== null) LeanRequest.abort(this.#request, abandoned(told));
  }

  protected override ended(): void {
    this.abandon();
    this.#over("disconnect");
  }
}

const UNENDED = new Error("a handler of serveLean has come to its end, and has not ended its response");
