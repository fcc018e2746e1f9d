import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { TcpListener, TcpStream } from "../../lib/net/mod.ts";
import { currentRuntime } from "../../lib/task/runtime/current.ts";
import { type Coroutine, run, sleep, spawn } from "../../lib/task/mod.ts";
import { echo, local, pair } from "./ends.ts";
import { descriptors, openedSince } from "../descriptors.ts";

describe("closing", () => {
  it("ends what waits on the connection, with an error that says why", async () => {
    await run(async () => {
      using listener = TcpListener.bind(local);
      const [client, server] = await pair(listener);
      const reading = spawn(async () => await client.read(new Uint8Array(1)));
      const writing = spawn(async () => await client.writeAll(new Uint8Array(1 << 25)));
      await sleep(1);
      assertEquals([reading.isFinished, writing.isFinished], [false, false]);
      client.close();
      await assertRejects(() => reading, Error, "the stream was closed");
      await assertRejects(() => writing, Error, "the stream was closed");
      server.close();
    });
  });

  it("ends a waiting accept, with an error that says why", async () => {
    await run(async () => {
      const listener = TcpListener.bind(local);
      const accepting = spawn(async () => await listener.accept());
      await sleep(1);
      assertEquals(accepting.isFinished, false);
      listener.close();
      listener.close();
      assertEquals(listener.isClosed, true);
      await assertRejects(() => accepting, Error, "cannot accept: the listener was closed");
      await assertRejects(() => listener.accept(), Error, "the listener was closed");
    });
  });

  it("leaves later uses with an error, and none that waits", async () => {
    await run(async () => {
      using listener = TcpListener.bind(local);
      const [client, server] = await pair(listener);
      const reading = spawn(async () => await client.read(new Uint8Array(1)));
      await sleep(1);
      reading.abort();
      client.close();
      client.close();
      assertEquals([client.isClosed, server.isClosed], [true, false]);
      await assertRejects(() => client.read(new Uint8Array(1)), Error, "closed");
      await assertRejects(() => client.writeAll(new Uint8Array(1)), Error, "closed");
      assertEquals(await server.read(new Uint8Array(1)), 0);
      server.close();
    });
  });

  it("forgets the descriptor, though the socket was closed behind its back", async () => {
    await run(async () => {
      using listener = TcpListener.bind(local);
      const [client, server] = await pair(listener);
      assertEquals(currentRuntime().reactor.registrations, 3);
      client.socket.fd.close();
      client.close();
      server.close();
      assertEquals(currentRuntime().reactor.registrations, 1);
    });
  });

  it("comes with using, also of a coroutine that is aborted where it reads", async () => {
    await run(async () => {
      using listener = TcpListener.bind(local);
      const [client, server] = await pair(listener);
      const handle = spawn(echo, server);
      await sleep(1);
      handle.abort();
      assertEquals([server.isClosed, currentRuntime().reactor.registrations], [true, 2]);
      assertEquals(await client.read(new Uint8Array(1)), 0);
      client.close();
    });
  });

  it("may come after the runtime's end, which ends every wait", async () => {
    const before = descriptors();
    const left = await run(async () => {
      const listener = TcpListener.bind(local);
      const [client, server] = await pair(listener);
      return { listener, client, server };
    });
    await run(async () => {
      await assertRejects(
        () => left.client.read(new Uint8Array(1)),
        Error,
        "runtime that watched the descriptor has ended",
      );
      await assertRejects(() => left.listener.accept(), Error, "its runtime has ended");
    });
    for (const end of [left.client, left.server, left.listener]) {
      end.close();
      assertEquals(end.isClosed, true);
    }
    assert(openedSince(before).length <= 10);
  });

  it("is done for whatever a coroutine holds at the runtime's end", async () => {
    function* holder(listener: TcpListener): Coroutine<void> {
      using accepted = (yield* listener.accept()).stream;
      yield* accepted.read(new Uint8Array(1));
    }
    const before = descriptors();
    for (let i = 0; i < 50; i++) {
      await run(async () => {
        using listener = TcpListener.bind(local);
        spawn(holder, listener);
        using client = await TcpStream.connect(listener.address);
        await client.whenWritable();
        await sleep(1);
      });
    }
    assert(openedSince(before).length < 25);
  });
});
