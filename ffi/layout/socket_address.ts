import { formatIpv6, parseIpv4, parseIpv6 } from "./ip_address.ts";
import { sockaddr_in, sockaddr_in6 } from "./linux.ts";

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

  /** `hostname` is a numeric address. Throws a `TypeError` where it is none. */
  static of(hostname: string, port: number): SocketAddress {
    const address = new SocketAddress();
    const v4 = parseIpv4(hostname);
    if (v4 !== undefined) {
      address.#v4.sin_family = AF_INET;
      address.#v4.sin_port = port;
      address.#v4.sin_addr.set(v4);
      address.length[0] = sockaddr_in.size;
      return address;
    }
    const v6 = parseIpv6(hostname);
    if (v6 === undefined) {
      throw new TypeError(
        `cannot use ${JSON.stringify(hostname)} as an address: it is not a numeric IPv4 or IPv6 one`,
      );
    }
    address.#v6.sin6_family = AF_INET6;
    address.#v6.sin6_port = port;
    address.#v6.sin6_addr.set(v6);
    address.length[0] = sockaddr_in6.size;
    return address;
  }

  get family(): number {
    return this.#v4.sin_family;
  }

  get port(): number {
    return this.#v4.sin_port;
  }

  get hostname(): string {
    return this.family === AF_INET ? this.#v4.sin_addr.join(".") : formatIpv6(this.#v6.sin6_addr);
  }
}
