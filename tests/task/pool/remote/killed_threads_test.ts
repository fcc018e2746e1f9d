import { after, describe, it } from "node:test";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { setTimeout as sleep } from "node:timers/promises";
import { ClosedError } from "../../../../lib/task/channel.ts";
import { Pending } from "../../../../lib/task/mod.ts";
import { remoteMpsc } from "../../../../lib/task/pool/remote.ts";
import { tiered } from "../../../tier.ts";
import { endThreads, startThread } from "./threads.ts";

after(endThreads);

interface Numbered {
  readonly id: number;
  readonly i: number;
}

const KILLS = tiered({ quick: 2, full: 40, soak: 2_000 });

describe("a thread that is terminated", () => {
  it("ends its sender, for a receiver that waits", async () => {
    const [tx, rx] = remoteMpsc<Numbered>(2);
    const thread = startThread("hold", tx.intoHandle());
    await thread.told();
    const waiting = rx.recv().toPromise();
    await thread.terminate();
    assertEquals(await waiting, undefined);
    rx[Symbol.dispose]();
  });

  it("ends its sender, for a receiver that asks again and again", async () => {
    const [tx, rx] = remoteMpsc<Numbered>(2);
    const thread = startThread("hold", tx.intoHandle());
    await thread.told();
    assertEquals(rx.tryRecv(), Pending);
    await thread.terminate();
    while (rx.tryRecv() === Pending) await sleep(5);
    assertEquals(rx.tryRecv(), undefined);
    rx[Symbol.dispose]();
  });

  it("gives the places back that it had, and its turn among those that wait for room", async () => {
    const [tx, rx] = remoteMpsc<Numbered>(2);
    const owner = startThread("reserve", tx.clone().intoHandle(), { count: 2 });
    await owner.told();
    const waiter = startThread("wait", tx.clone().intoHandle());
    await waiter.told();
    const sent = tx.send({ id: 7, i: 0 });
    const all = Array.fromAsync(rx);
    await waiter.terminate();
    await owner.terminate();
    await sent;
    tx.close();
    // Where the host's `terminate` is over before the thread is, that may send yet.
    assertEquals((await all).filter(({ id }) => id === 7), [{ id: 7, i: 0 }]);
    assertEquals([rx.capacity, rx.senderStrongCount], [2, 0]);
    rx[Symbol.dispose]();
  });

  it("ends its receiver, for who sends and who waits for room", async () => {
    const [tx, rx] = remoteMpsc<Numbered>(1);
    const thread = startThread("receive", rx.intoHandle());
    await thread.told();
    await tx.send({ id: 0, i: 0 });
    const closed = tx.closed().toPromise();
    const waiting = (async () => {
      for (let i = 1;; i++) await tx.send({ id: 0, i });
    })();
    // It may fail before it is asked.
    waiting.catch(() => {});
    await thread.terminate();
    await assertRejects(() => waiting, ClosedError, "the receiver has closed the channel");
    await closed;
    tx.close();
  });

  it("in the middle of what the mutex guards, leaves all counted right", async () => {
    const [tx, rx] = remoteMpsc<Numbered>(3);
    startThread("die", tx.clone().intoHandle());
    const waiting = rx.recv().toPromise();
    while (rx.senderStrongCount !== 1) await sleep(5);
    assertEquals([tx.capacity, tx.trySend({ id: 1, i: 1 })], [3, true]);
    assertEquals(await waiting, { id: 1, i: 1 });
    assertEquals(rx.capacity, 3);
    tx.close();
    assertEquals(await rx.recv(), undefined);
    rx[Symbol.dispose]();
  });

  it("while it sends, has sent some of its messages, in order, and blocks nobody", async () => {
    for (let kill = 0; kill < KILLS; kill++) {
      const [tx, rx] = remoteMpsc<Numbered>(3);
      const doomed = startThread("produce", tx.clone().intoHandle(), { id: 0, count: 1e9 });
      const other = startThread("produce", tx.clone().intoHandle(), { id: 1, count: 200 });
      tx.close();
      const next = [0, 0];
      const last = 50 + 10 * kill;
      let ending: Promise<void> | null = null;
      for await (const { id, i } of rx) {
        assertEquals(i, next[id]++);
        if (next[0] === last) ending ??= doomed.terminate();
      }
      await ending;
      await other.done;
      assertEquals(next[1], 200);
      assert(next[0] >= last);
      assertEquals([rx.capacity, rx.senderStrongCount], [3, 0]);
      rx[Symbol.dispose]();
    }
  });

  it("while it receives, takes nothing with it but what it had not told of", async () => {
    for (let kill = 0; kill < KILLS; kill++) {
      const [tx, rx] = remoteMpsc<Numbered>(4);
      const doomed = startThread("consume", rx.intoHandle());
      let ending: Promise<void> | null = null;
      await assertRejects(
        async () => {
          for (let i = 0;; i++) {
            await tx.send({ id: 0, i });
            if (i === 30 + kill) ending = doomed.terminate();
          }
        },
        ClosedError,
      );
      await ending;
      assertEquals([tx.isClosed, tx.strongCount], [true, 1]);
      tx.close();
    }
  });
});
