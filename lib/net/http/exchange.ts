import { WouldBlock } from "../../io/socket.ts";
import { type Coroutine, fromPromise } from "../../task/mod.ts";
import { SystemError } from "../../../ffi/mod.ts";
import type { Buffers, Connection } from "./connection.ts";
import { HttpError } from "./error.ts";
import type { RequestHead } from "./head.ts";
import { LazyRequest } from "./request.ts";
import { FileBody, type StreamBody, takeBody } from "./response_body.ts";
import { ResponseWriter } from "./response_writer.ts";
import { UpgradeResponse } from "./special_response.ts";

/** What the connections of one server share. */
export interface Service {
  readonly buffers: Buffers;
  readonly handler: (request: Request) => Response | PromiseLike<Response>;
  /** Never rejects. */
  readonly onError: (error: unknown) => Promise<Response>;
  /** `http://127.0.0.1:8000`, for clients that name no host. */
  readonly origin: string;
  /** Whether connections end with the response that they are at. */
  readonly isClosing: boolean;
  /** The connection speaks another protocol from now on: the service has done with it. */
  upgraded(connection: Connection): AbortSignal;
}

/** The task of one connection: request after request, until either side has had enough. */
export function* serveConnection(connection: Connection, service: Service): Coroutine<void> {
  const writer = new ResponseWriter(service.buffers.output);
  try {
    while (yield* exchange(connection, service, writer));
  } catch (error) {
    // A client that has gone is no fault of the server's; a stream that broke off is, and only cutting the
    // connection tells the client.
    if (!(error instanceof SystemError)) service.onError(error);
  } finally {
    if (!connection.isUpgraded) connection.stream.close();
  }
}

/** One request and its response. False where the connection is over. */
function* exchange(connection: Connection, service: Service, writer: ResponseWriter): Coroutine<boolean> {
  const { parser, stream } = connection;
  let head: RequestHead | undefined;
  try {
    head = parser.next();
    while (head === undefined) {
      const more = connection.receive();
      if (more === false) return false;
      if (more === WouldBlock) {
        if (parser.isIdle) connection.enter("idle");
        else if (connection.phase !== "head") connection.enter("head");
        yield* stream.whenReadable();
      } else {
        head = parser.next();
      }
    }
  } catch (error) {
    if (!(error instanceof HttpError)) throw error;
    yield* refuse(connection, writer, error);
    return false;
  }
  connection.enter("handler");
  const body = connection.openBody(head);
  const request = new LazyRequest(head, service.origin, body);
  let isAnswered = false;
  try {
    const keepAlive = yield* answer(connection, service, writer, head, request);
    isAnswered = true;
    body.isOver = true;
    if (keepAlive && (head.framing === "none" || (yield* connection.skipBody()))) return true;
    if (!connection.isUpgraded && (head.framing !== "none" || parser.hasBytes)) yield* connection.linger();
    return false;
  } catch (error) {
    if (!(error instanceof HttpError) || connection.isAnswering) throw error;
    yield* refuse(connection, writer, error);
    return false;
  } finally {
    body.isOver = true;
    if (!isAnswered) LazyRequest.abort(request, new DOMException("the client has gone", "AbortError"));
  }
}

function* refuse(connection: Connection, writer: ResponseWriter, error: HttpError): Coroutine<void> {
  writer.fail(error);
  if (!connection.send()) yield* connection.flush();
  yield* connection.linger();
}

/** Has the handler answer, or `onError` in its place, and sends it. Whether another request may follow. */
function* answer(
  connection: Connection,
  service: Service,
  writer: ResponseWriter,
  head: RequestHead,
  request: Request,
): Coroutine<boolean> {
  let stream: StreamBody | FileBody | null;
  try {
    const answered = service.handler(request);
    const response = answered instanceof Response ? answered : yield* fromPromise(answered);
    if (response instanceof UpgradeResponse) {
      yield* upgrade(connection, service, writer, head, response);
      return false;
    }
    stream = yield* begin(service, writer, head, response);
  } catch (error) {
    if (error instanceof HttpError || connection.isAnswering) throw error;
    stream = yield* begin(service, writer, head, yield* fromPromise(service.onError(error)));
  }
  connection.isAnswering = true;
  if (!connection.send()) yield* connection.flush();
  if (stream instanceof FileBody) yield* sendFile(connection, stream);
  else if (stream !== null) yield* sendStream(connection, writer, stream);
  return writer.keepAlive;
}

/** Writes the response as far as it is there; what it returns must follow. */
function* begin(
  service: Service,
  writer: ResponseWriter,
  head: RequestHead,
  response: Response,
): Coroutine<StreamBody | FileBody | null> {
  const taken = takeBody(response);
  const body = taken instanceof Promise ? yield* fromPromise(taken) : taken;
  return writer.begin(head, response, body, head.keepAlive && !service.isClosing);
}

function* upgrade(
  connection: Connection,
  service: Service,
  writer: ResponseWriter,
  head: RequestHead,
  response: UpgradeResponse,
): Coroutine<void> {
  if (head.framing !== "none") throw new HttpError(400, "a request with a body cannot upgrade");
  if (head.minor === 0) throw new HttpError(400, "an HTTP/1.0 request cannot upgrade");
  writer.beginUpgrade(response);
  connection.isAnswering = true;
  if (!connection.send()) yield* connection.flush();
  const closing = service.upgraded(connection);
  try {
    UpgradeResponse.onUpgrade(response)(connection.stream, connection.parser.takeRest(), closing);
  } catch (error) {
    connection.stream.close();
    throw error;
  }
}

function* sendFile(connection: Connection, body: FileBody): Coroutine<void> {
  try {
    yield* connection.sendFile(body.part);
  } finally {
    body.release();
  }
}

function* sendStream(connection: Connection, writer: ResponseWriter, body: StreamBody): Coroutine<void> {
  let isOver = false;
  try {
    for (;;) {
      const part = yield* fromPromise(body.next());
      if (part === null) break;
      writer.write(part);
      if (!connection.send()) yield* connection.flush();
      connection.enter("handler");
    }
    isOver = true;
    writer.end();
    if (!connection.send()) yield* connection.flush();
  } finally {
    if (!isOver) body.cancel();
  }
}
