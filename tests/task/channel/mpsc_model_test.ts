import { describe, it } from "node:test";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import { ClosedError, mpsc, type Permit, type Receiver, type Sender } from "../../../lib/task/channel.ts";
import { BUDGET, coop } from "../../../lib/task/runtime/coop.ts";
import {
  type Coroutine,
  type Future,
  type JoinHandle,
  Pending,
  run,
  spawn,
  yieldNow,
} from "../../../lib/task/mod.ts";
import { tiered } from "../../tier.ts";
import { Probe } from "../probe.ts";

/** One who sends or reserves, as the oracle sees it. */
interface Claim {
  readonly future: Future<unknown>;
  readonly probe: Probe;
  /** The message that is sent, or none where room is reserved. */
  readonly message: number | null;
  readonly count: number;
  got: number;
  /** How often it had been woken when it was polled last. */
  wakes: number;
}

/** The naive oracle: arrays, and everything worked out anew after each step. */
class Model {
  readonly capacity: number;
  queued: number[] = [];
  claims: Claim[] = [];
  permits: Permit<number>[] = [];
  isClosed = false;
  senders = 1;

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  get promised(): number {
    const claimed = this.claims.reduce((sum, { got }) => sum + got, 0);
    return this.permits.reduce((sum, { left }) => sum + left, claimed);
  }

  get room(): number {
    return this.capacity - this.queued.length - this.promised;
  }

  get hasEnded(): boolean {
    return this.queued.length === 0 && this.promised === 0 && (this.isClosed || this.senders === 0);
  }

  /** Gives what room there is to the claims, from the oldest on. */
  settle(): void {
    if (this.isClosed) return;
    for (const claim of this.claims) {
      const part = Math.min(this.room, claim.count - claim.got);
      claim.got += part;
      if (claim.got < claim.count) return;
    }
  }

  isReady(claim: Claim): boolean {
    return this.isClosed || claim.got === claim.count;
  }
}

function isPermit(value: unknown): value is Permit<number> {
  return value instanceof Object && "left" in value;
}

/** A channel and its oracle, driven step by step. */
class Program {
  readonly #model: Model;
  #senders: Sender<number>[] = [];
  readonly #rx;
  #recv: Future<number | undefined> | null = null;
  #receiving = new Probe();
  #receivingWakes = 0;
  #next = 0;

  constructor(capacity: number) {
    const [tx, rx] = mpsc<number>(capacity);
    this.#senders.push(tx);
    this.#rx = rx;
    this.#model = new Model(capacity);
  }

  step(kind: number, who: number): void {
    coop.left = BUDGET;
    const model = this.#model;
    const tx = this.#senders[who % Math.max(1, this.#senders.length)];
    const claim = model.claims[who % Math.max(1, model.claims.length)];
    const permit = model.permits[who % Math.max(1, model.permits.length)];
    if (kind <= 2 && tx !== undefined) this.#claim(tx.send(this.#next), this.#next++, 1);
    else if (kind === 3 && tx !== undefined) {
      const count = who % (model.capacity + 1);
      this.#claim(tx.reserveMany(count), null, count);
    } else if (kind === 4 && tx !== undefined && !model.isClosed) {
      const hasRoom = model.room > 0;
      assertEquals(tx.trySend(this.#next), hasRoom);
      if (hasRoom) model.queued.push(this.#next);
      this.#next++;
    } else if (kind === 5 && claim !== undefined) this.#poll(claim);
    else if (kind === 6 && claim !== undefined) {
      claim.future.drop();
      model.claims.splice(model.claims.indexOf(claim), 1);
    } else if (kind === 7 && permit !== undefined) {
      permit.release();
      model.permits.splice(model.permits.indexOf(permit), 1);
    } else if (kind === 8 && permit !== undefined && permit.left > 0) {
      permit.send(this.#next);
      model.queued.push(this.#next++);
    } else if (kind <= 12) this.#receive();
    else if (kind === 13) {
      this.#recv?.drop();
      this.#recv = null;
    } else if (kind === 14 && tx !== undefined) {
      this.#senders.push(tx.clone());
      model.senders++;
    } else if (kind === 15 && tx !== undefined && who % 3 === 0) {
      tx.close();
      this.#senders.splice(this.#senders.indexOf(tx), 1);
      model.senders--;
    } else if (kind === 16 && who % 8 === 0) {
      this.#rx.close();
      model.isClosed = true;
    }
    model.settle();
    this.#check();
  }

  #claim(future: Future<unknown>, message: number | null, count: number): void {
    const claim = { future, probe: new Probe(), message, count, got: 0, wakes: 0 };
    if (!this.#model.isClosed) {
      this.#model.claims.push(claim);
      this.#model.settle();
    }
    this.#poll(claim);
  }

  #poll(claim: Claim): void {
    const model = this.#model;
    let value: unknown;
    let failed = false;
    try {
      value = claim.probe.poll(claim.future);
    } catch (error) {
      assert(error instanceof ClosedError);
      failed = true;
      if (claim.message !== null) assertEquals(error.value, claim.message);
    }
    claim.wakes = claim.probe.wakes;
    assertEquals(failed, model.isClosed);
    if (failed || model.isReady(claim)) {
      const at = model.claims.indexOf(claim);
      if (at !== -1) model.claims.splice(at, 1);
    }
    if (failed) return;
    if (!model.isReady(claim)) assertStrictEquals(value, Pending);
    else if (claim.message !== null) {
      assertStrictEquals(value, undefined);
      model.queued.push(claim.message);
    } else {
      assert(isPermit(value));
      assertEquals(value.left, claim.count);
      model.permits.push(value);
    }
  }

  #receive(): void {
    const model = this.#model;
    this.#recv ??= this.#rx.recv();
    const value = this.#receiving.poll(this.#recv);
    this.#receivingWakes = this.#receiving.wakes;
    assertStrictEquals(value, model.hasEnded ? undefined : model.queued.shift() ?? Pending);
    if (value !== Pending) this.#recv = null;
  }

  /** Counts agree, and whoever could go on has been woken. */
  #check(): void {
    const model = this.#model;
    assertEquals(this.#rx.length, model.queued.length);
    assertEquals(this.#rx.capacity, model.room);
    for (const claim of model.claims) {
      if (model.isReady(claim)) assert(claim.probe.wakes > claim.wakes, "a sender was not woken");
    }
    if (this.#recv !== null && (model.queued.length > 0 || model.hasEnded)) {
      assert(this.#receiving.wakes > this.#receivingWakes, "the receiver was not woken");
    }
  }

  /** Drops and closes all, and takes what is left: then all the room is back. */
  end(): void {
    coop.left = BUDGET;
    const model = this.#model;
    for (const { future } of model.claims.splice(0)) future.drop();
    for (const permit of model.permits.splice(0)) permit.release();
    for (const tx of this.#senders.splice(0)) tx.close();
    model.senders = 0;
    this.#check();
    while (!model.hasEnded) {
      coop.left = BUDGET;
      this.#receive();
    }
    assertStrictEquals(this.#rx.tryRecv(), undefined);
    assertEquals(this.#rx.capacity, model.capacity);
  }
}

describe("an mpsc channel", () => {
  it("does as a naive one does, in any program of sends, permits, drops and closes", () => {
    const step = fc.tuple(fc.nat(16), fc.nat(1000));
    const steps = fc.array(step, { maxLength: 120, size: "max" });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), steps, (capacity, steps) => {
        const program = new Program(capacity);
        for (const [kind, who] of steps) program.step(kind, who);
        program.end();
      }),
      { numRuns: tiered({ quick: 500, full: 5_000, soak: 100_000 }) },
    );
  });

  it("loses no message, wherever its senders are aborted", async () => {
    const sent: number[] = [];
    function* produce(tx: Sender<number>, from: number): Coroutine<void> {
      using _ = tx;
      for (let i = from; i < from + 10; i++) {
        if (i % 3 === 0) {
          using permit = yield* tx.reserve();
          yield* yieldNow();
          sent.push(i);
          permit.send(i);
        } else {
          yield* tx.send(i);
          sent.push(i);
        }
      }
    }
    // One that is aborted before its first turn has closed nothing: its sender goes when it is collected.
    for (let polls = 1; polls <= 40; polls++) {
      sent.length = 0;
      const received: number[] = [];
      await run(function* (): Coroutine<void> {
        const [tx, rx] = mpsc<number>(2);
        const tasks: JoinHandle<void>[] = [];
        for (let i = 0; i < 3; i++) tasks.push(spawn(produce, tx.clone(), 100 * i));
        const all = spawn(() => Array.fromAsync(rx));
        for (let i = 0; i < polls; i++) yield* yieldNow();
        tasks[polls % 3].abort();
        tx.close();
        received.push(...yield* all);
        assertEquals(rx.capacity, rx.maxCapacity);
      });
      assertEquals(received.toSorted((a, b) => a - b), sent.toSorted((a, b) => a - b));
      for (const from of [0, 100, 200]) {
        const own = received.filter((value) => value >= from && value < from + 100);
        assertEquals(own, own.toSorted((a, b) => a - b));
      }
    }
  });

  it("loses no message, wherever its receiver is aborted and another goes on", async () => {
    function* produce(tx: Sender<number>): Coroutine<void> {
      using _ = tx;
      for (let i = 0; i < 20; i++) yield* tx.send(i);
    }
    function* takeOne(rx: Receiver<number>, into: number[]): Coroutine<void> {
      for (;;) {
        const value = yield* rx.recv();
        if (value === undefined) return;
        into.push(value);
        if (value % 4 === 0) yield* yieldNow();
      }
    }
    function* takeMany(rx: Receiver<number>, into: number[]): Coroutine<void> {
      while ((yield* rx.recvMany(into, 3)) > 0) yield* yieldNow();
    }
    for (const take of [takeOne, takeMany]) {
      for (let polls = 0; polls < 30; polls++) {
        const received: number[] = [];
        await run(function* (): Coroutine<void> {
          const [tx, rx] = mpsc<number>(3);
          spawn(produce, tx);
          const first = spawn(take, rx, received);
          for (let i = 0; i < polls; i++) yield* yieldNow();
          first.abort();
          yield* spawn(take, rx, received);
        });
        assertEquals(received, Array.from({ length: 20 }, (_, i) => i));
      }
    }
  });
});
