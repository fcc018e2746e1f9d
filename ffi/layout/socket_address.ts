import { formatIpv6 } from "./ip_address.ts";
import { sockaddr_in, sockaddr_in6 } from "./linux.ts";
import { parseAddress } from "./numeric_address.ts";

/** sys/socket.h. */
export const AF_INET = 2;
/** sys/socket.h. */
export const AF_INET6 = 10;

/** `struct sockaddr_storage`: `sockaddr_in` or `sockaddr_in6` in 128 bytes, and its `socklen_t`. */
export class SocketAddress {
  readonly bytes: Uint8Array<ArrayBuffer> = new Uint8Array(128);
  readonly length: Uint32Array<ArrayBuffer> = new Uint32Array([128]);
  #v4: ReturnType<typeof sockaddr_in.view> = sockaddr_in.view(this.bytes);
  #v6: ReturnType<typeof sockaddr_in6.view> = sockaddr_in6.view(this.bytes);

  /**
   * `hostname` is a numeric address, with `%` and an interface where it is of a link. Throws a `TypeError` where it is
   * none, and a `SystemError` where there is no such interface.
   */
  static of(hostname: string, port: number): SocketAddress {
    const { bytes, scope } = parseAddress(hostname);
    const address = new SocketAddress();
    if (bytes.length === 4) {
      address.#v4.sin_family = AF_INET;
      address.#v4.sin_port = port;
      address.#v4.sin_addr.set(bytes);
      address.length[0] = sockaddr_in.size;
    } else {
      address.#v6.sin6_family = AF_INET6;
      address.#v6.sin6_port = port;
      address.#v6.sin6_addr.set(bytes);
      address.#v6.sin6_scope_id = scope;
      address.length[0] = sockaddr_in6.size;
    }
    return address;
  }

  get family(): number {
    return this.#v4.sin_family;
  }

  get port(): number {
    return this.#v4.sin_port;
  }

  /** With `%` and the interface's number behind it, where it has one. */
  get hostname(): string {
    if (this.family === AF_INET) return this.#v4.sin_addr.join(".");
    const text = formatIpv6(this.#v6.sin6_addr);
    const scope = this.#v6.sin6_scope_id;
    return scope === 0 ? text : `${text}%${scope}`;
  }
}
