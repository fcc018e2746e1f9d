import { describe, it } from "node:test";
import { assertEquals, assertMatch } from "@std/assert";
import process from "node:process";
import { Peer, serveExample, startExample } from "./program.ts";

const PATH = "examples/net/all_cores.ts";

/** What a connection of its own is answered. */
async function answer(port: number, path: string): Promise<string> {
  using peer = new Peer(port);
  peer.say(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
  await peer.closed;
  return peer.text.slice(peer.text.indexOf("\r\n\r\n") + 4);
}

describe(PATH, () => {
  it("answers, takes new servers on SIGHUP, and ends in order on SIGTERM", async () => {
    const { child, ended } = startExample(PATH);
    let said = "";
    let onSaid: () => void = () => {};
    child.stdout?.on("data", (text) => {
      said += text;
      onSaid();
    });
    const says = (text: RegExp): Promise<void> =>
      new Promise((resolve, reject) => {
        onSaid = () => text.test(said) && resolve();
        onSaid();
        ended.then(({ stderr }) => reject(new Error(`it has ended, and said: ${stderr}`)));
      });
    await says(/127\.0\.0\.1:\d+\//);
    const port = Number(/127\.0\.0\.1:(\d+)\//.exec(said)?.[1]);
    assertEquals(await answer(port, "/primes/100"), "25\n");
    const before = await answer(port, "/");
    assertMatch(before, /^server [0-9a-f]{8}, answer \d\n$/);
    if (child.pid !== undefined) process.kill(child.pid, "SIGHUP");
    await says(/reloaded/);
    const after = await answer(port, "/");
    assertMatch(after, /^server [0-9a-f]{8}, answer 1\n$/);
    if (child.pid !== undefined) process.kill(child.pid, "SIGTERM");
    const { code, stdout } = await ended;
    assertEquals(code, 0);
    assertMatch(stdout, /^3 requests, 0 servers left$/m);
  });

  it("passes connections to its servers where it is told to", async () => {
    await using server = await serveExample(PATH, "0", "pass");
    assertEquals(await answer(server.port, "/primes/30"), "10\n");
    assertEquals((await server.end()).code, 0);
  });
});
