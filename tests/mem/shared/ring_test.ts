import { describe, it } from "node:test";
import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { RingEndedError, SharedFormatError, SharedRing } from "../../../lib/mem/shared.ts";
import { CONSUMER_SLEEPS, HEAD, HEADER, PRODUCER_SLEEPS, TAIL } from "../../../lib/mem/shared/ring_layout.ts";
import { tiered } from "../../tier.ts";
import { newMap, wordsOf } from "./file_map.ts";
import { startPeer } from "./peer.ts";
import { files, message, newRing } from "./rings.ts";

const RUNS = tiered({ quick: 200, full: 5_000, soak: 500_000 });
const KINDS = ["spsc", "mpmc"] as const;

function assertTimeout(act: () => unknown): void {
  assertEquals(assertThrows(act, DOMException).name, "TimeoutError");
}

interface Step {
  readonly act: "send" | "sendSync" | "reserve" | "abort" | "recv" | "recvSync" | "peek" | "putBack";
  readonly length: number;
}

const step = fc.record<Step>({
  act: fc.constantFrom("send", "sendSync", "reserve", "abort", "recv", "recvSync", "peek", "putBack"),
  length: fc.oneof(fc.nat(8), fc.nat(120)),
});

/** Takes the step on both, and compares. Whether it was taken. */
function take(ring: SharedRing, queue: Uint8Array[], { act, length }: Step, seed: number): boolean {
  const sent = message(length, seed);
  switch (act) {
    case "send":
      if (!ring.trySend(sent)) return false;
      queue.push(sent);
      return true;
    case "sendSync":
      try {
        ring.sendSync(sent, { timeout: 0 });
      } catch (error) {
        assert(error instanceof DOMException && error.name === "TimeoutError");
        return false;
      }
      queue.push(sent);
      return true;
    case "reserve": {
      const place = ring.reserve(length);
      if (place === undefined) return false;
      place.bytes.set(sent);
      place.commit(length >> 1);
      queue.push(sent.subarray(0, length >> 1));
      return true;
    }
    case "abort": {
      using place = ring.reserve(length);
      place?.bytes.set(sent);
      return place !== undefined;
    }
    case "recv":
      assertEquals(ring.tryRecv(), queue.shift());
      return true;
    case "recvSync":
      if (queue.length > 0) assertEquals(ring.recvSync({ timeout: 0 }), queue.shift());
      else assertTimeout(() => ring.recvSync({ timeout: 0 }));
      return true;
    case "peek": {
      using found = ring.peek();
      assertEquals(found?.bytes, queue.shift());
      return true;
    }
    case "putBack": {
      const found = ring.peek();
      assertEquals(found?.bytes, queue[0]);
      found?.putBack();
      return true;
    }
  }
}

for (const kind of KINDS) {
  describe(`SharedRing, ${kind}`, () => {
    it("is a queue, whatever the sizes and wherever its positions wrap", () => {
      fc.assert(
        fc.property(
          fc.array(step, { maxLength: 60 }),
          fc.constantFrom(0, 8, 128, 2 ** 31 - 64, -64, -8),
          (steps, start) => {
            const { map, ring } = newRing({ capacity: 256, kind });
            try {
              const words = wordsOf(map, 0, 192);
              words[HEAD] = words[TAIL] = start;
              const queue: Uint8Array[] = [];
              for (const [i, step] of steps.entries()) {
                const isTaken = take(ring, queue, step, i);
                // An empty ring has room for any message.
                assert(isTaken || queue.length > 0);
              }
              for (const expected of queue) assertEquals(ring.tryRecv(), expected);
              assertStrictEquals(ring.tryRecv(), undefined);
            } finally {
              ring[Symbol.dispose]();
              map[Symbol.dispose]();
            }
          },
        ),
        { numRuns: RUNS },
      );
    });

    it("takes messages of no bytes, and of as many as largestMessage says", () => {
      const { map, ring } = newRing({ capacity: 1024, kind });
      assertEquals([ring.capacity, ring.kind, ring.largestMessage], [1024, kind, 504]);
      for (let i = 0; i < 20; i++) {
        ring.sendSync(new Uint8Array(0));
        ring.sendSync(message(ring.largestMessage, i));
        assertEquals(ring.recvSync(), new Uint8Array(0));
        assertEquals(ring.recvSync(), message(ring.largestMessage, i));
        ring.sendSync(message(13 * i, i));
        assertEquals(ring.recvSync(), message(13 * i, i));
      }
      for (const length of [505, 1024, 2 ** 31]) {
        const what = `a message of ${length} bytes, and its capacity of 1024 takes up to 504`;
        assertThrows(() => ring.reserve(length), RangeError, what);
        assertThrows(() => ring.reserveSync(length), RangeError, what);
      }
      assertThrows(() => ring.trySend(new Uint8Array(505)), RangeError, "takes up to 504");
      assertThrows(() => ring.sendSync(new Uint8Array(505)), RangeError, "takes up to 504");
      for (const length of [-1, 0.5, NaN, Infinity]) assertThrows(() => ring.reserve(length), RangeError);
      for (const wrong of ["text", [1], new ArrayBuffer(1), new Float32Array(1), undefined, null]) {
        assertThrows(
          () => Reflect.apply(ring.sendSync, ring, [wrong]),
          TypeError,
          "message is no Uint8Array",
        );
      }
      ring[Symbol.dispose]();
      map[Symbol.dispose]();
    });

    it("is full and empty without waiting, or for as long as it is told to", () => {
      const { map, ring } = newRing({ capacity: 64, kind });
      for (let i = 0; i < 4; i++) assert(ring.trySend(message(8, i)));
      assertEquals(ring.trySend(message(8, 4)), false);
      assertStrictEquals(ring.reserve(0), undefined);
      for (const timeout of [0, 0.5, 5]) {
        const start = performance.now();
        assertTimeout(() => ring.sendSync(message(8, 4), { timeout }));
        assertTimeout(() => ring.reserveSync(8, { timeout }));
        assert(performance.now() - start >= 2 * timeout);
      }
      for (let i = 0; i < 4; i++) assertEquals(ring.tryRecv(), message(8, i));
      assertStrictEquals(ring.tryRecv(), undefined);
      assertStrictEquals(ring.peek(), undefined);
      for (const timeout of [0, 0.5, 5]) {
        const start = performance.now();
        assertTimeout(() => ring.recvSync({ timeout }));
        assertTimeout(() => ring.peekSync({ timeout }));
        assert(performance.now() - start >= 2 * timeout);
      }
      for (const timeout of [NaN, -1]) {
        assertThrows(() => ring.recvSync({ timeout }), RangeError, `timeout is ${timeout}`);
        assertThrows(() => ring.sendSync(message(1, 1), { timeout }), RangeError, `timeout is ${timeout}`);
        assertThrows(() => ring.reserveSync(1, { timeout }), RangeError, `timeout is ${timeout}`);
        assertThrows(() => ring.peekSync({ timeout }), RangeError, `timeout is ${timeout}`);
      }
      ring[Symbol.dispose]();
      map[Symbol.dispose]();
    });

    it("shows a reservation to nobody before it is committed", () => {
      const { map, ring } = newRing({ capacity: 1024, kind });
      const place = ring.reserveSync(10);
      place.bytes.fill(7);
      assertStrictEquals(ring.tryRecv(), undefined);
      for (const act of [() => ring.trySend(message(1, 1)), () => ring.reserve(1), () => ring.end()]) {
        assertThrows(act, Error, "the last reservation is open");
      }
      for (const length of [-1, 11, 0.5, NaN]) {
        assertThrows(
          () => place.commit(length),
          RangeError,
          `length is ${length}, and 10 bytes are reserved`,
        );
      }
      place.commit(3);
      assertThrows(() => place.commit(), Error, "the reservation is over");
      place.abort();
      assertEquals(ring.recvSync(), Uint8Array.of(7, 7, 7));
      const second = ring.reserveSync(10);
      second.abort();
      assertThrows(() => second.commit(), Error, "the reservation is over");
      assertStrictEquals(ring.tryRecv(), undefined);
      ring[Symbol.dispose]();
      map[Symbol.dispose]();
    });

    it("keeps a message that is looked at until it is released", () => {
      const { map, ring } = newRing({ capacity: 1024, kind });
      ring.sendSync(message(10, 1));
      ring.sendSync(message(20, 2));
      const first = ring.peekSync();
      assertEquals(first?.bytes, message(10, 1));
      for (const act of [() => ring.tryRecv(), () => ring.peek(), () => ring.recvSync()]) {
        assertThrows(act, Error, "the last message is open");
      }
      first?.putBack();
      first?.release();
      assertEquals(ring.peek()?.bytes, message(10, 1));
      ring[Symbol.dispose]();
      using again = SharedRing.open(map);
      assertEquals(again.recvSync(), message(10, 1));
      const second = again.peek();
      second?.release();
      second?.release();
      assertStrictEquals(again.tryRecv(), undefined);
      again[Symbol.dispose]();
      map[Symbol.dispose]();
    });

    it("ends for good, once it is empty", () => {
      const { map, ring } = newRing({ capacity: 1024, kind });
      ring.sendSync(message(1, 1));
      ring.sendSync(message(2, 2));
      assertEquals(ring.isEnded, false);
      ring.end();
      ring.end();
      assertEquals(ring.isEnded, true);
      assertThrows(() => ring.trySend(message(1, 1)), RingEndedError);
      assertThrows(() => ring.sendSync(message(1, 1)), RingEndedError);
      assertThrows(() => ring.reserve(1), RingEndedError);
      assertEquals([...ring], [message(1, 1), message(2, 2)]);
      assertStrictEquals(ring.recvSync(), undefined);
      assertStrictEquals(ring.peekSync(), undefined);
      ring[Symbol.dispose]();
      map[Symbol.dispose]();
    });

    it("wakes the other side where it sleeps, a producer once half the ring is free", () => {
      const { map, ring } = newRing({ capacity: 1024, kind });
      const words = wordsOf(map, 0, HEADER / 4);
      words[CONSUMER_SLEEPS] = 1;
      for (let i = 0; i < 8; i++) ring.sendSync(message(120, i));
      assertEquals(words[CONSUMER_SLEEPS], 0);
      words[PRODUCER_SLEEPS] = 1;
      for (let i = 0; i < 3; i++) ring.recvSync();
      assertEquals(words[PRODUCER_SLEEPS], 1);
      ring.recvSync();
      assertEquals(words[PRODUCER_SLEEPS], 0);
      words[CONSUMER_SLEEPS] = 1;
      ring.end();
      assertEquals(words[CONSUMER_SLEEPS], 0);
      ring[Symbol.dispose]();
      map[Symbol.dispose]();
    });

    it("wakes at once who sleeps in another process", async () => {
      const path = files.file("asleep");
      using map = newMap(path, SharedRing.byteSize(64));
      using ring = SharedRing.create(map, { capacity: 64, kind });
      // A wake-up that is lost costs a tenth of a second: this takes minutes where all are.
      const TIMES = 1500;
      const peer = startPeer(
        path,
        `const ring = SharedRing.open(map);
         const state = words(0, ${HEADER / 4});
         for (let i = 0; i < ${TIMES}; i++) {
           while (Atomics.load(state, ${CONSUMER_SLEEPS}) === 0);
           sleep(0.3);
           ring.sendSync(Uint8Array.of(i));
         }
         // For as long as it may be told that its producer has left.
         while (Atomics.load(state, ${HEAD}) !== Atomics.load(state, ${TAIL}));`,
      );
      for (let i = 0; i < TIMES; i++) assertEquals(ring.recvSync({ timeout: 30_000 }), Uint8Array.of(i));
      await peer.end();
    });

    it("is of no use once it was disposed, or its map was", () => {
      const { map, ring } = newRing({ capacity: 1024, kind });
      const acts = [
        () => ring.trySend(message(1, 1)),
        () => ring.sendSync(message(1, 1)),
        () => ring.reserve(1),
        () => ring.reserveSync(1),
        () => ring.tryRecv(),
        () => ring.recvSync({ timeout: 1 }),
        () => ring.peek(),
        () => ring.peekSync({ timeout: 1 }),
        () => ring.end(),
        () => ring.isEnded,
        () => ring.deaths,
        () => ring.producer,
        () => ring.consumer,
      ];
      const bytes = map.bytes();
      ring.sendSync(message(1, 1));
      map[Symbol.dispose]();
      for (const act of acts) assertThrows(act, Error, "the map was disposed");
      assertEquals([ring.isClosed, bytes.length > 0], [false, true]);
      ring[Symbol.dispose]();
      ring[Symbol.dispose]();
      assertEquals([ring.isClosed, bytes.length], [true, 0]);
      for (const act of acts) assertThrows(act, Error, "SharedRing that was disposed");
    });

    it("gives its pieces up where it is disposed", () => {
      const { map, ring } = newRing({ capacity: 1024, kind });
      ring.sendSync(message(5, 5));
      const place = ring.reserve(8);
      const found = ring.peek();
      ring[Symbol.dispose]();
      found?.release();
      place?.abort();
      assertThrows(() => place?.commit(), Error, "the reservation is over");
      using again = SharedRing.open(map);
      assertEquals(again.recvSync(), message(5, 5));
      again.sendSync(message(6, 6));
      assertEquals(again.recvSync(), message(6, 6));
      again[Symbol.dispose]();
      map[Symbol.dispose]();
    });

    it("refuses positions and lengths that no ring has", () => {
      const { map, ring } = newRing({ capacity: 256, kind });
      ring.sendSync(message(8, 1));
      ring[Symbol.dispose]();
      const words = wordsOf(map, 0, 768 / 4 + 64);
      const whole = words.slice();
      for (const [word, value] of [[TAIL, 4], [TAIL, 1 << 20], [HEAD, 32], [HEAD, -256]]) {
        words.set(whole);
        words[word] = value;
        using damaged = SharedRing.open(map);
        assertThrows(() => damaged.tryRecv(), SharedFormatError, "its positions are damaged");
        assertThrows(() => damaged.trySend(message(1, 1)), SharedFormatError, "its positions are damaged");
        // Nothing stays locked by it.
        words.set(whole.subarray(TAIL, TAIL + 1), TAIL);
        words.set(whole.subarray(HEAD, HEAD + 1), HEAD);
        assertEquals(damaged.tryRecv(), message(8, 1));
      }
      for (const length of [9, 249, -1, -2, 0x7fffffff, -0x80000000]) {
        words.set(whole);
        words[HEADER / 4] = length;
        using damaged = SharedRing.open(map);
        assertThrows(() => damaged.tryRecv(), SharedFormatError, "its records are damaged");
        words[HEADER / 4] = 8;
        assertEquals(damaged.tryRecv(), message(8, 1));
      }
      map[Symbol.dispose]();
    });
  });
}
