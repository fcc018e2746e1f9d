import { SystemError } from "../../ffi/mod.ts";
import { requireNet } from "../../ffi/permissions.ts";
import type { NetAddress } from "../io/net_address.ts";
import { consumed, type Context, Future, Pending } from "../task/future.ts";
import { type HostAddress, lookup } from "./lookup.ts";

/** A socket at the first of a name's addresses that it can have. */
export class BindName<T> extends Future<T> {
  #lookup: Future<readonly HostAddress[]> | null;
  readonly #address: NetAddress;
  readonly #bind: (address: NetAddress) => T;

  /** `bind` opens it at an address, for which Deno was asked by its name. */
  constructor(address: NetAddress, bind: (address: NetAddress) => T) {
    super();
    const { hostname, port } = address;
    this.#address = { hostname, port };
    this.#bind = bind;
    this.#lookup = lookup(hostname);
  }

  override describe(): string {
    return `bindName() of ${this.#address.hostname}`;
  }

  override poll(context: Context): T | Pending {
    if (this.#lookup === null) throw consumed("bindName()");
    let found: readonly HostAddress[] | Pending;
    try {
      requireNet(this.#address.hostname, this.#address.port);
      found = this.#lookup.poll(context);
    } catch (error) {
      this.#lookup = null;
      throw error;
    }
    if (found === Pending) return Pending;
    this.#lookup = null;
    return this.#bindFirst(found);
  }

  #bindFirst(found: readonly HostAddress[]): T {
    const { port } = this.#address;
    let failure: unknown;
    for (const { hostname } of found) {
      try {
        return this.#bind({ hostname, port });
      } catch (error) {
        if (!(error instanceof SystemError)) throw error;
        failure ??= error;
      }
    }
    throw failure;
  }

  override drop(): void {
    this.#lookup?.drop();
    this.#lookup = null;
  }
}
