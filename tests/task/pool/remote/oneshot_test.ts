import { after, describe, it } from "node:test";
import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { ClosedError, oneshot } from "../../../../lib/task/channel.ts";
import { type Future, Pending } from "../../../../lib/task/mod.ts";
import {
  remoteOneshot,
  RemoteOneshotReceiver,
  RemoteOneshotSender,
} from "../../../../lib/task/pool/remote.ts";
import { BUDGET, coop } from "../../../../lib/task/runtime/coop.ts";
import { tiered } from "../../../tier.ts";
import { Probe } from "../../probe.ts";
import { endThreads, startThread } from "./threads.ts";

after(endThreads);

interface Sending {
  send(value: number): boolean;
  closed(): Future<void>;
  close(): void;
}

interface Receiving extends Future<number> {
  tryRecv(): number | Pending;
  close(): void;
  readonly isTerminated: boolean;
  readonly isEmpty: boolean;
}

/** All that is seen of a oneshot while it is driven so. */
function seen([tx, rx]: [Sending, Receiving], steps: readonly number[]): unknown[] {
  const told: unknown[] = [];
  const receiving = new Probe();
  const deaf = new Probe();
  const closed = tx.closed();
  let isHeard = false;
  function attempt(act: () => unknown): void {
    try {
      told.push(act());
    } catch (error) {
      told.push(String(error));
    }
  }
  for (const step of steps) {
    coop.left = BUDGET;
    receiving.wakes = 0;
    if (step <= 1) attempt(() => tx.send(step));
    else if (step === 2) tx.close();
    else if (step === 3) attempt(() => receiving.poll(rx));
    else if (step === 4) attempt(() => rx.tryRecv());
    else if (step === 5) rx.close();
    else if (step === 6) rx.drop();
    else if (step === 7 && !isHeard) {
      isHeard = deaf.poll(closed) !== Pending;
      told.push(isHeard);
    }
    told.push(rx.isTerminated, rx.isEmpty, receiving.wakes > 0 && step <= 2);
  }
  closed.drop();
  tx.close();
  rx.drop();
  return told;
}

describe("a oneshot between threads", () => {
  it("does as one in a thread does", () => {
    // `closed()` is heard at once where the value was sent: its sender is over, and knows no more.
    const steps = fc.array(fc.nat(6), { maxLength: 8 });
    fc.assert(
      fc.property(steps, (steps) => {
        assertEquals(seen(remoteOneshot<number>(), steps), seen(oneshot<number>(), steps));
      }),
      { numRuns: tiered({ quick: 100, full: 2_000, soak: 50_000 }) },
    );
    const unsent = fc.array(fc.integer({ min: 3, max: 7 }), { maxLength: 8 });
    fc.assert(
      fc.property(unsent, (steps) => {
        assertEquals(seen(remoteOneshot<number>(), steps), seen(oneshot<number>(), steps));
      }),
      { numRuns: tiered({ quick: 100, full: 2_000, soak: 50_000 }) },
    );
  });

  it("brings an answer from another thread", async () => {
    const [tx, rx] = remoteOneshot<unknown>();
    const thread = startThread("answer", tx.intoHandle());
    assertEquals(await rx, { answer: [4, 2] });
    await thread.done;
    assertThrows(() => tx.intoHandle(), ClosedError);
    assertEquals([tx.send(1), tx.isClosed], [false, true]);
  });

  it("brings a question to another thread, where its receiver is", async () => {
    const [tx, rx] = remoteOneshot<number>();
    const handle = rx.intoHandle();
    assertThrows(() => rx.intoHandle(), ClosedError);
    const thread = startThread("ask", handle);
    assertEquals(tx.send(7), true);
    assertEquals(await thread.told(), 7);
    await thread.done;
  });

  it("fails where the thread of its sender is terminated, and ends where that of its receiver is", async () => {
    const [tx, rx] = remoteOneshot<number>();
    const sender = startThread("hold", tx.intoHandle());
    await sender.told();
    const answer = rx.toPromise();
    // It may fail before it is asked.
    answer.catch(() => {});
    await sender.terminate();
    await assertRejects(() => answer, ClosedError, "nothing was sent before the oneshot was closed");
    const [other, there] = remoteOneshot<number>();
    const receiver = startThread("hold", there.intoHandle());
    await receiver.told();
    const closed = other.closed().toPromise();
    await receiver.terminate();
    await closed;
    assertEquals(other.send(1), false);
    other.close();
  });

  it("crosses in a message, whichever end", () => {
    const [outer, outerRx] = remoteOneshot<RemoteOneshotSender<number>>();
    const [tx, rx] = remoteOneshot<number>();
    outer.send(tx);
    const moved = outerRx.tryRecv();
    assert(moved instanceof RemoteOneshotSender);
    const [way, wayRx] = remoteOneshot<RemoteOneshotReceiver<number>>();
    way.send(rx);
    const movedRx = wayRx.tryRecv();
    assert(movedRx instanceof RemoteOneshotReceiver);
    assertStrictEquals(movedRx.tryRecv(), Pending);
    moved.send(3);
    assertEquals(movedRx.tryRecv(), 3);
  });
});
