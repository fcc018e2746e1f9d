import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { BUDGET, coop } from "../../../lib/task/runtime/coop.ts";
import { currentRuntime } from "../../../lib/task/runtime/current.ts";
import { Pending, run, sleep } from "../../../lib/task/mod.ts";
import { Ended, Stream } from "../../../lib/task/stream.ts";
import { Probe } from "../probe.ts";
import { HandFed } from "./hand_fed.ts";

function readable(...chunks: number[]): ReadableStream<number> {
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });
}

describe("the stream of a WHATWG stream", () => {
  it("gives its chunks, in and out of a runtime", async () => {
    const chunks = () => Stream.from(new Blob(["hello"]).stream()).flatMap((bytes) => bytes).collect();
    const bytes = [...new TextEncoder().encode("hello")];
    assertEquals(await chunks(), bytes);
    assertEquals(await run(chunks), bytes);
  });

  it("locks it at the first poll, and not before", async () => {
    const source = readable(1, 2);
    const stream = Stream.from(source);
    assert(!source.locked);
    assertStrictEquals(await stream.next(), 1);
    assert(source.locked);
  });

  it("throws where it is locked already", () => {
    const source = readable(1);
    source.getReader();
    assertThrows(() => Stream.from(source).pollNext(new Probe()), TypeError);
  });

  it("cancels it where it is dropped, though a read is under way", async () => {
    let cancelled = false;
    const stream = Stream.from(
      new ReadableStream<number>({
        cancel() {
          cancelled = true;
        },
      }),
    );
    coop.left = BUDGET;
    assertStrictEquals(stream.pollNext(new Probe()), Pending);
    stream.drop();
    await Promise.resolve();
    assert(cancelled);
    assertStrictEquals(await stream.next(), Ended);
  });

  it("fails as it fails, and has ended", async () => {
    const stream = Stream.from(
      new ReadableStream<number>({
        pull(controller) {
          controller.error(new RangeError("broken"));
        },
      }),
    );
    await assertRejects(() => stream.next().toPromise(), RangeError, "broken");
    assertStrictEquals(await stream.next(), Ended);
  });

  it("says nothing of a failure that nobody waits for any more", async () => {
    const stream = Stream.from(
      new ReadableStream<number>({
        cancel() {
          throw new RangeError("broken");
        },
      }),
    );
    coop.left = BUDGET;
    assertStrictEquals(stream.pollNext(new Probe()), Pending);
    stream.drop();
    await sleep(1);
    assertStrictEquals(await stream.next(), Ended);
  });
});

describe("toReadable()", () => {
  it("gives the items to what reads WHATWG streams", async () => {
    const parts = Stream.from(["a", "b"]).map((part) => new TextEncoder().encode(part));
    assertEquals(await new Response(parts.toReadable()).text(), "ab");
  });

  it("asks for an item where it is read, and not before", async () => {
    const source = new HandFed(1, 2).end();
    const reader = source.toReadable().getReader();
    await sleep(1);
    assertEquals(source.polls, 0);
    assertEquals(await reader.read(), { done: false, value: 1 });
    await sleep(1);
    assertEquals(source.polls, 1);
    assertEquals(await reader.read(), { done: false, value: 2 });
    assertEquals((await reader.read()).done, true);
    assertEquals([source.polls, source.drops], [3, 0]);
  });

  it("asks for as many before as its strategy says", async () => {
    const source = new HandFed(1, 2, 3, 4);
    const readable = source.toReadable({ highWaterMark: 2 });
    await sleep(1);
    assertEquals(source.polls, 2);
    await readable.cancel();
    assertEquals(source.drops, 1);
  });

  it("drops the stream where it is cancelled, and waits for an item no more", async () => {
    await sleep(1);
    const { live } = currentRuntime().executor;
    const source = new HandFed<number>();
    const reader = source.toReadable().getReader();
    const read = reader.read();
    await sleep(1);
    await reader.cancel();
    assertEquals([(await read).done, source.drops], [true, 1]);
    await sleep(1);
    assertEquals([currentRuntime().executor.live, source.polls], [live, 1]);
  });

  it("fails as the stream fails", async () => {
    const reader = new HandFed(1).fail(new RangeError("broken")).toReadable().getReader();
    await reader.read();
    await assertRejects(() => reader.read(), RangeError, "broken");
  });

  it("goes there and back", async () => {
    const items = await run(() => Stream.from(Stream.from([1, 2, 3]).toReadable()).collect());
    assertEquals(items, [1, 2, 3]);
  });
});
