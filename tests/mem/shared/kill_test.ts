/** SIGKILL at random moments, which fall into every critical section. */
import { describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  RingPeerDiedError,
  RingTakenError,
  SharedCondvar,
  SharedMutex,
  SharedRing,
  SharedSemaphore,
} from "../../../lib/mem/shared.ts";
import { tiered } from "../../tier.ts";
import { inFolder, newMap, wordsOf } from "./file_map.ts";
import { type Peer, startPeer } from "./peer.ts";

/** Of each test that kills in a loop: there are three. */
const KILLS = tiered({ quick: 5, full: 340, soak: 20_000 });
const PATIENCE = { timeout: 30_000 };

const files = inFolder();

/** Lets what runs beside the test run for a random while. */
async function whileRunning(act: () => void = () => {}): Promise<void> {
  const end = performance.now() + 15 * Math.random();
  do {
    act();
    await sleep(0);
  } while (performance.now() < end);
}

/** What a message of a victim must be: its number, its own count, and bytes that follow from both. */
const MESSAGES = `
  function fill(bytes, victim, count) {
    const words = new Int32Array(bytes.buffer, bytes.byteOffset, 2);
    words[0] = victim;
    words[1] = count;
    for (let i = 8; i < bytes.length; i++) bytes[i] = victim * 7 + count * 13 + i;
  }
  function lengthOf(victim, count) { return 8 + (victim * 31 + count * 17) % 200; }
`;

interface Tally {
  readonly received: number[];
}

/** Checks a message against those that came before. */
function receive(tally: Tally, bytes: Uint8Array<ArrayBuffer>): void {
  const [victim, count] = new Int32Array(bytes.buffer, bytes.byteOffset, 2);
  assertEquals(bytes.length, 8 + (victim * 31 + count * 17) % 200);
  const isWhole = bytes.every((byte, i) => i < 8 || byte === ((victim * 7 + count * 13 + i) & 255));
  assert(isWhole, `message ${count} of victim ${victim} is torn`);
  assertEquals(count, tally.received[victim] ?? 0);
  tally.received[victim] = count + 1;
}

describe("SIGKILL", () => {
  it("of who holds a mutex is told to the next, and blocks nobody", async () => {
    const path = files.file("mutex");
    using map = newMap(path);
    const mutex = SharedMutex.create(map);
    // Two numbers that are the same whenever the mutex is free, a count of repairs, and one of rounds.
    const data = wordsOf(map, 64, 4);
    const victim = `
      const mutex = SharedMutex.open(map);
      const data = words(64, 4);
      tell("ready");
      for (;;) {
        const guard = mutex.lockSync();
        if (guard.ownerDied) {
          data[1] = data[0];
          Atomics.add(data, 2, 1);
          guard.markConsistent();
        }
        if (data[0] !== data[1]) throw new Error("it was not told that an owner died");
        data[0]++;
        for (let i = 0; i < 200; i++) Atomics.load(data, 3);
        data[1]++;
        Atomics.add(data, 3, 1);
        guard[Symbol.dispose]();
      }`;
    const victims = [startPeer(path, victim), startPeer(path, victim)];
    let told = 0;
    // On until one held it, which about every third does: nothing says which.
    for (let kill = 0; kill < KILLS || (kill < 20 * KILLS && told + data[2] === 0); kill++) {
      const doomed = victims.shift();
      await doomed?.line();
      await whileRunning();
      await doomed?.kill();
      victims.push(startPeer(path, victim));
      using guard = mutex.lockSync(PATIENCE);
      if (guard.ownerDied) {
        told++;
        data[1] = data[0];
        guard.markConsistent();
      }
      assertEquals(data[0], data[1]);
    }
    for (const peer of victims) {
      await peer.line();
      const rounds = data[3];
      while (Atomics.load(data, 3) === rounds) await sleep(1);
      await peer.kill();
    }
    using guard = mutex.lockSync(PATIENCE);
    if (guard.ownerDied) guard.markConsistent();
    assert(told + data[2] > 0, "no victim was killed while it held the mutex");
  });

  it("of producers loses, tears and repeats no message", async () => {
    const path = files.file("producers");
    const CAPACITY = 2048;
    const SECOND = SharedRing.byteSize(CAPACITY);
    const SENT = 2 * SECOND;
    using map = newMap(path, SENT + 8 * (KILLS + 4));
    using alone = SharedRing.create(map, { capacity: CAPACITY });
    using many = SharedRing.create(map, { capacity: CAPACITY, kind: "mpmc", byteOffset: SECOND });
    // For each victim, what it knows to have sent to the one ring and to the other.
    const sent = wordsOf(map, SENT, 2 * (KILLS + 4));
    function victim(number: number): string {
      return `${MESSAGES}
        const alone = SharedRing.open(map);
        const many = SharedRing.open(map, { byteOffset: ${SECOND} });
        const sent = words(${SENT + 8 * number}, 2);
        const scratch = new Uint8Array(256);
        tell("ready");
        for (;;) {
          for (const [which, ring] of [alone, many].entries()) {
            if (which === 0) {
              // The one producer's place is free once the one before was killed.
              try { ring.reserve(0)?.abort(); } catch (error) {
                if (!(error instanceof shared.RingTakenError)) throw error;
                continue;
              }
            }
            const count = sent[which];
            const length = lengthOf(${number}, count);
            if (count % 2 === 0) {
              fill(scratch, ${number}, count);
              ring.sendSync(scratch.subarray(0, length));
            } else {
              const place = ring.reserveSync(length + count % 5);
              fill(place.bytes.subarray(0, length), ${number}, count);
              place.commit(length);
            }
            Atomics.add(sent, which, 1);
          }
        }`;
    }
    const tallies: Tally[] = [{ received: [] }, { received: [] }];
    function drain(): void {
      for (const [which, ring] of [alone, many].entries()) {
        for (let left = 100; left > 0; left--) {
          const message = ring.tryRecv();
          if (message === undefined) break;
          receive(tallies[which], message);
        }
      }
    }
    const victims: { number: number; peer: Peer }[] = [0, 1].map((number) => ({
      number,
      peer: startPeer(path, victim(number)),
    }));
    for (let next = 2; victims.length > 0; next++) {
      const doomed = victims.shift();
      if (doomed === undefined) break;
      await doomed.peer.line();
      await whileRunning(drain);
      await doomed.peer.kill();
      if (next < KILLS) victims.push({ number: next, peer: startPeer(path, victim(next)) });
      await whileRunning(drain);
      // Another's message that is open, whose thread is held up, keeps those behind it for as long.
      const end = performance.now() + PATIENCE.timeout;
      const isMissing = (which: number): boolean =>
        (tallies[which].received[doomed.number] ?? 0) < sent[2 * doomed.number + which];
      while ((isMissing(0) || isMissing(1)) && performance.now() < end) {
        drain();
        await sleep(0);
      }
      for (let i = 0; i < 10; i++) drain();
      for (const [which, { received }] of tallies.entries()) {
        // It may have been killed between the sending and the counting.
        const missing = (received[doomed.number] ?? 0) - sent[2 * doomed.number + which];
        assert(missing === 0 || missing === 1, `${-missing} messages of victim ${doomed.number} are missing`);
      }
    }
    assertEquals([alone.producer, alone.deaths.producers > 0], ["died", true]);
    assert(tallies.every(({ received }) => received.length > 0));
    alone.sendSync(Uint8Array.of(1));
    many.sendSync(Uint8Array.of(2));
    assertEquals([alone.recvSync(PATIENCE), many.recvSync(PATIENCE)], [Uint8Array.of(1), Uint8Array.of(2)]);
  });

  it("of consumers loses no message, and repeats the one that was not released", async () => {
    const path = files.file("consumers");
    const CAPACITY = 2048;
    const SECOND = SharedRing.byteSize(CAPACITY);
    const SEEN = 2 * SECOND;
    const MOST = 1_000_000;
    using map = newMap(path, SEEN + 8 * MOST);
    using alone = SharedRing.create(map, { capacity: CAPACITY });
    using many = SharedRing.create(map, { capacity: CAPACITY, kind: "mpmc", byteOffset: SECOND });
    const seen = [wordsOf(map, SEEN, MOST), wordsOf(map, SEEN + 4 * MOST, MOST)];
    const victim = `
      const alone = SharedRing.open(map);
      const many = SharedRing.open(map, { byteOffset: ${SECOND} });
      const seen = [words(${SEEN}, ${MOST}), words(${SEEN + 4 * MOST}, ${MOST})];
      tell("ready");
      for (;;) {
        for (const [which, ring] of [alone, many].entries()) {
          let message;
          try { message = ring.peekSync({ timeout: 1 }); } catch (error) {
            if (error instanceof shared.RingTakenError || error.name === "TimeoutError") continue;
            throw error;
          }
          const [number] = new Int32Array(message.bytes.buffer, message.bytes.byteOffset, 1);
          if (message.bytes.length !== 4 + number % 50) throw new Error("the message has another length");
          Atomics.add(seen[which], number, 1);
          message.release();
        }
      }`;
    const sent = [0, 0];
    function feed(): void {
      for (const [which, ring] of [alone, many].entries()) {
        while (sent[which] < MOST) {
          const number = sent[which];
          const place = ring.reserve(4 + number % 50);
          if (place === undefined) break;
          new Int32Array(place.bytes.buffer, place.bytes.byteOffset, 1)[0] = number;
          place.commit();
          sent[which]++;
        }
      }
    }
    const victims = [startPeer(path, victim), startPeer(path, victim)];
    for (let kill = 0; kill < KILLS; kill++) {
      const doomed = victims.shift();
      await doomed?.line();
      await whileRunning(feed);
      await doomed?.kill();
      victims.push(startPeer(path, victim));
    }
    await Promise.all(victims.map((peer) => peer.line()));
    for (const which of [0, 1]) {
      const end = performance.now() + PATIENCE.timeout;
      while (Atomics.load(seen[which], sent[which] - 1) === 0 && performance.now() < end) await sleep(1);
    }
    await sleep(20);
    for (const peer of victims) await peer.kill();
    for (const [which, ring] of [alone, many].entries()) {
      const counts = seen[which].subarray(0, sent[which]);
      assertEquals(counts.indexOf(0), -1);
      const repeated = counts.reduce((sum, count) => sum + count - 1, 0);
      const { consumers } = ring.deaths;
      assert(repeated <= consumers, `${repeated} messages came again, and ${consumers} consumers died`);
      assert(sent[which] > 0);
    }
    assert(alone.deaths.consumers > 0);
  });

  it("of one that waits for a semaphore takes nothing from the others", async () => {
    const path = files.file("semaphore");
    using map = newMap(path);
    const semaphore = SharedSemaphore.create(map);
    const source = `
      const semaphore = SharedSemaphore.open(map);
      tell("waits");
      semaphore.acquireSync();
      tell("acquired");`;
    const waiters = [1, 2, 3, 4].map(() => startPeer(path, source));
    for (const waiter of waiters) await waiter.line();
    await sleep(50);
    await waiters[0].kill();
    await waiters[2].kill();
    semaphore.release(2);
    for (const waiter of [waiters[1], waiters[3]]) {
      assertEquals(await waiter.line(), "acquired");
      await waiter.end();
    }
    assertEquals([semaphore.count, semaphore.tryAcquire()], [0, false]);
  });

  it("of one that waits for a condition variable takes nothing from the others", async () => {
    const path = files.file("condvar");
    using map = newMap(path);
    const mutex = SharedMutex.create(map);
    const condvar = SharedCondvar.create(map, 64);
    const state = wordsOf(map, 128, 1);
    const source = `
      const mutex = SharedMutex.open(map);
      const condvar = SharedCondvar.open(map, 64);
      const state = words(128, 1);
      const guard = mutex.lockSync();
      tell("waits");
      while (state[0] === 0) condvar.waitSync(mutex);
      guard[Symbol.dispose]();
      tell("woken");`;
    const waiters = [1, 2, 3, 4].map(() => startPeer(path, source));
    for (const waiter of waiters) await waiter.line();
    await sleep(50);
    await waiters[0].kill();
    await waiters[2].kill();
    {
      using guard = mutex.lockSync(PATIENCE);
      // Its heartbeat may have held the mutex just then.
      if (guard.ownerDied) guard.markConsistent();
      state[0] = 1;
    }
    condvar.notifyAll();
    for (const waiter of [waiters[1], waiters[3]]) {
      assertEquals(await waiter.line(), "woken");
      await waiter.end();
    }
  });

  it("of who should notify is seen by those who wait, through the mutex", async () => {
    const path = files.file("notifier");
    using map = newMap(path);
    SharedMutex.create(map);
    SharedCondvar.create(map, 64);
    const waiter = startPeer(
      path,
      `const mutex = SharedMutex.open(map);
       const guard = mutex.lockSync();
       tell("waits");
       while (!guard.ownerDied) SharedCondvar.open(map, 64).waitSync(mutex);
       guard.markConsistent();
       guard[Symbol.dispose]();
       tell("told");`,
    );
    await waiter.line();
    const notifier = startPeer(path, `SharedMutex.open(map).lockSync(); tell("held"); sleep(60_000);`);
    await notifier.line();
    await notifier.kill();
    assertEquals(await waiter.line(), "told");
    await waiter.end();
  });

  it("of one of many in the middle of a message keeps nobody from going on", async () => {
    const path = files.file("middle");
    using map = newMap(path, SharedRing.byteSize(1024));
    using ring = SharedRing.create(map, { capacity: 1024, kind: "mpmc" });
    for (let deaths = 1; deaths <= 3; deaths++) {
      const producer = startPeer(
        path,
        `const place = SharedRing.open(map).reserve(100); place.bytes.fill(9); tell("reserved"); sleep(60_000);`,
      );
      await producer.line();
      assertEquals(ring.trySend(Uint8Array.of(deaths)), false);
      await producer.kill();
      ring.sendSync(Uint8Array.of(deaths), PATIENCE);
      const consumer = startPeer(
        path,
        `const message = SharedRing.open(map).peek(); tell(String(message.bytes)); sleep(60_000);`,
      );
      assertEquals(await consumer.line(), String(deaths));
      assertEquals(ring.tryRecv(), undefined);
      await consumer.kill();
      assertEquals(ring.recvSync(PATIENCE), Uint8Array.of(deaths));
      assertEquals(ring.deaths, { producers: deaths, consumers: deaths });
    }
  });

  it("of the one producer, or consumer, is told to the other that waits", async () => {
    const path = files.file("sides");
    using map = newMap(path, SharedRing.byteSize(64));
    SharedRing.create(map, { capacity: 64 })[Symbol.dispose]();
    const producer = startPeer(
      path,
      `const ring = SharedRing.open(map);
       ring.sendSync(new Uint8Array(8));
       tell("sent");
       sleep(60_000);`,
    );
    assertEquals(await producer.line(), "sent");
    const consumer = startPeer(
      path,
      `const ring = SharedRing.open(map);
       ring.recvSync();
       tell("received");
       try { ring.recvSync(); } catch (error) { tell(error.name); }
       sleep(60_000);`,
    );
    assertEquals(await consumer.line(), "received");
    using ring = SharedRing.open(map);
    assertEquals([ring.producer, ring.consumer], ["alive", "alive"]);
    assertThrows(() => ring.tryRecv(), RingTakenError);
    assertThrows(() => ring.trySend(new Uint8Array(1)), RingTakenError);
    await producer.kill();
    assertEquals(await consumer.line(), "RingPeerDiedError");
    assertEquals([ring.producer, ring.consumer], ["died", "alive"]);
    await consumer.kill();
    assertEquals([ring.producer, ring.consumer], ["died", "died"]);
    assertEquals(ring.deaths, { producers: 1, consumers: 1 });
    while (ring.trySend(new Uint8Array(8)));
    assertThrows(
      () => ring.sendSync(new Uint8Array(8)),
      RingPeerDiedError,
      "it is full, and its consumer died",
    );
    assertThrows(() => ring.reserveSync(8), RingPeerDiedError);
    for (let left = 4; left > 0; left--) assertEquals(ring.recvSync()?.length, 8);
    assertEquals([ring.producer, ring.consumer], ["alive", "alive"]);
    assertEquals(ring.deaths, { producers: 1, consumers: 1 });
  });
});
