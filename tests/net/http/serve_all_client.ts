/**
 * Clients for the tests of `serveAll`: connections that stay open, each asked one thing at a time.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { TcpStream } from "../../../lib/net/mod.ts";
import type { NetAddress } from "../../../lib/net/mod.ts";
import { openedSince } from "../../descriptors.ts";
import { encoder, readAll, statusOf } from "./client.ts";

export const APP: URL = new URL("./serve_all_app.ts", import.meta.url);

export interface Answer {
  readonly status: number;
  /** Whether the server says that the connection ends with it. */
  readonly isLast: boolean;
  readonly text: string;
}

function parsed(answer: string): Answer {
  const [head, text] = answer.split("\r\n\r\n");
  return { status: statusOf(answer), isLast: /\r\nconnection: close/i.test(head), text };
}

/** A connection that is kept. */
export class Client implements Disposable {
  readonly #stream: TcpStream;

  private constructor(stream: TcpStream) {
    this.#stream = stream;
  }

  static async connect(address: NetAddress): Promise<Client> {
    return new Client(await TcpStream.connect(address));
  }

  async ask(path = "/"): Promise<Answer> {
    await this.send(path);
    return await this.answer();
  }

  async send(path: string): Promise<void> {
    await this.#stream.writeAll(encoder.encode(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`));
  }

  /** Answers of these tests are short, and have a length. */
  async answer(): Promise<Answer> {
    const bytes = new Uint8Array(4096);
    let text = "";
    for (;;) {
      const count = await this.#stream.read(bytes);
      if (count === 0) throw new Error(`the server closed the connection after ${JSON.stringify(text)}`);
      text += new TextDecoder().decode(bytes.subarray(0, count));
      const length = /\r\ncontent-length: (\d+)\r\n/i.exec(text)?.[1];
      const from = text.indexOf("\r\n\r\n") + 4;
      if (length !== undefined && from > 3 && text.length >= from + Number(length)) return parsed(text);
    }
  }

  /** Whether the server closes the connection, and says nothing more. */
  async isClosed(): Promise<boolean> {
    try {
      return await this.#stream.read(new Uint8Array(1)) === 0;
    } catch {
      // It was reset.
      return true;
    }
  }

  [Symbol.dispose](): void {
    this.#stream.close();
  }
}

/** Asks by a connection of its own. */
export async function askOnce(address: NetAddress, path = "/"): Promise<Answer> {
  using stream = await TcpStream.connect(address);
  await stream.writeAll(encoder.encode(`GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`));
  return parsed(await readAll(stream));
}

/** The sockets that were opened since, but Deno's own for signals, of which each of its threads has one. */
export function socketsSince(before: ReadonlySet<string>): string[] {
  const local = readFileSync("/proc/net/unix", "utf8");
  return openedSince(before).filter((one) => {
    const inode = /socket:\[(\d+)\]/.exec(one)?.[1];
    return inode !== undefined && !local.includes(` ${inode}`);
  });
}
