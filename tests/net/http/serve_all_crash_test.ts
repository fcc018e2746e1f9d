import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { serveAll } from "../../../lib/net/http.ts";
import { run, sleep } from "../../../lib/task/mod.ts";
import { descriptors } from "../../descriptors.ts";
import { APP, Client, socketsSince } from "./serve_all_client.ts";

/** Who asks must be given another thread before so many connections were opened. */
const MOST = 5_000;
/** So many come at once, and the others by and by, while the thread starts. */
const AT_ONCE = 50;
const PAUSE_MS = 2;

for (const distribute of ["reusePort", "pass"] as const) {
  describe(`a server that crashes, by ${distribute}`, () => {
    it("loses its own connections and nobody else's, and another takes its place", () =>
      run(async () => {
        const before = descriptors();
        const told: unknown[] = [];
        const servers = await serveAll(APP, {
          port: 0,
          threads: 2,
          distribute,
          onCrash: (error) => told.push(error),
        });
        const clients: Client[] = [];
        const byThread = new Map<string, Client[]>();
        while (byThread.size < 2 || [...byThread.values()].some(({ length }) => length < 2)) {
          const client = await Client.connect(servers.address);
          clients.push(client);
          const { text } = await client.ask();
          byThread.set(text, [...byThread.get(text) ?? [], client]);
        }
        const [theirs, others] = byThread.values();
        await theirs[0].send("/crash");
        for (const client of theirs) assert(await client.isClosed());
        for (const client of others) assertEquals((await client.ask()).status, 200);
        // Whoever connects meanwhile is answered by one that is there, or that comes.
        let fresh = "";
        for (let i = 0; i < MOST && fresh === ""; i++) {
          using client = await Client.connect(servers.address);
          const { status, text } = await client.ask();
          assertEquals(status, 200);
          if (!byThread.has(text)) fresh = text;
          if (i >= AT_ONCE) await sleep(PAUSE_MS);
        }
        assert(fresh !== "");
        assertEquals(told.length, 1);
        assert(told[0] instanceof Error);
        const { crashes, workers, requests } = servers.metrics();
        assertEquals([crashes, workers.length], [1, 2]);
        assert(requests > clients.length);
        await servers.shutdown();
        for (const client of clients) client[Symbol.dispose]();
        assertEquals(socketsSince(before), []);
      }));
  });
}
