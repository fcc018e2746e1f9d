import type { Coroutine } from "../../task/mod.ts";
import type { NetAddress, TcpListener, TcpStream } from "../mod.ts";

/** Who is given connections. */
export interface Fed {
  accept(stream: TcpStream): void;
}

/** Where a server's connections come from. */
export interface Feed {
  readonly address: NetAddress;
  /** Gives the server connections until it is aborted, or can no more; absent where somebody else gives them. */
  run?(server: Fed): Coroutine<void>;
  /** No connection comes any more. Does nothing the second time. */
  close(): void;
}

/** From a listener of the server's own. */
export class ListenerFeed implements Feed {
  readonly #listener: TcpListener;

  constructor(listener: TcpListener) {
    this.#listener = listener;
  }

  get address(): NetAddress {
    return this.#listener.address;
  }

  *run(server: Fed): Coroutine<void> {
    for (;;) {
      const { stream } = yield* this.#listener.accept();
      server.accept(stream);
    }
  }

  close(): void {
    this.#listener.close();
  }
}
