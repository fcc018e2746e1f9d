import { assert, assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "node:test";
import { moduleUrl } from "../../child.ts";
import { tiered } from "../../tier.ts";
import {
  connected,
  eventually,
  received,
  type ServerProcess,
  serverProcess,
  told,
} from "./server_process.ts";

const SECONDS = tiered({ quick: 1, full: 10, soak: 300 });
/** It is looked at after each. */
const PARTS = 4;
const AT_ONCE = 24;
const LAST = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
const MIB = 1 << 20;

/** Echoes bodies, streams, is slow, throws. \`/metrics\` tells what its runtime has. */
const HANDLER = `async (request) => {
  switch (new URL(request.url).pathname) {
    case "/metrics": {
      const { Runtime } = await import("${moduleUrl("lib/task/mod.ts")}");
      return Response.json(Runtime.current().metrics());
    }
    case "/count": {
      let length = 0;
      for await (const part of request.body) length += part.length;
      return new Response(String(length));
    }
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

const CHUNKED = `POST /count HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n${
  `2710\r\n${"x".repeat(10_000)}\r\n`.repeat(10)
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
  { text: `${CHUNKED}0\r\n\r\n`, answer: /\r\n\r\n100000$/ },
  { text: CHUNKED, answer: null },
  { text: "GET /slow HTTP/1.1\r\nHost: a\r\n\r\n".repeat(50), answer: null },
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

interface Counts {
  answered: number;
  aborted: number;
}

/** One client after another, until the time is over. How many were answered, or went away, and what was wrong. */
async function clients(
  server: ServerProcess,
  seed: number,
  until: number,
  counts: Counts,
  faults: string[],
): Promise<void> {
  const numbers = random(seed);
  const next = (): number => numbers.next().value ?? 0;
  while (performance.now() < until) {
    const { text, answer, times = 1 } = KINDS[Math.floor(next() * KINDS.length)];
    if (answer !== null) {
      const said = await told(server.port, text);
      if (said.split(answer).length === times + 1) counts.answered++;
      else faults.push(`${JSON.stringify(text.slice(0, 80))} was told ${JSON.stringify(said.slice(0, 200))}`);
      continue;
    }
    const socket = await connected(server.port);
    // Some of them read nothing before they go.
    if (next() < 0.2) socket.pause();
    const gone = received(socket);
    socket.write(text, "latin1");
    await new Promise((resolve) => setTimeout(resolve, 10 * next()));
    if (next() < 0.5) socket.resetAndDestroy();
    else socket.destroy();
    await gone;
    counts.aborted++;
  }
}

/** What a server holds while it has no client but the one that asks. */
interface Held {
  readonly descriptors: number;
  readonly tasks: number;
  readonly registrations: number;
  readonly timers: number;
  readonly promises: number;
  readonly memory: number;
}

async function heldBy(server: ServerProcess): Promise<Held> {
  const answer = await told(server.port, LAST.replace("/", "/metrics"));
  const { alive, registrations, timers, promises } = JSON.parse(answer.slice(answer.indexOf("\r\n\r\n")));
  assert(await eventually(() => server.connections() === 0), `${server.connections()} connections`);
  const memory = server.anonymous();
  return { descriptors: server.descriptors(), tasks: alive, registrations, timers, promises, memory };
}

describe("a server at saturation, of whose clients half go away in the middle", () => {
  it(`answers the others, and holds no descriptor, task, timer and no more memory in the end, for ${SECONDS} s`, async () => {
    using server = await serverProcess(HANDLER, `onError: () => new Response("oops", { status: 500 })`);
    assertMatch(await told(server.port, LAST), /hello$/);
    const faults: string[] = [];
    const counts = { answered: 0, aborted: 0 };
    const load = async (seconds: number, seed: number): Promise<Held> => {
      const until = performance.now() + 1000 * seconds;
      await Promise.all(
        Array.from({ length: AT_ONCE }, (_, i) => clients(server, seed + i, until, counts, faults)),
      );
      assert(await eventually(() => server.connections() === 0), `${server.connections()} connections`);
      return await heldBy(server);
    };
    // The compilers and the collector come to rest in the first parts.
    const held: Held[] = [];
    for (let part = 0; part < PARTS; part++) held.push(await load(SECONDS / PARTS, 1000 * part));
    console.log(`${JSON.stringify(counts)}\n${held.map((one) => JSON.stringify(one)).join("\n")}`);
    assertEquals(faults.slice(0, 5), []);
    assert(counts.answered > 20 && counts.aborted > 20, JSON.stringify(counts));
    const { memory: settled, descriptors: before, ...first } = held[PARTS / 2 - 1];
    const { memory: last, descriptors: after, ...end } = held[PARTS - 1];
    assertEquals(end, first);
    // The host may close one of its own.
    assert(after <= before, `${after} descriptors, after ${before}`);
    assert(last - settled < 64 * MIB, `it grew by ${last - settled}`);
    assertMatch(await told(server.port, LAST), /hello$/);
  });
});
