import { after, describe, it } from "node:test";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ClosedError } from "../../../../lib/task/channel.ts";
import { Pending, run } from "../../../../lib/task/mod.ts";
import {
  type RemoteEndHandle,
  remoteMpsc,
  remoteMpscBytes,
  RemoteReceiver,
  RemoteSender,
} from "../../../../lib/task/pool/remote.ts";
import { tiered } from "../../../tier.ts";
import { endThreads, startThread } from "./threads.ts";

after(endThreads);

interface Numbered {
  readonly id: number;
  readonly i: number;
}

const COUNT = tiered({ quick: 1_000, full: 50_000, soak: 2_000_000 });

describe("a channel between threads", () => {
  for (const inRun of [false, true]) {
    it(`brings all of several producers to one consumer, in order${inRun ? ", in run" : ""}`, async () => {
      async function main(): Promise<void> {
        const [tx, rx] = remoteMpsc<Numbered>(16);
        const threads = [0, 1, 2].map((id) =>
          startThread("produce", tx.clone().intoHandle(), { id, count: COUNT, inRun })
        );
        tx.close();
        const next = [0, 0, 0];
        let most = 0;
        for await (const { id, i } of rx) {
          assertEquals(i, next[id]++);
          most = Math.max(most, rx.length);
        }
        assertEquals(next, [COUNT, COUNT, COUNT]);
        assert(most <= 16, `${most} messages were queued`);
        for (const { done } of threads) await done;
        rx[Symbol.dispose]();
      }
      await (inRun ? run(main) : main());
    });
  }

  it("has its receiver in another thread, and its senders in several", async () => {
    const [tx, rx] = remoteMpsc<Numbered>(4);
    const consumer = startThread("consume", rx.intoHandle(), { inRun: true });
    const producer = startThread("produce", tx.clone().intoHandle(), { id: 1, count: COUNT });
    for (let i = 0; i < COUNT; i++) await tx.send({ id: 0, i });
    tx.close();
    await producer.done;
    assertEquals(await consumer.told(), 2 * COUNT);
    await consumer.done;
  });

  it("goes on where its receiver is moved from thread to thread, with what is queued", async () => {
    const [tx, rx] = remoteMpsc<Numbered>(8);
    let handle = rx.intoHandle();
    let sent = 0;
    const taken: number[] = [];
    for (let hop = 0; hop < 3; hop++) {
      while (tx.trySend({ id: 0, i: sent })) sent++;
      const relay = startThread("relay", handle, { count: 5 });
      const told: unknown = await relay.told();
      assert(isRelayed(told));
      taken.push(...told.taken);
      handle = told.handle;
      await relay.done;
    }
    tx.close();
    using back = RemoteReceiver.adopt<Numbered>(handle);
    for await (const { i } of back) taken.push(i);
    assertEquals(taken, Array.from({ length: sent }, (_, i) => i));
  });

  it("takes bytes to another thread and back, those for which the ring has no room among them", async () => {
    const [tx, rx] = remoteMpscBytes(4, { bytes: 4096 });
    const [wayBack, answers] = remoteMpscBytes(4, { bytes: 4096 });
    const thread = startThread("echo", rx.intoHandle());
    await tx.send(new TextEncoder().encode(JSON.stringify(wayBack.intoHandle())));
    for (const length of [0, 1, 31, 1000, 3000, 4096, 100_000, 17]) {
      const bytes = Uint8Array.from({ length }, (_, i) => i * 7 + length);
      await tx.send(bytes);
      assertEquals(await answers.recv(), bytes);
    }
    tx.close();
    assertEquals(await answers.recv(), undefined);
    await thread.done;
    answers[Symbol.dispose]();
  });

  it("tells of all that a sender has to know, of ends in another thread", async () => {
    const [tx, rx] = remoteMpsc<number>(1);
    const thread = startThread("hold", rx.intoHandle());
    assertEquals(await thread.told(), "ready");
    assertEquals([tx.isClosed, tx.capacity, tx.strongCount, tx.trySend(1), tx.trySend(2)], [
      false,
      1,
      1,
      true,
      false,
    ]);
    const waiting = tx.send(3).toPromise();
    // It may fail before it is asked.
    waiting.catch(() => {});
    const closed = tx.closed().toPromise();
    await thread.terminate();
    const error = await assertRejects(() => waiting, ClosedError, "the receiver has closed the channel");
    assertEquals(error.value, 3);
    await closed;
    assertThrows(() => tx.trySend(4), ClosedError);
    assertEquals(tx.isClosed, true);
    tx.close();
  });

  it("ends for a receiver that waits when the last sender is closed in another thread, or the thread ends", async () => {
    for (const program of ["produce", "forget"]) {
      const [tx, rx] = remoteMpsc<Numbered>(4);
      const thread = startThread(program, tx.intoHandle());
      if (program === "forget") await thread.end();
      assertEquals(await rx.recv(), undefined);
      await thread.done;
      assertEquals(rx.isClosed, true);
      rx[Symbol.dispose]();
    }
  });

  it("adopts an end once, and refuses what is no handle of it", () => {
    const [tx, rx] = remoteMpsc<number>(2);
    const handle = tx.intoHandle();
    assertThrows(() => tx.trySend(1), ClosedError, "the sender was closed");
    assertThrows(() => tx.intoHandle(), ClosedError);
    assertEquals([rx.isClosed, rx.senderStrongCount, rx.tryRecv()], [false, 1, Pending]);
    const again = RemoteSender.adopt<number>(handle);
    assertThrows(() => RemoteSender.adopt(handle), Error, "it was adopted already");
    for (const [change, said] of WRONG) {
      assertThrows(() => RemoteSender.adopt({ ...handle, ...change }), Error, said);
    }
    assertThrows(() => RemoteReceiver.adopt(handle), Error, "it is a sender, and no receiver");
    again.close();
    assertEquals(rx.tryRecv(), undefined);
    rx[Symbol.dispose]();
    assertThrows(() => RemoteSender.adopt(handle), Error, "adopted already, or the channel has ended");
  });
});

const WRONG: [Partial<RemoteEndHandle>, string][] = [
  [{ process: 1 }, "it is of process 1, and this is"],
  [{ place: -1 }, "what was given is no handle"],
  [{ place: 256 }, "what was given is no handle"],
  [{ secret: 0.5 }, "what was given is no handle"],
  [{ descriptor: -1 }, "its descriptor is none"],
  [{ nonce: "00" }, "adopted already, or the channel has ended"],
];

function isRelayed(value: unknown): value is { taken: number[]; handle: RemoteEndHandle } {
  return value instanceof Object && "taken" in value && "handle" in value;
}
