import { describe, it } from "node:test";
import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { BufferPool, PooledBuffer, sharedBuffers } from "../../lib/net/buffer_pool.ts";
import { TcpListener, type TcpStream } from "../../lib/net/mod.ts";
import { type Coroutine, run, sleep, spawn } from "../../lib/task/mod.ts";
import { tiered } from "../tier.ts";
import { local, pair } from "./ends.ts";

describe("a pool of buffers", () => {
  it("gives out the one that was used last, and a new one where all are in use", () => {
    const pool = new BufferPool();
    const [first, second] = [pool.take(), pool.take()];
    assert(first !== second);
    pool.release(first);
    pool.release(second);
    assertEquals(pool.idle, 2);
    assertStrictEquals(pool.take(), second);
    assertStrictEquals(pool.take(), first);
    pool.clear();
  });

  it("keeps 64 of them at most", () => {
    const pool = new BufferPool();
    const buffers = Array.from({ length: 100 }, () => pool.take());
    for (const buffer of buffers) pool.release(buffer);
    assertEquals(pool.idle, 64);
    pool.clear();
    assertEquals(pool.idle, 0);
  });

  it("gives back what nobody has needed for a second, and keeps what was", async () => {
    const [pool, unused] = [new BufferPool(), new BufferPool()];
    for (const each of [pool, unused]) {
      const buffers = Array.from({ length: 10 }, () => each.take());
      for (const buffer of buffers) each.release(buffer);
    }
    const used = setInterval(() => pool.release(pool.take()), 20);
    const until = performance.now() + 20_000;
    while (pool.idle + unused.idle > 1 && performance.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    clearInterval(used);
    assertEquals([pool.idle, unused.idle], [1, 0]);
    pool.clear();
  });

  it("gives out no memory that was transferred away, before it came back or after", () => {
    const pool = new BufferPool();
    const [first, second] = [pool.take(), pool.take()];
    const { bytes } = second;
    first.bytes.buffer.transfer();
    pool.release(first);
    pool.release(second);
    bytes.buffer.transfer();
    assertEquals(pool.take().bytes.byteLength, 65536);
    assertEquals(pool.idle, 0);
    pool.clear();
  });

  it("lends its memory to none that it was not told of", () => {
    assertThrows(
      () => Reflect.construct(PooledBuffer, [Symbol("PooledBuffer")]),
      TypeError,
      "call readBuffer",
    );
  });
});

describe("readBuffer", () => {
  it("gives what comes next where somebody has transferred away what it gave, and no end", async () => {
    await run(async () => {
      using listener = TcpListener.bind(local);
      const [client, server] = await pair(listener);
      using _client = client;
      using _server = server;
      await client.writeAll(Uint8Array.of(1));
      const first = await server.readBuffer();
      assertEquals(first?.bytes.buffer.transfer().byteLength, 65536);
      first?.release();
      await client.writeAll(Uint8Array.of(2));
      using second = await server.readBuffer();
      assertEquals(second?.bytes[0], 2);
    });
  });
});

describe("connections that wait", () => {
  it("hold no buffer, however many they are, and take one while they have something", async () => {
    const connections = tiered({ quick: 100, full: 400, soak: 400 });
    function* serve(stream: TcpStream): Coroutine<number> {
      using buffer = yield* stream.readBuffer();
      return buffer === null ? 0 : buffer.bytes[0];
    }
    await run(async () => {
      using listener = TcpListener.bind(local);
      sharedBuffers.clear();
      const pairs = [];
      for (let i = 0; i < connections; i++) pairs.push(await pair(listener));
      const reading = pairs.map(([, server]) => spawn(serve, server));
      await sleep(1);
      // The first read of each has tried, in vain, with one and the same.
      assertEquals(sharedBuffers.idle, 1);
      for (const [i, [client]] of pairs.entries()) {
        await client.writeAll(Uint8Array.of(i & 255));
        assertEquals(await reading[i], i & 255);
      }
      assertEquals(sharedBuffers.idle, 1);
      for (const ends of pairs) for (const end of ends) end.close();
    });
  });
});
