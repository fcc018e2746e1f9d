import type { TcpStream } from "../mod.ts";
import type { Connection } from "./connection.ts";
import type { Feed } from "./feed.ts";
import { type ListenerOptions, Server } from "./server.ts";
import { ERRORS, type Tally } from "./tally.ts";
import { WebConnection, type WebService } from "./web_connection.ts";

/** Answers a request. What it throws, or rejects with, is `onError`'s. */
export type Handler = (request: Request) => Response | PromiseLike<Response>;

/** How a server listens, what it bears, and what it does with errors. */
export interface ServeOptions extends ListenerOptions {
  /** Answers in the place of a handler that threw: 500 and a line on stderr where nothing is said. */
  onError?: (error: unknown) => Response | PromiseLike<Response>;
  /**
   * Whether, on Bun and Node, three globals are wrapped until the last server that wants them has finished: `fetch` and
   * `Request`, so that they take the requests of this server, and `Response`, which gives a `StaticResponse` for a text,
   * bytes or nothing, in a quarter of the time. That passes for a `Response` wherever its methods and properties are
   * asked for, not where an API of the host's wants the inside of one (`Bun.write`, `Bun.serve`). True where nothing is
   * said; Deno needs none of it.
   */
  wrapGlobals?: boolean;
}

function defaultOnError(error: unknown): Response {
  console.error(error);
  return new Response("Internal Server Error\n", { status: 500 });
}

/** What answers for a handler that threw must answer whatever happens. */
function safely(onError: NonNullable<ServeOptions["onError"]>): (error: unknown) => Promise<Response> {
  return async (error) => {
    try {
      const response: unknown = await onError(error);
      if (response instanceof Response) return response;
      throw new TypeError(`onError gave ${String(response)}, which is no Response`);
    } catch (failure) {
      return defaultOnError(failure);
    }
  };
}

/** What `serve` serves with. */
export class WebServer extends Server implements WebService {
  readonly handler: Handler;
  readonly onError: (error: unknown) => Promise<Response>;

  constructor(handler: Handler, options: ServeOptions, feed?: Feed, tally?: Tally) {
    super(options, feed, tally);
    this.handler = handler;
    const answer = safely(options.onError ?? defaultOnError);
    this.onError = (error) => {
      this.tally[ERRORS]++;
      return answer(error);
    };
  }

  protected override connect(stream: TcpStream): Connection {
    return new WebConnection(stream, this);
  }

  override failed(error: unknown): void {
    this.onError(error);
  }
}
