import { after, before, describe, it } from "node:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { currentRuntime } from "../../lib/task/runtime/current.ts";
import {
  type Coroutine,
  RemoteNotifier,
  RemoteNotify,
  type RemoteNotifyHandle,
  run,
  sleep,
  spawn,
  yieldNow,
} from "../../lib/task/mod.ts";
import { moduleUrl } from "../child.ts";
import { tiered } from "../tier.ts";
import { descriptors, openedSince } from "../descriptors.ts";

let folder = "";

/** What the threads run. */
const SOURCE = `
  import { parentPort, workerData } from "node:worker_threads";
  import { RemoteNotifier } from "${moduleUrl("lib/task/remote_notify/remote_notifier.ts")}";
  const { handle, times } = workerData;
  const notifier = RemoteNotifier.of(handle);
  let heard = false;
  for (let i = 0; i < times; i++) heard = notifier.notify();
  parentPort.postMessage(heard);
  parentPort.on("message", () => parentPort.postMessage(notifier.notify()));
`;

/** A thread that notifies so often, or for ever, and says when it is done; `true` where somebody listened. */
function notifier(handle: RemoteNotifyHandle, times: number): Worker {
  return new Worker(join(folder, "notifier.mjs"), { workerData: { handle, times } });
}

async function message(worker: Worker): Promise<unknown> {
  return (await once(worker, "message"))[0];
}

before(() => {
  folder = mkdtempSync(join(tmpdir(), "oxbow-notify-"));
  writeFileSync(join(folder, "notifier.mjs"), SOURCE);
});
after(() => rmSync(folder, { recursive: true }));

for (const poller of ["epoll", "poll"] as const) {
  describe(`a RemoteNotify on ${poller}`, () => {
    it("wakes its task from another thread, while the runtime sleeps", async () => {
      await run(async () => {
        using notify = new RemoteNotify();
        const worker = notifier(notify.handle, 1);
        const heard = message(worker);
        await notify.notified();
        assertEquals(await heard, true);
        await worker.terminate();
      }, { poller });
    });

    it("keeps a notification for who waits later, once", async () => {
      await run(async () => {
        using notify = new RemoteNotify();
        const notifier = RemoteNotifier.of(notify.handle);
        for (let i = 0; i < 10; i++) assertEquals(notifier.notify(), true);
        await notify.notified();
        const second = spawn(() => notify.notified());
        await sleep(2);
        assertEquals(second.isFinished, false);
        notifier.notify();
        await second;
      }, { poller });
    });
  });
}

describe("a RemoteNotify", () => {
  it("gives one notification to one of those who wait, in their order, and passes on a dropped one's", async () => {
    const log: number[] = [];
    function* waits(notify: RemoteNotify, i: number): Coroutine<void> {
      yield* notify.notified();
      log.push(i);
    }
    await run(function* (): Coroutine<void> {
      using notify = new RemoteNotify();
      const handles = [0, 1, 2].map((i) => spawn(waits, notify, i));
      yield* sleep(1);
      notify.notify();
      handles[0].abort();
      yield* handles[1];
      assertEquals(log, [1]);
      const last = notify.notified();
      last.drop();
      notify.notify();
      yield* handles[2];
      assertEquals(log, [1, 2]);
    });
  });

  it("loses no wake-up in a storm from several threads, and answers it with a few", async () => {
    const times = tiered({ quick: 30_000, full: 1_000_000, soak: 10_000_000 });
    await run(async () => {
      using notify = new RemoteNotify();
      const workers = Array.from({ length: 3 }, () => notifier(notify.handle, times));
      let done = 0;
      const ends = workers.map(async (worker) => {
        assertEquals(await message(worker), true);
        done++;
        notify.notify();
      });
      let wakes = 0;
      while (done < workers.length) {
        await notify.notified();
        wakes++;
      }
      for (const end of ends) await end;
      assert(wakes <= 3 * times, `${wakes} wake-ups`);
      // The storm is over: each of them is heard alone.
      for (const worker of workers) {
        await sleep(1);
        const waits = spawn(() => notify.notified());
        worker.postMessage("once more");
        await waits;
        await worker.terminate();
      }
    });
  });

  it("is not silenced by threads that die in the middle of a storm", async () => {
    await run(async () => {
      using mine = new RemoteNotify();
      using other = new RemoteNotify();
      const count = tiered({ quick: 8, full: 60, soak: 500 });
      for (let i = 0; i < count; i++) {
        const worker = notifier(mine.handle, Infinity);
        await mine.notified();
        await sleep(i % 3);
        await worker.terminate();
        const waits = spawn(() => other.notified());
        await yieldNow();
        assertEquals(RemoteNotifier.of(other.handle).notify(), true);
        await waits;
      }
    });
  });

  it("answers who notifies after it was disposed, or its runtime has ended, that nobody listens", async () => {
    const { kept, early } = await run(async () => {
      const early = new RemoteNotify();
      const disposed = RemoteNotifier.of(early.handle);
      assertEquals(disposed.notify(), true);
      early[Symbol.dispose]();
      early[Symbol.dispose]();
      assertEquals(disposed.notify(), false);
      await assertRejects(() => early.notified(), Error, "cannot wait for a RemoteNotify: it was disposed");
      const kept = new RemoteNotify();
      const worker = notifier(kept.handle, 1);
      assertEquals(await message(worker), true);
      return { kept: [kept, RemoteNotifier.of(kept.handle), worker] as const, early: disposed };
    });
    const [notify, mine, worker] = kept;
    assertEquals([mine.notify(), early.notify(), mine.notify()], [false, false, false]);
    const heard = message(worker);
    worker.postMessage("once more");
    assertEquals(await heard, false);
    await worker.terminate();
    await assertRejects(() => notify.notified(), Error, "or its runtime has ended");
    notify[Symbol.dispose]();
  });

  it("leaves no descriptor open once its runtime has ended, and who notifies has learnt of it", async () => {
    await run(() => sleep(1));
    const before = descriptors();
    for (let i = 0; i < 50; i++) {
      const { notifier } = await run(async () => {
        const notify = new RemoteNotify();
        const notifier = RemoteNotifier.of(notify.handle);
        notifier.notify();
        await notify.notified();
        return { notifier };
      });
      assertEquals(notifier.notify(), false);
    }
    assert(openedSince(before).length < 40);
  });

  it("tells who waits that it was disposed", async () => {
    await run(async () => {
      const notify = new RemoteNotify();
      const waiting = [spawn(() => notify.notified()), spawn(() => notify.notified())];
      await sleep(1);
      notify[Symbol.dispose]();
      for (const handle of waiting) await assertRejects(() => handle, Error, "it was disposed");
      assertEquals(currentRuntime().reactor.registrations, 0);
    });
  });

  it("is not woken by a stale handle of its place, which changes nothing", async () => {
    await run(async () => {
      using keeper = new RemoteNotify();
      void keeper;
      const first = new RemoteNotify();
      const stale = RemoteNotifier.of(first.handle);
      first[Symbol.dispose]();
      using second = new RemoteNotify();
      assertEquals(second.handle.place, first.handle.place);
      const fresh = RemoteNotifier.of(second.handle);
      const waits = spawn(() => second.notified());
      assertEquals(stale.notify(), false);
      await sleep(2);
      assertEquals(waits.isFinished, false);
      // Nor does it overwrite a notification that was not heard yet.
      assertEquals([fresh.notify(), stale.notify()], [true, false]);
      await waits;
    });
  });

  it("is one of as many as are wanted, each woken alone", async () => {
    await run(async () => {
      const notifies = Array.from({ length: 1_025 }, () => new RemoteNotify());
      assertEquals(currentRuntime().reactor.registrations, 2);
      const waiting = notifies.map((notify) => spawn(() => notify.notified()));
      await sleep(1);
      for (const i of [1_024, 0, 500]) {
        assertEquals(RemoteNotifier.of(notifies[i].handle).notify(), true);
        await waiting[i];
        assertEquals(waiting.filter(({ isFinished }) => isFinished).length, 1 + [1_024, 0, 500].indexOf(i));
      }
      for (const handle of waiting) handle.abort();
      for (const notify of notifies) notify[Symbol.dispose]();
      assertEquals(currentRuntime().reactor.registrations, 0);
    });
  });

  it("may be disposed of, and made, in the wake-up of another", async () => {
    function* disposes(by: RemoteNotify, all: RemoteNotify[]): Coroutine<number> {
      yield* by.notified();
      for (const each of all) each[Symbol.dispose]();
      using late = new RemoteNotify();
      RemoteNotifier.of(late.handle).notify();
      yield* late.notified();
      return currentRuntime().reactor.registrations;
    }
    await run(async () => {
      const all = [new RemoteNotify(), new RemoteNotify(), new RemoteNotify()];
      const notifiers = all.map(({ handle }) => RemoteNotifier.of(handle));
      const handle = spawn(disposes, all[1], all);
      await sleep(1);
      for (const each of notifiers) each.notify();
      assertEquals(await handle, 1);
    });
  });

  it("refuses what is no handle", () => {
    const cells = new SharedArrayBuffer(4 * 1029);
    for (
      const wrong of [
        { cells, place: 1024, generation: 1 },
        { cells, place: -1, generation: 1 },
        { cells, place: 0, generation: 0 },
        { cells, place: 0.5, generation: 1 },
        { cells: new SharedArrayBuffer(8), place: 0, generation: 1 },
        { cells: new ArrayBuffer(4 * 1029), place: 0, generation: 1 },
        { cells, place: 0, generation: 2 ** 30 },
      ]
    ) {
      assertThrows(() => Reflect.apply(RemoteNotifier.of, undefined, [wrong]), TypeError, "handle is none");
    }
  });
});
