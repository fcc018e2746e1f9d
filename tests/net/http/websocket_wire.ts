import { TcpStream } from "../../../lib/net/mod.ts";
import type { HttpServer } from "../../../lib/net/http.ts";

/** A frame: RFC 6455, section 5.2. */
export interface Frame {
  opcode: number;
  payload: Uint8Array;
  fin?: boolean;
  rsv?: number;
}

export const TEXT = 1;
export const BINARY = 2;
export const CLOSE = 8;
export const PING = 9;
export const PONG = 10;

const MASK = [1, 2, 3, 4];

/** A client's frame, masked unless it is to be wrong. */
export function frame({ opcode, payload, fin = true, rsv = 0 }: Frame, isMasked = true): Uint8Array {
  const { length } = payload;
  const size = length < 126
    ? [length]
    : length < 65536
    ? [126, length >> 8, length & 255]
    : [127, 0, 0, 0, 0, ...bytesOf32(length)];
  size[0] |= isMasked ? 128 : 0;
  const body = isMasked ? payload.map((byte, i) => byte ^ MASK[i % 4]) : payload;
  return Uint8Array.from([(fin ? 128 : 0) | rsv << 4 | opcode, ...size, ...(isMasked ? MASK : []), ...body]);
}

function bytesOf32(number: number): number[] {
  return [number >>> 24, number >>> 16 & 255, number >>> 8 & 255, number & 255];
}

export const HANDSHAKE: string = [
  "GET / HTTP/1.1",
  "Host: a",
  "Connection: keep-alive, Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
].join("\r\n");

/** A client that says just what it is told to. */
export class RawClient implements Disposable {
  readonly stream: TcpStream;
  /** The answer's head. */
  head = "";
  #bytes = new Uint8Array(0);

  private constructor(stream: TcpStream) {
    this.stream = stream;
  }

  /** Shakes hands; `after` leaves with the request. */
  static async open(
    server: HttpServer,
    fields = "",
    after: Uint8Array = new Uint8Array(0),
  ): Promise<RawClient> {
    const client = new RawClient(await TcpStream.connect(server.address));
    const request = new TextEncoder().encode(`${HANDSHAKE}\r\n${fields}\r\n`);
    await client.stream.writeAll(Uint8Array.from([...request, ...after]));
    const decoder = new TextDecoder("latin1");
    while (!decoder.decode(client.#bytes).includes("\r\n\r\n")) {
      if (!(await client.#more())) break;
    }
    const text = decoder.decode(client.#bytes);
    const end = text.indexOf("\r\n\r\n") + 4;
    client.head = text.slice(0, end);
    client.#bytes = client.#bytes.slice(end);
    return client;
  }

  async send(...frames: Frame[]): Promise<void> {
    for (const one of frames) await this.stream.writeAll(frame(one));
  }

  /** The server's next frame, or `undefined` where it has closed the connection. */
  async next(): Promise<Frame | undefined> {
    for (;;) {
      const found = this.#take();
      if (found !== undefined) return found;
      if (!(await this.#more())) return undefined;
    }
  }

  #take(): Frame | undefined {
    const bytes = this.#bytes;
    if (bytes.length < 2) return undefined;
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    let [at, length] = [2, bytes[1]];
    if (length > 127) throw new Error("a server's frame is masked");
    if (length === 126 && bytes.length >= 4) [at, length] = [4, view.getUint16(2)];
    else if (length === 127 && bytes.length >= 10) [at, length] = [10, Number(view.getBigUint64(2))];
    if (bytes.length < at + length) return undefined;
    this.#bytes = bytes.slice(at + length);
    const payload = bytes.slice(at, at + length);
    return { opcode: bytes[0] & 15, payload, fin: bytes[0] >= 128, rsv: bytes[0] >> 4 & 7 };
  }

  async #more(): Promise<boolean> {
    const into = new Uint8Array(65536);
    let count = 0;
    try {
      count = await this.stream.read(into);
    } catch {
      return false;
    }
    const joined = new Uint8Array(this.#bytes.length + count);
    joined.set(this.#bytes);
    joined.set(into.subarray(0, count), this.#bytes.length);
    this.#bytes = joined;
    return count > 0;
  }

  /** The code of the close frame that comes next but pongs, or `undefined`. */
  async closeCode(): Promise<number | undefined> {
    for (;;) {
      const found = await this.next();
      if (found === undefined) return undefined;
      if (found.opcode === CLOSE) {
        return found.payload.length < 2 ? 1005 : found.payload[0] << 8 | found.payload[1];
      }
    }
  }

  [Symbol.dispose](): void {
    this.stream.close();
  }
}
