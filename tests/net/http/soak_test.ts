import { assert, assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "node:test";
import { tiered } from "../../tier.ts";
import {
  connected,
  eventually,
  received,
  type ServerProcess,
  serverProcess,
  told,
} from "./server_process.ts";

const SECONDS = tiered({ quick: 2, full: 10, soak: 300 });
const AT_ONCE = 24;
const LAST = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
const MIB = 1 << 20;

/** Echoes bodies, streams, is slow, throws. */
const HANDLER = `async (request) => {
  switch (new URL(request.url).pathname) {
    case "/echo":
      return new Response(await request.text());
    case "/stream":
      return new Response(new ReadableStream({
        async pull(controller) {
          await new Promise((resolve) => setTimeout(resolve, 1));
          controller.enqueue(new Uint8Array(8192));
        },
      }));
    case "/slow":
      await new Promise((resolve) => setTimeout(resolve, 5));
      return new Response("slow");
    case "/throw":
      throw new Error("thrown");
    default:
      return new Response("hello");
  }
}`;

/** What is asked for, and how it is to end: by an answer, or by the client, who goes after so many milliseconds. */
const KINDS: readonly { text: string; answer: RegExp | null; times?: number }[] = [
  { text: `${"GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(50)}${LAST}`, answer: /hello/, times: 51 },
  { text: LAST.replace("/", "/slow"), answer: /slow$/ },
  { text: LAST.replace("/", "/throw"), answer: /^HTTP\/1\.1 500 / },
  {
    text: `POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 10000\r\n\r\n${
      "x".repeat(10000)
    }`,
    answer: /x{10000}$/,
  },
  {
    text:
      "POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    answer: /hello$/,
  },
  { text: "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", answer: /^HTTP\/1\.1 400 / },
  { text: "GET / HTTP/1.1\r\nHo", answer: null },
  { text: "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10000\r\n\r\nx", answer: null },
  { text: LAST.replace("/", "/stream"), answer: null },
  { text: LAST.replace("/", "/slow"), answer: null },
  { text: "", answer: null },
];

/** Numbers that look random, and are the same in each run. */
function* random(seed: number): Generator<number> {
  for (let state = seed;;) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    yield state / 2 ** 32;
  }
}

/** One client after another, until the time is over. How many were answered, and what was wrong. */
async function clients(
  server: ServerProcess,
  seed: number,
  until: number,
  faults: string[],
): Promise<number> {
  let answered = 0;
  const numbers = random(seed);
  const next = (): number => numbers.next().value ?? 0;
  while (performance.now() < until) {
    const { text, answer, times = 1 } = KINDS[Math.floor(next() * KINDS.length)];
    if (answer !== null) {
      const said = await told(server.port, text);
      if (said.split(answer).length === times + 1) answered++;
      else faults.push(`${JSON.stringify(text.slice(0, 80))} was told ${JSON.stringify(said.slice(0, 200))}`);
      continue;
    }
    const socket = await connected(server.port);
    const gone = received(socket);
    socket.write(text, "latin1");
    await new Promise((resolve) => setTimeout(resolve, 10 * next()));
    if (next() < 0.5) socket.resetAndDestroy();
    else socket.destroy();
    await gone;
  }
  return answered;
}

describe("a server at saturation, of whose clients half go away in the middle", () => {
  it(`answers the others, and holds no socket and no more memory in the end, for ${SECONDS} s`, async () => {
    using server = await serverProcess(HANDLER, `onError: () => new Response("oops", { status: 500 })`);
    assertMatch(await told(server.port, LAST), /hello$/);
    const faults: string[] = [];
    const load = async (seconds: number, seed: number): Promise<number> => {
      const until = performance.now() + 1000 * seconds;
      const counts = await Promise.all(
        Array.from({ length: AT_ONCE }, (_, i) => clients(server, seed + i, until, faults)),
      );
      assert(
        await eventually(() => server.connections() === 0),
        `${server.connections()} connections`,
      );
      return counts.reduce((sum, count) => sum + count, 0);
    };
    // The compilers and the collector come to rest in the first part.
    const warm = await load(SECONDS / 2, 1);
    const settled = server.memory();
    const answered = await load(SECONDS / 2, 1000);
    assertEquals(faults.slice(0, 5), []);
    assert(warm > 20 && answered > 20, `${warm} and ${answered} answers`);
    assert(server.memory() - settled < 64 * MIB, `it grew by ${server.memory() - settled}`);
    assertMatch(await told(server.port, LAST), /hello$/);
  });
});
