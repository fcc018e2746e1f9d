import { after, before, describe, it } from "node:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { Mmap } from "../../../../lib/mem/mmap.ts";
import { Arc, PinnedBytes, Yoke } from "../../../../lib/mem/yoke.ts";
import { SharedCondvar, SharedMutex, SharedRing, SharedSemaphore } from "../../../../lib/mem/shared.ts";
import { RemoteNotify, run } from "../../../../lib/task/mod.ts";
import { descriptors, openedSince } from "../../../descriptors.ts";
import { scratch } from "../../../mem/scratch.ts";
import { Peer } from "./peer.ts";

const files = scratch();

/** Of maps, records of them and messages alone. */
function openedMaps(before: ReadonlySet<string>): string[] {
  return openedSince(before).filter((one) => /memfd:oxbow(?!-pool)|\.bin/.test(one));
}

describe("what crosses to a worker", () => {
  let peer: Peer;

  before(async () => {
    peer = await Peer.start();
    // The first map of a thread opens what guards all of them.
    for (const map of [Mmap.anonymous(1), peer.call("make", 1)]) {
      if (map instanceof Mmap) map[Symbol.dispose]();
    }
    peer.call("forgets");
  });

  after(() => peer[Symbol.asyncDispose]());

  it("is a map, over the same pages, in its mode, though its sender disposes it at once", () => {
    const opened = descriptors();
    const map = Mmap.anonymous(10_000);
    assertEquals(peer.call("map", map, 9000), ["r+", 10_000, 1]);
    assertEquals(peer.call("map", map, 9000), ["r+", 10_000, 2]);
    assertStrictEquals(map.bytes()[9000], 2);
    const path = join(files.folder, "part.bin");
    writeFileSync(path, new Uint8Array(9000).map((_, i) => i / 1000));
    const part = Mmap.open(path, { offset: 5000, length: 3000 });
    assertEquals(peer.call("map", part, 2500), ["r", 3000, 7]);
    assertStrictEquals(peer.call("same", map, map), true);
    const back = peer.call("echo", [map], map);
    map[Symbol.dispose]();
    assert(Array.isArray(back) && back[1] instanceof Mmap && Array.isArray(back[0]));
    assertStrictEquals(back[0][0], back[1]);
    assertStrictEquals(back[1].bytes()[9000], 2);
    back[1][Symbol.dispose]();
    part[Symbol.dispose]();
    assertEquals(openedMaps(opened), []);
  });

  it("comes back as a result that outlives what the worker made it of", () => {
    const found = peer.call("make", 5000);
    assert(found instanceof Mmap);
    peer.call("forgets");
    assertEquals([found.mode, found.byteLength, found.bytes()[4999]], ["r+", 5000, 7]);
    found[Symbol.dispose]();
  });

  it("is an Arc, with an owner more, and none that leaked on its way", () => {
    using map = Mmap.anonymous(100);
    map.bytes()[0] = 42;
    using arc = Arc.share(map);
    assertEquals(peer.call("arc", arc), [2, 0, 42, "r+"]);
    assertEquals([arc.count, arc.leaked()], [1, 0]);
    const found = peer.call("echo", arc);
    assert(Array.isArray(found) && found[0] instanceof Arc);
    found[0][Symbol.dispose]();
  });

  it("is a Yoke, whose cart crosses and whose view is made again", () => {
    using map = Mmap.anonymous(1 << 22);
    using yoke = Yoke.attach(map, (map) => map.view(Float64Array, 3 << 20, 2));
    yoke.value[0] = 2.5;
    assertEquals(peer.call("yoke", yoke), [2, 2.5, true]);
    using arc = Arc.share(map);
    using other = Yoke.attach(arc, (arc) => arc.map.view(Float64Array, 3 << 20, 2));
    assertEquals(peer.call("yoke", other), [2, 2.5, true]);
    assertEquals([...yoke.value], [2.5, 1]);
  });

  it("is what lies in a map", () => {
    using map = Mmap.anonymous(1024 + SharedRing.byteSize(256));
    const semaphore = SharedSemaphore.create(map, 64, 1);
    peer.call("semaphore", semaphore);
    assertStrictEquals(semaphore.count, 3);
    const mutex = SharedMutex.create(map, 128);
    const condvar = SharedCondvar.create(map, 192);
    assertStrictEquals(peer.call("mutex", mutex, condvar), false);
    assertStrictEquals(condvar.notifications, 1);
    using ring = SharedRing.create(map, { capacity: 256, byteOffset: 1024 });
    assertStrictEquals(peer.call("ring", ring), 256);
    assertEquals(ring.recvSync(), Uint8Array.of(1, 2, 3));
  });

  it("is a SharedArrayBuffer of the opener's, and what is made over it, and the worker's as a result", () => {
    const memory = new Int32Array(new SharedArrayBuffer(64), 8, 4);
    for (let i = 0; i < 50; i++) assertStrictEquals(peer.call("shared", memory), 5 * i);
    assertStrictEquals(memory[1], 250);
    const back = peer.call("echo", memory, memory.buffer);
    assert(Array.isArray(back) && back[0] instanceof Int32Array);
    assertStrictEquals(back[0].buffer, memory.buffer);
    assertStrictEquals(back[1], memory.buffer);
    const own = peer.call("own");
    assert(own instanceof Int32Array && own.buffer instanceof SharedArrayBuffer);
    assertStrictEquals(peer.call("shared", own), 11);
    assertStrictEquals(own[1], 16);
    for (let i = 0; i < 200; i++) peer.call("shared", new Int32Array(new SharedArrayBuffer(8)));
  });

  it("is a RemoteNotify, to be notified", async () => {
    await run(async () => {
      using notify = new RemoteNotify();
      assertStrictEquals(peer.call("notify", notify), true);
      await notify.notified();
    });
  });

  it("is an error, thrown here as it was there", () => {
    const error = Object.assign(new RangeError("of mine", { cause: new TypeError("why") }), { code: 7 });
    const thrown = assertThrows(() => peer.call("throws", error), RangeError, "of mine");
    assert(thrown.cause instanceof TypeError);
    assertEquals([Reflect.get(thrown, "code"), thrown.stack], [7, error.stack]);
    assertThrows(() => peer.call("none of these"), TypeError);
    assertStrictEquals(peer.payload.arenaBytesInUse, 0);
  });

  it("is refused where it cannot, by its path, and nothing is left behind", () => {
    const opened = descriptors();
    const map = Mmap.anonymous(100);
    using pinned = PinnedBytes.zeros(8);
    for (
      const [value, why] of [
        [
          Yoke.attach(pinned, (cart) => cart.bytes()),
          "argument 2[1]: it is a Yoke whose cart is of this thread",
        ],
        [Yoke.attach(map, () => "text"), "argument 2[1]: it is a Yoke of no view of its cart"],
        [Mmap.open(files.file(new Uint8Array(9)), { mode: "c" }), "argument 2[1]: cannot share"],
        [() => 1, "argument 2[1]: it is a function"],
      ] as const
    ) {
      assertThrows(() => peer.call("echo", [map, value]), DOMException, `cannot send ${why}`);
      if (value instanceof Yoke || value instanceof Mmap) value[Symbol.dispose]();
    }
    map[Symbol.dispose]();
    assertEquals(openedMaps(opened), []);
    assertStrictEquals(peer.payload.arenaBytesInUse, 0);
  });
});
