import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { Pending } from "../../../../lib/task/mod.ts";
import { remoteMpsc, remoteMpscBytes } from "../../../../lib/task/pool/remote.ts";
import { descriptors, openedSince } from "../../../descriptors.ts";
import { waiting } from "../../channel/ready.ts";

function files(before: ReadonlySet<string>): number {
  return openedSince(before).filter((one) => one.includes("oxbow-message")).length;
}

describe("the ring of a channel between threads", () => {
  it("has room for small messages of any number, and for none while it is nearly full", () => {
    const before = descriptors();
    const [tx, rx] = remoteMpscBytes(100, { bytes: 16_384 });
    let sent = 0;
    while (tx.trySend(new Uint8Array(300).fill(sent))) sent++;
    assert(sent > 40 && sent < 60, `${sent} messages`);
    assertEquals([tx.capacity, rx.length, files(before)], [0, sent, 0]);
    const send = tx.send(Uint8Array.of(1));
    const probe = waiting(send);
    for (let i = 0; probe.wakes === 0; i++) {
      assertEquals(rx.tryRecv(), new Uint8Array(300).fill(i));
      assert(i < 10, "the one who waits is not woken");
    }
    send.drop();
    while (rx.tryRecv() !== Pending);
    assertEquals(rx.capacity, 100);
    for (let i = 0; i < 100; i++) assertEquals(tx.trySend(Uint8Array.of(i)), true);
    assertEquals([tx.trySend(Uint8Array.of(0)), files(before)], [false, 0]);
    for (const end of [tx, rx]) end[Symbol.dispose]();
  });

  it("sends by permits whatever the size, in files where it must", () => {
    const before = descriptors();
    const [tx, rx] = remoteMpsc<string>(20, { bytes: 0 });
    const permit = tx.tryReserveMany(20);
    assert(permit !== null);
    for (let i = 0; i < 20; i++) permit.send("x".repeat(1000 + i));
    assert(files(before) > 10);
    for (let i = 0; i < 20; i++) assertEquals(rx.tryRecv(), "x".repeat(1000 + i));
    assertEquals([rx.tryRecv(), rx.capacity, files(before)], [Pending, 20, 0]);
    for (const end of [permit, tx, rx]) end[Symbol.dispose]();
  });

  it("keeps messages whole and in order, of any sizes, round and round", () => {
    const [tx, rx] = remoteMpscBytes(7, { bytes: 0 });
    let [sent, taken] = [0, 0];
    const sizeOf = (i: number): number => (i * i * 37) % 1500;
    for (let round = 0; round < 3000; round++) {
      if (round % 3 < 2 && tx.trySend(new Uint8Array(sizeOf(sent)).fill(sent))) sent++;
      else if (taken < sent) {
        assertEquals(rx.tryRecv(), new Uint8Array(sizeOf(taken)).fill(taken));
        taken++;
      }
    }
    assert(taken > 500);
    for (const end of [tx, rx]) end[Symbol.dispose]();
  });
});
