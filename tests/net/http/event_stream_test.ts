import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { eventStream, formatEvent, type ServerSentEvent } from "../../../lib/net/http.ts";
import { TcpStream } from "../../../lib/net/mod.ts";
import { mpsc } from "../../../lib/task/channel.ts";
import { Stream } from "../../../lib/task/stream.ts";
import { sleep } from "../../../lib/task/mod.ts";
import { skipping } from "../../skip.ts";
import { encoder, GET, readAll, serving } from "./client.ts";

/** What a client dispatches: the HTML standard's "interpreting an event stream", read naively. */
function dispatched(
  text: string,
): { events: Required<Omit<ServerSentEvent, "comment" | "retry">>[]; retry: number } {
  const events: Required<Omit<ServerSentEvent, "comment" | "retry">>[] = [];
  let [data, event, id, retry] = [[""].slice(1), "", "", NaN];
  for (const line of text.split(/\r\n|\r|\n/).slice(0, -1)) {
    if (line === "") {
      if (data.length > 0) events.push({ data: data.join("\n"), event: event || "message", id });
      data = [];
      event = "";
      continue;
    }
    const colon = line.indexOf(":");
    if (colon === 0) continue;
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "data") data.push(value);
    if (field === "event") event = value;
    if (field === "id") id = value;
    if (field === "retry") retry = Number(value);
  }
  return { events, retry };
}

const line = fc.string({ unit: fc.constantFrom(..."ab: é\u2028😀\t0"), maxLength: 8 });
const text = fc.string({ unit: fc.constantFrom(..."ab: \n\r\té"), maxLength: 12 });
const anyEvent = fc.record(
  { data: text, event: line, id: line, retry: fc.nat(), comment: text },
  { requiredKeys: [] },
);

/** What comes from those who have no types. */
function passedOff(value: unknown, key: string = "value"): Iterable<ServerSentEvent> {
  return Reflect.get({ value }, key);
}

describe("formatEvent()", () => {
  it("writes what a client reads as it was meant, whatever lines are in it", () => {
    fc.assert(fc.property(fc.array(anyEvent, { maxLength: 5 }), (events) => {
      let id = "";
      const expected = events.flatMap((one) => {
        id = one.id ?? id;
        if (one.data === undefined) return [];
        return [{ data: one.data.replace(/\r\n|\r/g, "\n"), event: one.event || "message", id }];
      });
      const read = dispatched(events.map(formatEvent).join(""));
      assertEquals(read.events, expected);
      assertEquals(read.retry, events.findLast(({ retry }) => retry !== undefined)?.retry ?? NaN);
    }));
  });

  it("ends each event with an empty line, and begins comments with a colon", () => {
    assertStrictEquals(formatEvent({ data: "a\nb" }), "data: a\ndata: b\n\n");
    assertStrictEquals(formatEvent({ data: "" }), "data: \n\n");
    assertStrictEquals(
      formatEvent({ comment: "a\r\nb", event: "e", data: "d", id: "1", retry: 2 }),
      ": a\n: b\nevent: e\ndata: d\nid: 1\nretry: 2\n\n",
    );
  });

  const wrong: [Record<string, unknown>, string][] = [
    [{ event: "a\nb" }, "event"],
    [{ event: "a\rb" }, "event"],
    [{ id: "a\nb" }, "id"],
    [{ id: "a\0" }, "NUL"],
    [{ id: 1 }, "id"],
    [{ retry: 1.5 }, "retry"],
    [{ retry: -1 }, "retry"],
    [{ retry: Infinity }, "retry"],
    [{ data: 1 }, "data"],
    [{ comment: {} }, "comment"],
    [{ dat: "a" }, "dat"],
  ];
  for (const [event, name] of wrong) {
    it(`refuses ${JSON.stringify(event)}`, () => {
      const error = assertThrows(() => formatEvent(event), TypeError);
      assert(error.message.startsWith("cannot send an event") && error.message.includes(name));
    });
  }
});

describe("eventStream()", () => {
  it("sends the events of an array, of an async generator and of a stream", () => {
    async function* generate(): AsyncGenerator<ServerSentEvent> {
      yield { data: "1" };
      await sleep(1);
      yield { data: "2" };
    }
    const stream = (): Stream<ServerSentEvent> => Stream.from([1, 2]).map((n) => ({ data: String(n) }));
    const sources = [() => [{ data: "1" }, { data: "2" }], generate, stream];
    return serving(
      (request) => eventStream(sources[Number(new URL(request.url).pathname.slice(1))]()),
      {},
      async ({ address }) => {
        for (let i = 0; i < sources.length; i++) {
          const response = await fetch(`http://127.0.0.1:${address.port}/${i}`);
          assertStrictEquals(response.headers.get("content-type"), "text/event-stream");
          assertStrictEquals(response.headers.get("cache-control"), "no-cache");
          assertEquals(dispatched(await response.text()).events.map(({ data }) => data), ["1", "2"]);
        }
      },
    );
  });

  it("sends the fields that it is given, but its own type", () => {
    const headers = { "cache-control": "no-store", "content-type": "text/plain", "x-accel-buffering": "no" };
    const response = eventStream([], { headers });
    assertStrictEquals(response.headers.get("cache-control"), "no-store");
    assertStrictEquals(response.headers.get("content-type"), "text/event-stream");
    assertStrictEquals(response.headers.get("x-accel-buffering"), "no");
  });

  it("sends an event as soon as it is there", () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    async function* two(): AsyncGenerator<ServerSentEvent> {
      yield { data: "first" };
      await promise;
      yield { data: "second" };
    }
    return serving(() => eventStream(two()), {}, async ({ address }) => {
      const response = await fetch(`http://127.0.0.1:${address.port}/`);
      const reader = response.body?.getReader();
      const decoder = new TextDecoder();
      assertStrictEquals(decoder.decode((await reader?.read())?.value), "data: first\n\n");
      resolve();
      assertStrictEquals(decoder.decode((await reader?.read())?.value), "data: second\n\n");
      assertStrictEquals((await reader?.read())?.done, true);
    });
  });

  it("sends comments while there is no event, and loses none for it", () => {
    const { promise: commented, resolve } = Promise.withResolvers<void>();
    async function* slow(): AsyncGenerator<ServerSentEvent> {
      await commented;
      yield { data: "late" };
    }
    return serving(() => eventStream(slow(), { heartbeatMs: 5 }), {}, async ({ address }) => {
      const response = await fetch(`http://127.0.0.1:${address.port}/`);
      const decoder = new TextDecoder();
      let text = "";
      for await (const part of response.body ?? []) {
        text += decoder.decode(part, { stream: true });
        if (text.startsWith(":\n\n:\n\n")) resolve();
      }
      assertEquals(dispatched(text).events, [{ data: "late", event: "message", id: "" }]);
    });
  });

  it("asks for an event only when the client has taken the one before", async () => {
    let asked = 0;
    async function* endless(): AsyncGenerator<ServerSentEvent> {
      for (;;) {
        asked++;
        yield { data: "x".repeat(100_000) };
      }
    }
    const reader = eventStream(endless()).body?.getReader();
    await sleep(20);
    assertStrictEquals(asked, 0);
    await reader?.read();
    await sleep(20);
    assertStrictEquals(asked, 1);
    await reader?.cancel();
  });

  it("keeps little for a client that never reads", () => {
    let asked = 0;
    async function* endless(): AsyncGenerator<ServerSentEvent> {
      for (;;) {
        asked++;
        yield { data: "x".repeat(1_000_000) };
      }
    }
    return serving(() => eventStream(endless()), {}, async ({ address }) => {
      using stream = await TcpStream.connect(address);
      await stream.writeAll(encoder.encode(GET));
      let before = -1;
      while (asked !== before || asked === 0) {
        before = asked;
        await sleep(100);
      }
      // What the kernel's buffers hold on both sides, and the one that waits.
      assert(asked < 20, `${asked} events were made for nobody`);
    });
  });

  it("ends the source when the client has gone", () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    async function* talking(): AsyncGenerator<ServerSentEvent> {
      try {
        for (;;) yield { data: "x" };
      } finally {
        resolve("ended");
      }
    }
    return serving(() => eventStream(talking()), {}, async ({ address }) => {
      const stream = await TcpStream.connect(address);
      await stream.writeAll(encoder.encode(GET));
      await stream.read(new Uint8Array(100));
      stream.close();
      assertStrictEquals(await promise, "ended");
    });
  });

  it("finds out by a comment that the client of a silent source has gone, and drops what it waits for", () => {
    const [sender, receiver] = mpsc<ServerSentEvent>(1);
    return serving(() => eventStream(Stream.from(receiver), { heartbeatMs: 5 }), {}, async ({ address }) => {
      const stream = await TcpStream.connect(address);
      await stream.writeAll(encoder.encode(GET));
      await sender.send({ data: "x" });
      await stream.read(new Uint8Array(100));
      stream.close();
      await sender.closed();
      assertStrictEquals(sender.isClosed, true);
    });
  });

  it(
    "is read by an EventSource, which comes back with the last id",
    { skip: unlessEventSource() },
    () =>
      serving(
        (request) => {
          const last = Number(request.headers.get("last-event-id") ?? 0);
          return eventStream([{ id: String(last + 1), event: "tick", data: `${last + 1}\nline`, retry: 1 }]);
        },
        {},
        async ({ address }) => {
          const source: EventSource = Reflect.construct(EventSource, [`http://127.0.0.1:${address.port}/`]);
          const seen: string[] = [];
          await new Promise<void>((resolve) => {
            source.addEventListener("tick", (event) => {
              if (event instanceof MessageEvent && seen.push(event.data) === 3) resolve();
            });
          });
          source.close();
          assertEquals(seen.slice(0, 3), ["1\nline", "2\nline", "3\nline"]);
        },
      ),
  );

  it("ends by its signal, and ends the source", async () => {
    let isEnded = false;
    const source: AsyncIterable<ServerSentEvent> = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise<never>(() => undefined),
        return: () => {
          isEnded = true;
          return Promise.resolve({ done: true, value: undefined });
        },
      }),
    };
    const controller = new AbortController();
    const reading = eventStream(source, { signal: controller.signal, heartbeatMs: 0 }).text();
    await sleep(5);
    controller.abort();
    assertStrictEquals(await reading, "");
    assertStrictEquals(isEnded, true);
    isEnded = false;
    assertStrictEquals(await eventStream(source, { signal: AbortSignal.abort() }).text(), "");
    assertStrictEquals(isEnded, true);
  });

  it("ends, whatever the source says to that", async () => {
    const returns: (() => never | Promise<never>)[] = [
      () => {
        throw new Error("at once");
      },
      () => Promise.reject(new Error("late")),
    ];
    for (const end of returns) {
      let ends = 0;
      const source = {
        next: () => ({ done: false, value: { data: "a" } }),
        return: () => {
          ends++;
          return end();
        },
        [Symbol.iterator]: () => source,
      };
      const controller = new AbortController();
      for (const signal of [undefined, controller.signal]) {
        const reader = eventStream(passedOff(source), { signal }).body?.getReader();
        assert(reader !== undefined);
        await reader.read();
        if (signal === undefined) await reader.cancel();
        else controller.abort();
        assertStrictEquals((await reader.read()).done, true);
      }
      assertStrictEquals(ends, 2);
    }
  });

  it("breaks off with what the source throws, and with an event that is none", async () => {
    async function* failing(): AsyncGenerator<ServerSentEvent> {
      yield { data: "1" };
      throw new Error("the source has failed");
    }
    await assertRejects(() => eventStream(failing()).text(), Error, "the source has failed");
    let isEnded = false;
    function* malformed(): Generator<ServerSentEvent> {
      try {
        yield { event: "a\nb" };
      } finally {
        isEnded = true;
      }
    }
    await assertRejects(() => eventStream(malformed()).text(), TypeError, "more than one line");
    assertStrictEquals(isEnded, true);
  });

  it("cuts the connection where the source throws, so that the client comes back", () => {
    let told: unknown;
    async function* failing(): AsyncGenerator<ServerSentEvent> {
      yield { data: "1" };
      await sleep(5);
      throw new Error("the source has failed");
    }
    const onError = (error: unknown): Response => {
      told = error;
      return new Response("");
    };
    return serving(() => eventStream(failing()), { onError }, async ({ address }) => {
      using stream = await TcpStream.connect(address);
      await stream.writeAll(encoder.encode(GET));
      const answer = await readAll(stream);
      assert(answer.includes("data: 1\n\n") && !answer.includes("\r\n0\r\n"));
      assert(told instanceof Error && told.message === "the source has failed");
    });
  });

  it("refuses options that are none", () => {
    assertThrows(() => eventStream([], { heartbeatMs: -1 }), RangeError, "heartbeatMs is -1");
    assertThrows(() => eventStream([], { heartbeatMs: NaN }), RangeError, "heartbeatMs is NaN");
    assertThrows(() => eventStream([], { heartbeatMs: 2 ** 31 }), RangeError, "heartbeatMs");
    const wrong: Record<string, unknown> = { heartbeat: 1 };
    assertThrows(() => eventStream([], wrong), TypeError, "heartbeat");
  });
});

function unlessEventSource(): string | false {
  return skipping("EventSource" in globalThis ? false : "this host has no EventSource");
}
