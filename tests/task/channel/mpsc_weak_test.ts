import { beforeEach, describe, it } from "node:test";
import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { ClosedError, mpsc, oneshot, type OneshotSender } from "../../../lib/task/channel.ts";
import { BUDGET, coop } from "../../../lib/task/runtime/coop.ts";
import { Pending, run, spawn } from "../../../lib/task/mod.ts";
import { ready } from "./ready.ts";

/** What says nothing of room holds with a bound and without. */
const BOUNDS = [16, Infinity];

beforeEach(() => {
  coop.left = BUDGET;
});

describe("weak senders", () => {
  it("do not keep the channel open", () => {
    for (const bound of BOUNDS) {
      const [tx, rx] = mpsc<number>(bound);
      const weak = tx.downgrade();
      assert(!rx.isClosed);
      tx.close();
      assert(rx.isClosed);
      assertStrictEquals(rx.tryRecv(), undefined);
      assertStrictEquals(weak.upgrade(), null);
      assertStrictEquals(tx.downgrade().upgrade(), null);
    }
  });

  it("become senders while there is one, whichever they came from", () => {
    const [tx, rx] = mpsc<number>(1);
    const clone = tx.clone();
    const weak = clone.downgrade();
    clone.close();
    const upgraded = weak.upgrade();
    assert(upgraded !== null);
    tx.close();
    ready(upgraded.send(7));
    assertEquals(rx.tryRecv(), 7);
    assertStrictEquals(rx.tryRecv(), Pending);
    upgraded.close();
    assertStrictEquals(rx.tryRecv(), undefined);
  });

  it("become senders while there is a permit", () => {
    const [tx, rx] = mpsc<number>(2);
    const weak = tx.downgrade();
    const permit = ready(tx.reserve());
    tx.close();
    const upgraded = weak.upgrade();
    assert(upgraded !== null);
    permit.release();
    ready(upgraded.send(1));
    upgraded.close();
    assertEquals([rx.tryRecv(), rx.tryRecv()], [1, undefined]);
    assertStrictEquals(weak.upgrade(), null);
  });

  it("become senders that are refused, where the receiver has closed", () => {
    const [tx, rx] = mpsc<number>(2);
    const weak = tx.downgrade();
    rx.close();
    const upgraded = weak.upgrade();
    assert(upgraded !== null);
    assertThrows(() => upgraded.trySend(1), ClosedError, "the receiver has closed");
  });

  it("are counted, as senders are", () => {
    for (const bound of BOUNDS) {
      const [tx, rx] = mpsc<number>(bound);
      const clone = tx.clone();
      const weak = tx.downgrade();
      const weaker = clone.downgrade();
      assertEquals([tx.strongCount, tx.weakCount, weak.strongCount, weak.weakCount], [2, 2, 2, 2]);
      assertEquals([rx.senderStrongCount, rx.senderWeakCount], [2, 2]);
      weaker.close();
      weaker[Symbol.dispose]();
      clone.close();
      assertEquals([tx.strongCount, tx.weakCount], [1, 1]);
      weak.upgrade();
      assertEquals([tx.strongCount, tx.weakCount], [2, 1]);
    }
  });

  it("let a task send to itself, and end when the others have", async () => {
    type Message = { answerTo: OneshotSender<number> } | "to itself";
    for (const bound of BOUNDS) {
      const [tx, rx] = mpsc<Message>(bound);
      const weak = tx.downgrade();
      const log: string[] = [];
      const actor = async (): Promise<void> => {
        for (let id = 1;; id++) {
          const message = await rx.recv();
          if (message === undefined) return;
          if (message === "to itself") log.push("own");
          else {
            message.answerTo.send(id);
            using self = weak.upgrade();
            await self?.send("to itself");
          }
        }
      };
      await run(async () => {
        const handle = spawn(actor);
        const [answerTo, answer] = oneshot<number>();
        await tx.send({ answerTo });
        log.push(`id ${await answer}`);
        tx.close();
        await handle;
      });
      assertEquals(log.toSorted(), ["id 1", "own"]);
    }
  });
});
