import { type Context, Future, Pending } from "../../task/mod.ts";
import type { Connection } from "./connection.ts";

/** Waits for room until what a connection could not send is sent. */
export class Flush extends Future<boolean> {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    super();
    this.#connection = connection;
  }

  override describe(): string {
    return "a client that takes its answer";
  }

  override poll(context: Context): boolean | Pending {
    return this.#connection.sendRest(context) ? true : Pending;
  }
}
