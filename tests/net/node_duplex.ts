/** What the tests of `toNodeDuplex` and of `fromNodeDuplex` have in common. */
import { once } from "node:events";
import { createServer, type Socket as HostSocket } from "node:net";
import { it } from "node:test";
import { run } from "../../lib/task/mod.ts";

export const local = { hostname: "127.0.0.1", port: 0 };

export function pattern(length: number, seed = 0): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8) * 7 + seed) & 255);
}

/** Turns of the host's loop, in which its streams tell what they have to tell. */
export async function turns(count = 10): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** The same in a runtime's own loop and in the host's. */
export function inBoth(name: string, test: () => Promise<void>): void {
  it(`${name}, in run`, () => run(test));
  it(`${name}, in the host's loop`, test);
}

export async function served(handle: (socket: HostSocket) => void): Promise<{ port: number } & Disposable> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => {});
    handle(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return { port, [Symbol.dispose]: () => void server.close() };
}
