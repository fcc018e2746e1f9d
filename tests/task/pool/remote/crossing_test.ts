import { describe, it } from "node:test";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { Mmap } from "../../../../lib/mem/mmap.ts";
import { Pending } from "../../../../lib/task/mod.ts";
import { Pool } from "../../../../lib/task/pool.ts";
import {
  closeRemoteEnd,
  remoteMpsc,
  remoteMpscBytes,
  RemoteReceiver,
  RemoteSender,
} from "../../../../lib/task/pool/remote.ts";
import { collect } from "../../../collector.ts";
import { descriptors, openedSince } from "../../../descriptors.ts";
import { tiered } from "../../../tier.ts";

const COUNT = tiered({ quick: 100, full: 1_000, soak: 20_000 });

function ours(before: ReadonlySet<string>): string[] {
  return openedSince(before).filter((one) => one.includes("memfd:oxbow"));
}

describe("what crosses in a channel's messages", () => {
  it("is moved, ends of other channels among them", async () => {
    const [tx, rx] = remoteMpsc<{ reply: RemoteSender<string>; map: Mmap<"write"> }>(2);
    const [reply, answers] = remoteMpsc<string>(1);
    using map = Mmap.anonymous(64);
    map.bytes()[3] = 5;
    await tx.send({ reply, map });
    assertThrows(() => reply.clone(), Error, "the sender was closed");
    const got = await rx.recv();
    assert(got !== undefined);
    assert(got.reply instanceof RemoteSender);
    using there = got.map;
    there.bytes()[4] = 6;
    assertEquals([...map.bytes(3, 2)], [5, 6]);
    await got.reply.send("yes");
    got.reply.close();
    assertEquals([await answers.recv(), await answers.recv()], ["yes", undefined]);
    for (const end of [tx, rx, answers]) end[Symbol.dispose]();
  });

  it("goes with a job's arguments, and comes with its result, which outlives its thread", async () => {
    const url = new URL("./jobs.ts", import.meta.url);
    const [tx, rx] = remoteMpsc<number>(3);
    let result: RemoteReceiver<string>;
    {
      await using pool = Pool.open({ threads: 2 });
      const { prepared, produce } = pool.jobs<typeof import("./jobs.ts")>(url);
      const sums = [produce(tx.clone(), 100), produce(tx, 200)];
      let sum = 0;
      for await (const i of rx) sum += i;
      assertEquals(sum, 99 * 50 + 199 * 100);
      for (const each of sums) await each;
      result = await prepared(["a", "b"]);
    }
    assertEquals(await Array.fromAsync(result), ["a", "b"]);
    for (const end of [rx, result]) end[Symbol.dispose]();
  });

  it("is given back where it is left unread, or its end is taken back", async () => {
    const [, warm] = remoteMpsc<number>(1);
    warm[Symbol.dispose]();
    const before = descriptors();
    const [inner, innerRx] = remoteMpsc<number>(1);
    const [tx, rx] = remoteMpsc<unknown>(4);
    using map = Mmap.anonymous(4096);
    await tx.send({ inner, map });
    await tx.send(new Uint8Array(100_000));
    assertEquals(innerRx.tryRecv(), Pending);
    rx[Symbol.dispose]();
    assertEquals(innerRx.tryRecv(), undefined);
    tx.close();
    innerRx[Symbol.dispose]();
    const [last, lastRx] = remoteMpsc<number>(1);
    const handle = last.intoHandle();
    closeRemoteEnd(handle);
    assertThrows(() => closeRemoteEnd(handle), Error, "adopted already");
    for (const none of [undefined, null, {}]) {
      assertThrows(() => Reflect.apply(closeRemoteEnd, undefined, [none]), TypeError, "no handle of one");
    }
    assertEquals(lastRx.tryRecv(), undefined);
    closeRemoteEnd(lastRx.intoHandle());
    map[Symbol.dispose]();
    assertEquals(ours(before), []);
  });

  it("is refused where it cannot be cloned, and the place is given back", async () => {
    const [tx, rx] = remoteMpsc<unknown>(1);
    assertThrows(() => tx.trySend({ a: [() => {}] }), Error, "the message.a[0]: it is a function");
    assertThrows(() => tx.trySend(new SharedArrayBuffer(8)), Error, "no channel carries");
    assertEquals([rx.capacity, tx.trySend("fits"), rx.tryRecv()], [1, true, "fits"]);
    const [bytes, bytesRx] = remoteMpscBytes(1);
    assertThrows(() => Reflect.apply(bytes.trySend, bytes, ["text"]), TypeError, "message is no Uint8Array");
    assertEquals(bytesRx.capacity, 1);
    for (const end of [tx, rx, bytes, bytesRx]) end[Symbol.dispose]();
    await Promise.resolve();
  });
});

describe("channels between threads", () => {
  it("leave nothing open, however many there are", async () => {
    const [, warm] = remoteMpsc<number>(1);
    warm[Symbol.dispose]();
    const before = descriptors();
    for (let i = 0; i < COUNT; i++) {
      const [tx, rx] = remoteMpsc<number>(2);
      const there = RemoteSender.adopt<number>(tx.clone().intoHandle());
      await there.send(i);
      assertEquals(await rx.recv(), i);
      const moved = RemoteReceiver.adopt<number>(rx.intoHandle());
      const waiting = moved.recv().toPromise();
      there.close();
      tx.close();
      assertEquals(await waiting, undefined);
      moved[Symbol.dispose]();
      assertEquals(ours(before), []);
    }
    assertEquals(ours(before), []);
  });

  it("count ends that were collected as closed", async () => {
    const [tx, rx] = remoteMpsc<number>(2);
    forget(tx.clone());
    tx.close();
    assert(await collect(() => rx.isClosed), "the sender still counts");
    rx[Symbol.dispose]();
    const [kept] = forgetReceiver();
    assert(await collect(() => kept.isClosed), "the receiver still counts");
    kept.close();
  });

  it("keep a receiver that waits", async () => {
    const [tx, waiting] = forgetWaiting();
    await collect();
    assertEquals(tx.trySend(5), true);
    assertEquals(await waiting, 5);
    tx.close();
  });
});

function forget(_tx: RemoteSender<number>): void {}

function forgetReceiver(): [RemoteSender<number>] {
  const [tx] = remoteMpsc<number>(1);
  return [tx];
}

function forgetWaiting(): [RemoteSender<number>, Promise<number | undefined>] {
  const [tx, rx] = remoteMpsc<number>(1);
  return [tx, rx.recv().toPromise()];
}
