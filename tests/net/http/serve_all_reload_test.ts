import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { serveAll } from "../../../lib/net/http.ts";
import { run, sleep } from "../../../lib/task/mod.ts";
import { tiered } from "../../tier.ts";
import { APP, askOnce, Client } from "./serve_all_client.ts";

const THREADS = 2;
const RELOADS: number = tiered({ quick: 1, full: 5, soak: 50 });
const CLIENTS = 4;
/** Between two requests of a client, which leave the machine to the threads that start. */
const PAUSE_MS = 5;
/** Between two while one thread takes another's place. */
const BUSY_PAUSE_MS = 1;

for (const distribute of ["reusePort", "pass"] as const) {
  describe(`reload() of servers, by ${distribute}`, () => {
    it(`refuses and loses no request of short connections during ${RELOADS} reloads`, () =>
      run(async () => {
        await using servers = await serveAll(APP, { port: 0, threads: THREADS, distribute });
        let isOver = false;
        let isTurning = false;
        let before: ReadonlySet<string> = new Set();
        const answered = new Set<string>();
        const failures: unknown[] = [];
        let requests = 0;
        const client = async (): Promise<void> => {
          while (!isOver) {
            try {
              const { status, text } = await askOnce(servers.address);
              if (status !== 200) failures.push(status);
              answered.add(text);
              isTurning = !before.has(text);
            } catch (error) {
              failures.push(error);
            }
            requests++;
            await sleep(isTurning ? BUSY_PAUSE_MS : PAUSE_MS);
          }
        };
        const clients = Array.from({ length: CLIENTS }, client);
        for (let i = 0; i < RELOADS; i++) {
          answered.clear();
          while (answered.size === 0) await sleep(PAUSE_MS);
          before = new Set(answered);
          isTurning = false;
          await servers.reload();
          const { text } = await askOnce(servers.address);
          assert(!before.has(text), `thread ${text} has ended`);
        }
        isOver = true;
        await Promise.all(clients);
        assertEquals(failures, []);
        assertEquals(servers.metrics().crashes, 0);
        assert(servers.metrics().requests >= requests);
      }));

    it("lets who is connected ask once more, and says that the connection ends", () =>
      run(async () => {
        await using servers = await serveAll(APP, { port: 0, threads: 1, distribute });
        using idle = await Client.connect(servers.address);
        const { text: old, isLast } = await idle.ask();
        assertEquals(isLast, false);
        using busy = await Client.connect(servers.address);
        await busy.send("/wait");
        // The connection before has its turn first.
        using other = await Client.connect(servers.address);
        assertEquals((await other.ask()).text, old);
        const reloaded = servers.reload(undefined, { deadline: 60_000 });
        // Whom the new ones answer finds them listening, and the old ones told.
        while ((await askOnce(servers.address)).text === old) await sleep(PAUSE_MS);
        let last = await idle.ask();
        while (!last.isLast) last = await idle.ask();
        assertEquals(last.text, old);
        assert(await idle.isClosed());
        assertEquals(await other.ask("/open"), { status: 200, isLast: true, text: "opened" });
        assertEquals(await busy.answer(), { status: 200, isLast: true, text: "waited" });
        await reloaded;
      }));
  });
}

describe("reload()", () => {
  it("serves the module as it is now, and what that imports; keeps the old one where the new one is broken", async () => {
    const folder = mkdtempSync(join(tmpdir(), "oxbow-reload-"));
    const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);
    try {
      write("word.mjs", `export const word = "one";`);
      write(
        "app.mjs",
        `import { word } from "./word.mjs"; export default () => new Response("first " + word);`,
      );
      await run(async () => {
        await using servers = await serveAll(pathToFileURL(join(folder, "app.mjs")), { port: 0, threads: 1 });
        assertEquals((await askOnce(servers.address)).text, "first one");
        write(
          "app.mjs",
          `import { word } from "./word.mjs"; export default () => new Response("second " + word);`,
        );
        write("word.mjs", `export const word = "two";`);
        await servers.reload();
        assertEquals((await askOnce(servers.address)).text, "second two");
        write("app.mjs", `throw new Error("broken");`);
        await assertRejects(() => servers.reload(), Error, "broken");
        assertEquals((await askOnce(servers.address)).text, "second two");
        write("other.mjs", `export default { fetch: () => new Response("other") };`);
        await servers.reload(pathToFileURL(join(folder, "other.mjs")));
        assertEquals((await askOnce(servers.address)).text, "other");
        await servers.shutdown();
        await assertRejects(() => servers.reload(), Error, "cannot reload: the servers shut down");
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
