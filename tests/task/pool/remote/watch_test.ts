import { after, describe, it } from "node:test";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import { Mmap } from "../../../../lib/mem/mmap.ts";
import { ClosedError, watch } from "../../../../lib/task/channel.ts";
import { type Future, Pending } from "../../../../lib/task/mod.ts";
import { remoteWatch, RemoteWatchReceiver, RemoteWatchSender } from "../../../../lib/task/pool/remote.ts";
import { BUDGET, coop } from "../../../../lib/task/runtime/coop.ts";
import { descriptors, openedSince } from "../../../descriptors.ts";
import { tiered } from "../../../tier.ts";
import { Probe } from "../../probe.ts";
import { endThreads, startThread } from "./threads.ts";

after(endThreads);

interface Sending {
  readonly value: number;
  send(value: number): boolean;
  sendReplace(value: number): number;
  sendModify(change: (value: number) => number): void;
  sendIfModified(change: (value: number) => number): boolean;
  subscribe(): Receiving;
  clone(): Sending;
  closed(): Future<void>;
  close(): void;
  readonly isClosed: boolean;
  readonly receiverCount: number;
  readonly senderCount: number;
}

interface Receiving {
  readonly value: number;
  borrowAndUpdate(): number;
  readonly hasChanged: boolean;
  changed(): Future<boolean>;
  waitFor(predicate: (value: number) => boolean): Future<number>;
  markChanged(): void;
  markUnchanged(): void;
  readonly isClosed: boolean;
  clone(): Receiving;
  close(): void;
}

interface Ends {
  readonly tx: Sending;
  readonly rx: Receiving;
  moveSender(tx: Sending): Sending;
  moveReceiver(rx: Receiving): Receiving;
}

interface Waiting {
  readonly future: Future<unknown>;
  readonly probe: Probe;
}

/** All that is seen of a watch while it is driven so. */
class Program {
  readonly told: unknown[] = [];
  readonly #ends: Ends;
  readonly #senders: Sending[];
  readonly #receivers: Receiving[];
  readonly #waiting: Waiting[] = [];
  readonly #closed: Waiting[] = [];

  constructor(ends: Ends) {
    this.#ends = ends;
    this.#senders = [ends.tx];
    this.#receivers = [ends.rx];
  }

  step(kind: number, who: number): void {
    coop.left = BUDGET;
    for (const { probe } of this.#waiting) probe.wakes = 0;
    const senders = this.#senders;
    const receivers = this.#receivers;
    const tx = senders[who % senders.length];
    const rx = receivers[who % receivers.length];
    if (tx !== undefined) this.#send(kind, who, tx);
    if (rx !== undefined) this.#receive(kind, who, rx);
    const waiting = this.#waiting[who % this.#waiting.length];
    if (kind === 20 && waiting !== undefined) this.#poll(waiting);
    else if (kind === 21 && waiting !== undefined) this.#drop(waiting);
    for (const tx of senders) this.told.push(tx.value, tx.isClosed, tx.receiverCount, tx.senderCount);
    for (const rx of receivers) this.told.push(rx.value, rx.hasChanged, rx.isClosed);
  }

  #send(kind: number, who: number, tx: Sending): void {
    const at = this.#senders.indexOf(tx);
    if (kind === 0) this.told.push(tx.send(who));
    else if (kind === 1) this.told.push(tx.sendReplace(who));
    else if (kind === 2) tx.sendModify((value) => value + who);
    else if (kind === 3) this.told.push(tx.sendIfModified((value) => who % 2 === 0 ? value : value + 1));
    else if (kind === 4) this.#receivers.push(tx.subscribe());
    else if (kind === 5) this.#senders.push(tx.clone());
    else if (kind === 6 && who % 3 === 0) {
      tx.close();
      this.#senders.splice(at, 1);
    } else if (kind === 7) {
      // It is the sender's that is moved, and knows nothing of a receiver that comes later.
      for (const waiting of this.#closed) this.#drop(waiting);
      this.#senders[at] = this.#ends.moveSender(tx);
    } else if (kind === 8) this.#closed.push(this.#begin(tx.closed()));
  }

  #receive(kind: number, who: number, rx: Receiving): void {
    const at = this.#receivers.indexOf(rx);
    if (kind >= 9 && kind <= 12) this.#begin(rx.changed());
    else if (kind === 13) this.#begin(rx.waitFor((value) => value % 5 === who % 5));
    else if (kind === 14) this.told.push(rx.borrowAndUpdate());
    else if (kind === 15) rx.markChanged();
    else if (kind === 16) rx.markUnchanged();
    else if (kind === 17) this.#receivers.push(rx.clone());
    else if (kind === 18 && who % 2 === 0) {
      rx.close();
      this.#receivers.splice(at, 1);
    } else if (kind === 19) {
      // Where its senders are closed, who still waits for this to end knows no more of it than its last end here did.
      if (this.#senders.length === 0) { for (const waiting of this.#closed) this.#drop(waiting); }
      this.#receivers[at] = this.#ends.moveReceiver(rx);
    }
  }

  #begin(future: Future<unknown>): Waiting {
    const waiting = { future, probe: new Probe() };
    this.#waiting.push(waiting);
    this.#poll(waiting);
    return waiting;
  }

  #drop(waiting: Waiting): void {
    waiting.future.drop();
    const at = this.#waiting.indexOf(waiting);
    if (at !== -1) this.#waiting.splice(at, 1);
  }

  #poll(waiting: Waiting): void {
    let value: unknown;
    try {
      value = waiting.probe.poll(waiting.future);
    } catch (error) {
      value = String(error);
    }
    if (value !== Pending) this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
    this.told.push(value);
  }

  end(): void {
    coop.left = BUDGET;
    for (const waiting of [...this.#waiting]) {
      this.told.push(waiting.probe.wakes > 0);
      this.#poll(waiting);
    }
    for (const { future } of this.#waiting) future.drop();
    for (const tx of this.#senders) tx.close();
    for (const rx of this.#receivers) rx.close();
    for (const rx of this.#receivers) this.told.push(rx.value, rx.isClosed);
  }
}

function inThread(): Ends {
  const [tx, rx] = watch<number>(1);
  return {
    tx,
    rx,
    moveSender: (tx) => tx,
    // What waits for a receiver that is moved ends.
    moveReceiver(rx) {
      const moved = rx.clone();
      rx.close();
      return moved;
    },
  };
}

function remote(): Ends {
  const [tx, rx] = remoteWatch<number>(1);
  return {
    tx,
    rx,
    moveSender(tx) {
      if (!(tx instanceof RemoteWatchSender)) throw new Error("it is no sender of a watch between threads");
      return RemoteWatchSender.adopt<number>(structuredClone(tx.intoHandle()));
    },
    moveReceiver(rx) {
      if (!(rx instanceof RemoteWatchReceiver)) {
        throw new Error("it is no receiver of a watch between threads");
      }
      return RemoteWatchReceiver.adopt<number>(structuredClone(rx.intoHandle()));
    },
  };
}

describe("a watch between threads", () => {
  it("does as one in a thread does", () => {
    const steps = fc.array(fc.tuple(fc.nat(21), fc.nat(100)), { maxLength: 80, size: "max" });
    fc.assert(
      fc.property(steps, (steps) => {
        const programs = [new Program(inThread()), new Program(remote())];
        for (const program of programs) {
          for (const [kind, who] of steps) program.step(kind, who);
          program.end();
        }
        assertEquals(programs[1].told, programs[0].told);
      }),
      { numRuns: tiered({ quick: 150, full: 3_000, soak: 60_000 }) },
    );
  });

  it("loses no change that several threads make at once, and shows the last of them", async () => {
    const count = tiered({ quick: 300, full: 5_000, soak: 100_000 });
    const [tx, rx] = remoteWatch<number>(0);
    const threads = [0, 1].map(() => startThread("add", tx.clone().intoHandle(), { count }));
    for (let i = 0; i < count; i++) tx.sendModify((value) => value + 1);
    assertEquals(await rx.waitFor((value) => value === 3 * count), 3 * count);
    for (const { done } of threads) await done;
    assertEquals([tx.senderCount, rx.value], [1, 3 * count]);
    tx.close();
    assertEquals(await rx.changed(), false);
    rx.close();
  });

  it("ends where the threads of its ends are terminated", async () => {
    const [tx, rx] = remoteWatch("first");
    const receiver = startThread("hold", rx.clone().intoHandle());
    await receiver.told();
    const sender = startThread("hold", tx.clone().intoHandle());
    await sender.told();
    tx.send("x".repeat(10_000));
    assertEquals((await rx.waitFor((text) => text !== "first")).length, 10_000);
    assertEquals([tx.receiverCount, tx.senderCount], [2, 2]);
    rx.close();
    const closed = tx.closed().toPromise();
    await receiver.terminate();
    await closed;
    const last = tx.subscribe();
    tx.close();
    const changed = last.changed().toPromise();
    await sender.terminate();
    assertEquals(await changed, false);
    assertEquals(last.value.length, 10_000);
    await assertRejects(() => last.waitFor(() => false), ClosedError);
    last.close();
    assertEquals(last.value.length, 10_000);
  });

  it("takes no value that crosses by reference, and leaves nothing open", () => {
    const before = descriptors();
    for (let i = 0; i < 20; i++) {
      const [tx, rx] = remoteWatch<unknown>(new Uint8Array(5_000));
      using map = Mmap.anonymous(64);
      assertThrows(() => tx.send({ map }), TypeError, "something in it crosses by reference");
      tx.send("y".repeat(9_000));
      tx.send("z".repeat(9_000));
      tx.close();
      rx.close();
    }
    assert(openedSince(before).filter((one) => one.includes("memfd:oxbow")).length === 0);
  });
});
