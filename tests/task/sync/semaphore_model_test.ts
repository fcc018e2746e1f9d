import { describe, it } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { type Future, yieldNow } from "../../../lib/task/mod.ts";
import { Semaphore, SemaphoreClosedError, type SemaphorePermit } from "../../../lib/task/sync.ts";
import { Probe } from "../probe.ts";
import { abortedEverywhere, ready, waiting } from "./by_hand.ts";

/** A semaphore written the slow way. */
class Model {
  available: number;
  closed = false;
  queue: { id: number; wanted: number; lacking: number }[] = [];
  granted = new Map<number, number>();

  constructor(permits: number) {
    this.available = permits;
  }

  poll(id: number, wanted: number): "closed" | "ready" | "pending" {
    const has = this.granted.get(id);
    if (has !== undefined) this.granted.delete(id);
    if (this.closed) {
      this.add(has ?? 0);
      return "closed";
    }
    if (has !== undefined) return "ready";
    if (this.queue.some((waiter) => waiter.id === id)) return "pending";
    this.queue.push({ id, wanted, lacking: wanted });
    if (wanted === 0) {
      this.queue.pop();
      return "ready";
    }
    this.settle();
    return this.granted.delete(id) ? "ready" : "pending";
  }

  drop(id: number): void {
    const has = this.granted.get(id) ?? 0;
    this.granted.delete(id);
    const waiter = this.queue.find((waiter) => waiter.id === id);
    this.queue = this.queue.filter((waiter) => waiter.id !== id);
    this.add(has + (waiter === undefined ? 0 : waiter.wanted - waiter.lacking));
  }

  add(count: number): void {
    this.available += count;
    this.settle();
  }

  close(): void {
    this.closed = true;
    for (const { wanted, lacking } of this.queue) this.available += wanted - lacking;
    this.queue = [];
  }

  settle(): void {
    while (this.queue.length > 0 && this.available > 0) {
      const [head] = this.queue;
      const given = Math.min(head.lacking, this.available);
      head.lacking -= given;
      this.available -= given;
      if (head.lacking > 0) return;
      this.queue.shift();
      this.granted.set(head.id, head.wanted);
    }
  }
}

describe("a semaphore, by random steps", () => {
  it("does as a slow one does, and has all its permits at the end", () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant("acquire" as const), n: fc.nat(4) }),
      fc.record({ kind: fc.constant("poll" as const), n: fc.nat(7) }),
      fc.record({ kind: fc.constant("poll" as const), n: fc.nat(7) }),
      fc.record({ kind: fc.constant("drop" as const), n: fc.nat(7) }),
      fc.record({ kind: fc.constant("release" as const), n: fc.nat(7) }),
      fc.record({ kind: fc.constant("add" as const), n: fc.nat(2) }),
      fc.record({ kind: fc.constant("close" as const), n: fc.constant(0) }),
    );
    fc.assert(
      fc.property(fc.nat(4), fc.array(step, { maxLength: 60 }), (permits, steps) => {
        const semaphore = new Semaphore(permits);
        const model = new Model(permits);
        const waits: { id: number; wanted: number; future: Future<SemaphorePermit>; probe: Probe }[] = [];
        const held: SemaphorePermit[] = [];
        let total = permits;
        let ids = 0;
        for (const { kind, n } of steps) {
          const index = waits.length === 0 ? -1 : n % waits.length;
          switch (kind) {
            case "acquire":
              waits.push({ id: ids++, wanted: n, future: semaphore.acquireMany(n), probe: new Probe() });
              break;
            case "poll": {
              if (index < 0) break;
              const { id, wanted, future, probe } = waits[index];
              const expected = model.poll(id, wanted);
              if (expected === "closed") {
                assertThrows(() => ready(future, probe), SemaphoreClosedError);
              } else if (expected === "ready") held.push(ready(future, probe));
              else waiting(future, probe);
              if (expected !== "pending") waits.splice(index, 1);
              break;
            }
            case "drop":
              if (index < 0) break;
              waits[index].future.drop();
              model.drop(waits[index].id);
              waits.splice(index, 1);
              break;
            case "release": {
              if (held.length === 0) break;
              const [permit] = held.splice(n % held.length, 1);
              model.add(permit.count);
              permit.release();
              break;
            }
            case "add":
              total += n;
              model.add(n);
              semaphore.addPermits(n);
              break;
            case "close":
              model.close();
              semaphore.close();
          }
          assertEquals(semaphore.availablePermits, model.available);
          for (const { id, probe } of waits) {
            if (model.granted.has(id)) assertEquals(probe.wakes, 1);
          }
        }
        for (const { future } of waits) future.drop();
        for (const permit of held) permit.release();
        assertEquals(semaphore.availablePermits, total);
      }),
      { numRuns: 300 },
    );
  });

  it("has all its permits wherever a task that acquires them is aborted", async () => {
    await abortedEverywhere(() => {
      const semaphore = new Semaphore(4);
      return {
        *body(index) {
          for (let round = 0; round < 3; round++) {
            using permit = yield* semaphore.acquireMany(2 + index);
            yield* yieldNow();
            using half = permit.split(1);
            yield* yieldNow();
            half?.release();
          }
        },
        check: () => assertEquals(semaphore.availablePermits, 4),
      };
    });
  });
});
