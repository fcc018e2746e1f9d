import { before, describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { Pending } from "../../../../lib/task/mod.ts";
import { Pool } from "../../../../lib/task/pool.ts";
import { remoteMpsc, remoteWatch } from "../../../../lib/task/pool/remote.ts";
import { descriptors, openedSince } from "../../../descriptors.ts";

type Jobs = typeof import("./leaving_jobs.ts");

/** Has a thread run the job, and end. */
async function leave(run: (jobs: ReturnType<typeof jobsOf>) => PromiseLike<void>): Promise<void> {
  await using pool = Pool.open({ threads: 1 });
  await run(jobsOf(pool));
}

function jobsOf(pool: Pool) {
  return pool.jobs<Jobs>(new URL("./leaving_jobs.ts", import.meta.url));
}

const CASES: Record<string, () => Promise<void>> = {
  async "a sender"() {
    const [tx, rx] = remoteMpsc<number>(1);
    await leave(({ keep }) => keep(tx));
    assertEquals(rx.tryRecv(), undefined);
    rx[Symbol.dispose]();
  },
  async "senders that wait for room"() {
    // What was written over by it once depended on numbers drawn by lot.
    const channels = Array.from({ length: 16 }, () => remoteMpsc<number>(1));
    await leave(({ send }) => send(channels.map(([tx]) => tx), 1));
    for (const [, rx] of channels) {
      assertEquals([rx.tryRecv(), rx.tryRecv(), rx.capacity], [1, undefined, 1]);
      rx[Symbol.dispose]();
    }
  },
  async "senders of one channel that wait in turn"() {
    const [tx, rx] = remoteMpsc<number>(1);
    await leave(({ send }) => send([tx], 3));
    assertEquals([rx.tryRecv(), rx.tryRecv(), rx.capacity], [1, undefined, 1]);
    rx[Symbol.dispose]();
  },
  async "a sender that waits until nobody receives"() {
    const [tx, rx] = remoteMpsc<unknown>(1);
    await leave(({ closed }) => closed(tx));
    assertEquals(rx.tryRecv(), undefined);
    rx[Symbol.dispose]();
  },
  async "a receiver that waits"() {
    const [tx, rx] = remoteMpsc<unknown>(1);
    await leave(({ receive }) => receive(rx));
    assertEquals(tx.isClosed, true);
    tx.close();
  },
  async "a receiver of what is queued"() {
    const [tx, rx] = remoteMpsc<unknown>(2);
    const [inner, innerRx] = remoteMpsc<unknown>(1);
    tx.trySend(inner);
    tx.trySend(new Uint8Array(100_000));
    assertEquals(innerRx.tryRecv(), Pending);
    await leave(({ keep }) => keep(rx));
    assertEquals([innerRx.tryRecv(), tx.isClosed], [undefined, true]);
    innerRx[Symbol.dispose]();
    tx.close();
  },
  async "a watch's receiver that waits"() {
    const [tx, rx] = remoteWatch<unknown>(1);
    await leave(({ change }) => change(rx));
    assertEquals(tx.receiverCount, 0);
    tx.close();
  },
  async "a watch's sender that waits until nobody receives"() {
    const [tx, rx] = remoteWatch<unknown>(1);
    await leave(({ closed }) => closed(tx));
    assertEquals(rx.isClosed, true);
    rx.close();
  },
  async "channels and maps of its own"() {
    await leave(({ make }) => make());
  },
};

describe("what a thread leaves behind at its end", () => {
  // This thread's machine code and bell stay.
  before(CASES["a receiver that waits"]);

  for (const [name, run] of Object.entries(CASES)) {
    it(`is given up: ${name}`, async () => {
      const before = descriptors();
      await run();
      const others = openedSince(before).filter((one) => /memfd|pidfd/.test(one));
      assertEquals(others, []);
      // A number that is written over becomes that of somebody else's file.
      const gone = [...before].filter((one) => /^[0-2] /.test(one) && !descriptors().has(one));
      assertEquals(gone, []);
    });
  }
});
