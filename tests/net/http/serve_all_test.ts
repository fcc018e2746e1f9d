import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { SystemError } from "../../../ffi/mod.ts";
import { type HttpServers, serveAll, type ServeAllOptions } from "../../../lib/net/http.ts";
import { Socket } from "../../../lib/io/socket.ts";
import { TcpListener, TcpStream } from "../../../lib/net/mod.ts";
import { Pool, PoolClosedError } from "../../../lib/task/pool.ts";
import { run } from "../../../lib/task/mod.ts";
import { descriptors, openedSince } from "../../descriptors.ts";
import { APP, askOnce, Client, socketsSince } from "./serve_all_client.ts";

const CONNECTIONS = 24;

/** For the cases that are not about threads of the servers' own, each of which costs a thread's start. */
const pool = Pool.open({ threads: 2 });
after(() => pool.close());

/** Opens connections one after the other, and counts by thread who answers them. */
async function spread({ address }: HttpServers, clients: Client[]): Promise<number[]> {
  const counts = new Map<string, number>();
  for (let i = 0; i < CONNECTIONS; i++) {
    const client = await Client.connect(address);
    clients.push(client);
    const { status, text } = await client.ask();
    assertEquals(status, 200);
    counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  return [...counts.values()];
}

for (const distribute of ["reusePort", "pass"] as const) {
  describe(`serveAll(), by ${distribute}`, () => {
    it("answers on all threads, counts what each does, and leaves nothing open", () =>
      run(async () => {
        const before = descriptors();
        const heard: number[] = [];
        const servers = await serveAll(APP, {
          port: 0,
          threads: 2,
          distribute,
          onListen: ({ port }) => heard.push(port),
        });
        assertEquals(heard, [servers.address.port]);
        const clients: Client[] = [];
        const counts = await spread(servers, clients);
        assertEquals(counts.reduce((sum, count) => sum + count), CONNECTIONS);
        // By the kernel they are spread by chance.
        if (distribute === "pass") assertEquals(counts, [CONNECTIONS / 2, CONNECTIONS / 2]);
        assertEquals((await clients[0].ask("/throw")).text, "Error: thrown");
        const { requests, open, accepted, errors, crashes, received, sent, workers } = servers.metrics();
        assertEquals([requests, open, accepted, errors], [CONNECTIONS + 1, CONNECTIONS, CONNECTIONS, 1]);
        assertEquals(crashes, 0);
        assertEquals(received, CONNECTIONS * 27 + 32);
        assert(sent > CONNECTIONS * 50);
        assertEquals(workers.length, 2);
        assertEquals(workers.reduce((sum, worker) => sum + worker.requests, 0), requests);
        await servers.shutdown();
        await servers.finished;
        for (const client of clients) {
          assert(await client.isClosed());
          client[Symbol.dispose]();
        }
        assertEquals(servers.metrics().workers, []);
        assertEquals(servers.metrics().requests, CONNECTIONS + 1);
        await assertRejects(() => TcpStream.connect(servers.address), SystemError, "ECONNREFUSED");
        assertEquals(socketsSince(before), []);
        // The machine code of each thread.
        assertEquals(openedSince(before).filter((one) => one.includes("memfd:oxbow-http_head")), []);
      }));

    it("finishes the answers that have begun when it shuts down, and cuts them at the deadline", () =>
      run(async () => {
        const controller = new AbortController();
        const { signal } = controller;
        const servers = await serveAll(APP, { port: 0, threads: 1, pool, distribute, signal });
        using busy = await Client.connect(servers.address);
        await busy.send("/wait");
        using other = await Client.connect(servers.address);
        // The thread has both.
        assertEquals((await other.ask("/")).status, 200);
        controller.abort();
        assert(await other.isClosed());
        await servers.shutdown({ deadline: 0 });
        assert(await busy.isClosed());
      }));
  });
}

describe("serveAll()", () => {
  const serving = (options: ServeAllOptions, module: URL | string = APP): Promise<HttpServers> =>
    serveAll(module, { port: 0, threads: 1, ...options });

  it("serves an export by its name, and lean handlers", () =>
    run(async () => {
      await using servers = await serving({ export: "lean", lean: true, pool });
      assertEquals((await askOnce(servers.address, "/a")).text, "lean /a");
    }));

  it("serves on the threads of a pool beside its other jobs, and there reloads the module by another name", () =>
    run(async () => {
      await using servers = await serveAll(APP, { port: 0, pool, distribute: "pass" });
      assertEquals(servers.metrics().workers.length, 2);
      const copies = async (): Promise<string[]> => {
        using one = await Client.connect(servers.address);
        const { text } = await one.ask();
        return [text, (await askOnce(servers.address)).text];
      };
      const before = await copies();
      assert(before[0] !== before[1]);
      const joined = pool.job<typeof import("node:path").posix.join>("node:path", "join");
      assertEquals(await joined("a", "b"), "a/b");
      await servers.reload();
      for (const copy of await copies()) assert(!before.includes(copy));
      await servers.shutdown();
      assertEquals(await joined("c", "d"), "c/d");
      await assertRejects(() => serveAll(APP, { port: 0, pool, threads: 3 }), RangeError, "the pool has 2");
    }));

  it("ends the servers where onListen throws, and says so", () =>
    run(async () => {
      let port = 0;
      const onListen = (address: { port: number }): void => {
        port = address.port;
        throw new Error("not today");
      };
      await assertRejects(() => serving({ onListen, pool }), Error, "not today");
      await assertRejects(
        () => TcpStream.connect({ hostname: "127.0.0.1", port }),
        SystemError,
        "ECONNREFUSED",
      );
    }));

  it("ends the servers where the runtime ends before them", async () => {
    const servers = await run(() => serving({}));
    await servers.finished;
    await run(() => assertRejects(() => TcpStream.connect(servers.address), SystemError, "ECONNREFUSED"));
  });

  it("tells what is wrong with the module before anybody listens", () =>
    run(async () => {
      await assertRejects(
        () => serving({ export: "other", pool }),
        TypeError,
        'has no export "other", but default',
      );
      await assertRejects(
        () => serving({ export: "number", pool }),
        TypeError,
        "is no function, and has no method",
      );
      const error = await assertRejects(() => serving({ pool }, new URL("./none.ts", APP)), Error);
      assertStringIncludes(error.message, "none.ts");
    }));

  it("tells that the port is in use, by other servers on all cores too", () =>
    run(async () => {
      using socket = Socket.listen({ hostname: "127.0.0.1", port: 0 }, { reusePort: true });
      const { port } = socket.localAddress;
      for (const distribute of ["reusePort", "pass"] as const) {
        await assertRejects(() => serving({ port, distribute, threads: 2 }), SystemError, "EADDRINUSE");
      }
    }));

  /** Writes a module that says by a connection that its import has begun, which never ends. */
  const settlesNever = (folder: string, { port }: { port: number }): URL => {
    const path = join(folder, "app.mjs");
    const text = `import { connect } from "node:net"; const socket = connect(${port}, "127.0.0.1");
      await new Promise(() => setTimeout(() => socket, 1e9));`;
    writeFileSync(path, text);
    return pathToFileURL(path);
  };

  for (const distribute of ["reusePort", "pass"] as const) {
    it(`ends servers whose module is never imported, by its signal and by shutdown(), by ${distribute}`, () =>
      run(async () => {
        using begun = TcpListener.bind({ hostname: "127.0.0.1", port: 0 });
        using folders = new DisposableStack();
        const folder = mkdtempSync(join(tmpdir(), "oxbow-never-"));
        folders.defer(() => rmSync(folder, { recursive: true }));
        const module = settlesNever(folder, begun.address);
        const before = descriptors();
        const controller = new AbortController();
        const options = { distribute, signal: controller.signal };
        const loading = assertRejects(() => serving(options, module), Error, "too long");
        (await begun.accept()).stream.close();
        controller.abort(new Error("too long"));
        await loading;
        await assertRejects(() => serving(options), Error, "too long");
        const servers = await serving({ distribute });
        const reloaded = assertRejects(() => servers.reload(module), Error, "before it listened");
        (await begun.accept()).stream.close();
        await servers.shutdown({ deadline: 0 });
        await reloaded;
        assertEquals(socketsSince(before), []);
      }));
  }

  it("refuses options that are none before it listens", () =>
    run(async () => {
      using taken = Socket.listen({ hostname: "127.0.0.1", port: 0 });
      const { port } = taken.localAddress;
      const wrong: readonly (readonly [string, unknown, string])[] = [
        ["signal", {}, "signal is [object Object]"],
        ["onListen", 1, "onListen is 1"],
        ["onCrash", "log", 'onCrash is "log"'],
        ["wrapGlobals", 0, "wrapGlobals is 0"],
        ["maxConnections", 0, "maxConnections is 0"],
        ["maxConnections", "9", 'maxConnections is "9"'],
        ["export", "", 'export is ""'],
        ["export", 1, "export is 1"],
        ["pool", {}, "pool is [object Object]"],
      ];
      for (const [name, value, message] of wrong) {
        await assertRejects(() => serving({ port, [name]: value }), Error, `cannot serve: ${message}`);
      }
      const closed = Pool.open({ threads: 1 });
      await closed.close();
      await assertRejects(() => serving({ pool: closed }), PoolClosedError);
      await using servers = await serving({ pool });
      await assertRejects(() => servers.reload("nope"), TypeError, 'cannot reload: module is "nope"');
      const options = (text: string): undefined => JSON.parse(text);
      await assertRejects(() => servers.reload(APP, options("null")), TypeError, "options are no object");
      await assertRejects(() => servers.reload(APP, options('{ "dead": 1 }')), TypeError, '"dead"');
      await assertRejects(() => servers.reload(APP, { deadline: -1 }), RangeError, "deadline is -1");
    }));

  it("refuses what it cannot serve with", async () => {
    await assertRejects(() => serveAll("./app.ts"), TypeError, "module is");
    await assertRejects(() => serving({ threads: 0 }), RangeError, "threads is 0");
    await assertRejects(() => serving({ threads: 1.5 }), RangeError, "threads is 1.5");
    const misspelt = JSON.parse('{ "distribute": "chance" }');
    await assertRejects(() => serving(misspelt), TypeError, 'distribute is "chance"');
    await assertRejects(() => serving(JSON.parse('{ "thread": 1 }')), TypeError, "thread");
  });
});
