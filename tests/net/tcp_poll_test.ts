import { describe, it } from "node:test";
import { assertEquals, assertRejects } from "@std/assert";
import { NativeBuffer } from "../../lib/io/mod.ts";
import { TcpListener, type TcpStream } from "../../lib/net/mod.ts";
import { type Context, Future, Pending, run, sleep, spawn } from "../../lib/task/mod.ts";
import { local, pair } from "./ends.ts";

/** Echoes all that comes, out of a buffer that is too small for it. */
class Echo extends Future<number> {
  readonly #stream: TcpStream;
  readonly #buffer = new NativeBuffer(5_000);
  #from = 0;
  #to = 0;
  #echoed = 0;

  constructor(stream: TcpStream) {
    super();
    this.#stream = stream;
  }

  override poll(context: Context): number | Pending {
    for (;;) {
      while (this.#from < this.#to) {
        const sent = this.#stream.pollWrite(context, this.#buffer, this.#from, this.#to - this.#from);
        if (sent === Pending) return Pending;
        this.#from += sent;
        this.#echoed += sent;
      }
      const count = this.#stream.pollRead(context, this.#buffer);
      if (count === Pending) return Pending;
      if (count === 0) {
        this.#stream.close();
        return this.#echoed;
      }
      [this.#from, this.#to] = [0, count];
    }
  }

  override drop(): void {
    this.#stream.close();
  }
}

class First extends Future<number> {
  readonly #stream: TcpStream;
  readonly #buffer = new NativeBuffer(8);
  polls = 0;

  constructor(stream: TcpStream) {
    super();
    this.#stream = stream;
  }

  override poll(context: Context): number | Pending {
    this.polls++;
    const count = this.#stream.pollRead(context, this.#buffer);
    return count === Pending ? Pending : this.#buffer.bytes[0];
  }

  override drop(): void {}
}

describe("pollRead and pollWrite", () => {
  it("are all that a future of one's own takes to echo, also where nobody reads for a while", async () => {
    await run(async () => {
      using listener = TcpListener.bind(local);
      const [client, server] = await pair(listener);
      server.socket.setSendBufferSize(4096);
      const echo = spawn(() => new Echo(server));
      const bytes = Uint8Array.from({ length: 1_000_000 }, (_, i) => (i * 31 + (i >> 8)) & 255);
      const sent = spawn(async () => {
        await client.writeAll(bytes);
        await client.shutdown();
      });
      await sleep(20);
      const back = await client.readToEnd({ limit: bytes.length });
      await sent;
      assertEquals(await echo, bytes.length);
      assertEquals(back.every((byte, i) => byte === bytes[i]), true);
      client.close();
    });
  });

  it("wake who asked last", async () => {
    await run(async () => {
      using listener = TcpListener.bind(local);
      const [client, server] = await pair(listener);
      const [first, second] = [new First(server), new First(server)];
      const dropped = spawn(() => first);
      await sleep(1);
      dropped.abort();
      const waiting = spawn(() => second);
      await sleep(1);
      await client.writeAll(Uint8Array.of(7));
      assertEquals([await waiting, first.polls, second.polls], [7, 1, 2]);
      client.close();
      server.close();
    });
  });

  it("fail beside a read that waits, and where the stream was closed", async () => {
    await run(async () => {
      using listener = TcpListener.bind(local);
      const [client, server] = await pair(listener);
      const reading = spawn(() => server.read(new Uint8Array(1)));
      await sleep(1);
      await assertRejects(() => spawn(() => new First(server)), Error, "another read of the same stream");
      reading.abort();
      await sleep(1);
      server.close();
      await assertRejects(() => spawn(() => new First(server)), Error, "the stream was closed");
      client.close();
    });
  });

  it("give way to others where there is always something", async () => {
    await run(async () => {
      using listener = TcpListener.bind(local);
      const [client, server] = await pair(listener);
      await client.writeAll(new Uint8Array(8 * 1000));
      await sleep(5);
      const native = new NativeBuffer(8);
      class Drain extends Future<number> {
        left = 1000;
        polls = 0;
        override poll(context: Context): number | Pending {
          this.polls++;
          while (this.left > 0) {
            if (server.pollRead(context, native) === Pending) return Pending;
            this.left--;
          }
          return this.polls;
        }
        override drop(): void {}
      }
      // A turn reads 128 times.
      assertEquals(await spawn(() => new Drain()), 8);
      client.close();
      server.close();
    });
  });
});
