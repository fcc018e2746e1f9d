/**
 * What a server's process holds for bodies: the array buffers that are alive once the collector has been, and what
 * /proc says of its memory while 100 MB pass through it.
 */
import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { moduleUrl } from "../../child.ts";
import {
  connected,
  eventually,
  received,
  type ServerProcess,
  serverProcess,
  told,
} from "./server_process.ts";

const CONNECTIONS = 200;
/** Of each connection. */
const BODY = 200_000;
const MOST_HELD = 65536;
/** Of a connection that waits for its next request. */
const MOST_IDLE = 1024;
/** What else is alive there comes and goes, most of it in Bun, whose strings and code are counted with it. */
const OTHER = 1_500_000;

/** Tells how many bytes of array buffers are alive, in a program of its own. */
const ALIVE = `
  const { default: process } = await import("node:process");
  const { collect, gc } = await import("${moduleUrl("tests/collector.ts")}");
  const jsc = "Bun" in globalThis ? await import("bun:jsc") : null;
  const alive = async () => {
    await collect();
    if (jsc !== null) return jsc.heapStats().extraMemorySize;
    const { arrayBuffers, external } = process.memoryUsage();
    // Deno tells of those together with all that is outside of the heap.
    return arrayBuffers === 0 ? external : arrayBuffers;
  };
`;

/**
 * Takes half of a body, then waits for \`/go\`. \`/alive\` tells of the array buffers, \`/waiting\` how many wait. The
 * handler holds what it read last.
 */
const HALFWAY = `
  let gate = Promise.withResolvers();
  let waiting = 0;
  const take = async (read) => {
    let length = 0;
    for (let part = await read(); part !== null; part = await read()) {
      const before = length;
      length += part.length;
      if (before < ${BODY / 2} && length >= ${BODY / 2}) {
        waiting++;
        await gate.promise;
      }
    }
    return String(length);
  };
  const answer = async (path, read) => {
    switch (path) {
      case "/alive":
        return String(await alive());
      case "/waiting":
        return String(waiting);
      case "/go":
        gate.resolve();
        gate = Promise.withResolvers();
        waiting = 0;
        return "gone";
      default:
        return await take(read);
    }
  };
`;

const HANDLERS = {
  serve: `await (async () => {
    ${ALIVE} ${HALFWAY}
    return async (request) => {
      const reader = request.body?.getReader();
      const read = async () => (await reader.read()).value ?? null;
      return new Response(await answer(new URL(request.url).pathname, read));
    };
  })()`,
  serveLean: `await (async () => {
    ${ALIVE} ${HALFWAY}
    return async (request, response) => response.end(await answer(request.path, () => request.read()));
  })()`,
} as const;

async function ask(server: ServerProcess, path: string): Promise<string> {
  const answer = await told(server.port, `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
  return answer.slice(answer.indexOf("\r\n\r\n") + 4);
}

async function aliveIn(server: ServerProcess): Promise<number> {
  return Number(await ask(server, "/alive"));
}

function chunksOf(size: number): string {
  return `${size.toString(16)}\r\n${"x".repeat(size)}\r\n`.repeat(BODY / size) + "0\r\n\r\n";
}

/** How a body is sent: what follows the request line, and the body's bytes. */
const FRAMINGS = [
  { name: "by its length", fields: `Content-Length: ${BODY}`, body: "x".repeat(BODY) },
  { name: "in chunks of 1,000 bytes", fields: "Transfer-Encoding: chunked", body: chunksOf(1_000) },
] as const;

/** What more is alive while each of the connections is in the middle of its body, and once they wait for another request. */
async function halfway(
  server: ServerProcess,
  { fields, body }: typeof FRAMINGS[number],
): Promise<{ held: number; idle: number }> {
  const before = await aliveIn(server);
  const sockets = await Promise.all(Array.from({ length: CONNECTIONS }, () => connected(server.port)));
  try {
    let answers = 0;
    for (const socket of sockets) {
      socket.on("data", (bytes) => answers += String(bytes).endsWith(String(BODY)) ? 1 : 0);
      // The head comes in two pieces, so that it is kept until it is whole.
      socket.write(`POST / HTTP/1.1\r\nHost: a\r\nX-Long: ${"x".repeat(10_000)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
    for (const socket of sockets) socket.write(`\r\n${fields}\r\n\r\n${body}`);
    let waiting = 0;
    for (let i = 0; i < 400 && waiting < CONNECTIONS; i++) {
      await new Promise((resolve) => setTimeout(resolve, 25));
      waiting = Number(await ask(server, "/waiting"));
    }
    assertEquals(waiting, CONNECTIONS);
    const held = await aliveIn(server) - before;
    await ask(server, "/go");
    assert(await eventually(() => answers === CONNECTIONS), `${answers} answers`);
    return { held, idle: await aliveIn(server) - before };
  } finally {
    for (const socket of sockets) socket.destroy();
  }
}

describe("the memory that a server holds for bodies", () => {
  for (const kind of ["serve", "serveLean"] as const) {
    it(`is at most 64 KiB for each that its handler of ${kind} reads, and nothing after it`, async () => {
      using server = await serverProcess(HANDLERS[kind], "", ":", kind);
      // The compilers' memory is beside that of the first connections.
      await halfway(server, FRAMINGS[0]);
      for (const framing of FRAMINGS) {
        const { held, idle } = await halfway(server, framing);
        const each = `${framing.name}: ${held / CONNECTIONS} bytes each, ${
          idle / CONNECTIONS
        } of those that wait`;
        assert(held <= CONNECTIONS * MOST_HELD + OTHER, each);
        assert(idle <= CONNECTIONS * MOST_IDLE + OTHER, each);
      }
    });
  }

  it("is two parts of a streamed answer at most for each client that never reads", async () => {
    // A part of each stands out from all else that is alive, and few clients have the kernel buffer less.
    const [clients, size] = [80, 125_000];
    const handler = `await (async () => {
      ${ALIVE}
      let taken = 0;
      return async (request) => {
        switch (new URL(request.url).pathname) {
          case "/alive":
            return new Response(String(await alive()));
          case "/taken":
            return new Response(String(taken));
          default:
            return new Response(new ReadableStream({
              pull(controller) {
                taken++;
                controller.enqueue(new Uint8Array(${size}));
              },
            }, { highWaterMark: 0 }));
        }
      };
    })()`;
    using server = await serverProcess(handler);
    await aliveIn(server);
    const before = await aliveIn(server);
    const sockets = await Promise.all(Array.from({ length: clients }, () => connected(server.port)));
    try {
      for (const socket of sockets) {
        socket.pause();
        socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
      }
      let [taken, last] = [0, -1];
      while (taken === 0 || taken !== last) {
        last = taken;
        await new Promise((resolve) => setTimeout(resolve, 100));
        taken = Number(await ask(server, "/taken"));
      }
      const held = await aliveIn(server) - before;
      assert(held <= clients * 2 * (size + 100) + OTHER, `${Math.round(held / clients)} bytes each`);
    } finally {
      for (const socket of sockets) socket.destroy();
    }
  });

  for (const kind of ["serve", "serveLean"] as const) {
    it(`lets 100 MB pass through a handler of ${kind} in a process that grows by a few MiB`, async () => {
      const take = `const take = async (read) => {
        let [length, next] = [0, 0];
        for (let part = await read(); part !== null; part = await read()) {
          length += part.length;
          if (length < next) continue;
          next = length + 5_000_000;
          gc();
        }
        return String(length);
      };`;
      const handler = kind === "serve"
        ? `await (async () => {
          ${ALIVE} ${take}
          return async ({ body }) => {
            const reader = body.getReader();
            return new Response(await take(async () => (await reader.read()).value ?? null));
          };
        })()`
        : `await (async () => {
          ${ALIVE} ${take}
          return async (request, response) => response.end(await take(() => request.read()));
        })()`;
      using server = await serverProcess(handler, "", ":", kind);
      const part = "x".repeat(1_000_000);
      const upload = async (parts: number, look: () => void): Promise<void> => {
        const socket = await connected(server.port);
        const answer = received(socket, 60_000);
        socket.write(
          `POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: ${parts * part.length}\r\n\r\n`,
        );
        for (let i = 0; i < parts; i++) {
          if (!socket.write(part)) await new Promise((resolve) => socket.once("drain", resolve));
          look();
        }
        assert((await answer).endsWith(`\r\n\r\n${parts * part.length}`));
      };
      // The compilers come to rest.
      await upload(30, () => {});
      const before = server.anonymous();
      let most = before;
      await upload(100, () => most = Math.max(most, server.anonymous()));
      assert(most - before < 16 << 20, `it grew by ${most - before}`);
    });
  }
});
