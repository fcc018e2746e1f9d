import { assert, assertMatch } from "@std/assert";
import { describe, it } from "node:test";
import { connected, eventually, serverProcess, told } from "./server_process.ts";

const LAST = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
/** Bun's own threads and files take more than Deno's and Node's. */
const LIMIT = 96;

describe("a server at its limit of descriptors", () => {
  it("serves those whom it has, waits with the others, and accepts again when some have gone", async () => {
    using server = await serverProcess(`() => new Response("hello")`, "", `ulimit -n ${LIMIT}`);
    assertMatch(await told(server.port, LAST), /^HTTP\/1\.1 200 /);
    const first = await connected(server.port);
    const silent = await Promise.all(Array.from({ length: LIMIT + 20 }, () => connected(server.port)));
    try {
      assert(
        await eventually(() => server.descriptors() >= LIMIT - 2),
        `${server.descriptors()} descriptors`,
      );
      // Whom it has is served.
      const answer = new Promise<string>((resolve) => first.once("data", (part) => resolve(part.toString())));
      first.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
      assertMatch(await answer, /^HTTP\/1\.1 200 /);
      // One more waits in the kernel's queue until there is room.
      const waiting = told(server.port, LAST);
      for (const socket of silent) socket.destroy();
      assertMatch(await waiting, /^HTTP\/1\.1 200 /);
      for (let i = 0; i < 10; i++) assertMatch(await told(server.port, LAST), /^HTTP\/1\.1 200 /);
      assert(await eventually(() => server.descriptors() < LIMIT / 2));
    } finally {
      for (const socket of silent) socket.destroy();
      first.destroy();
    }
  });
});
