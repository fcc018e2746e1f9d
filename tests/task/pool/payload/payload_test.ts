import { describe, it } from "node:test";
import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { Mmap } from "../../../../lib/mem/mmap.ts";
import { Arc } from "../../../../lib/mem/yoke.ts";
import { Control } from "../../../../lib/task/pool/control/control.ts";
import { ARG_KIND, RESULT_KIND } from "../../../../lib/task/pool/control/layout.ts";
import "../../../../lib/task/pool/payload/crossing_classes.ts";
import { Crossings } from "../../../../lib/task/pool/payload/crossings.ts";
import { Payload } from "../../../../lib/task/pool/payload/payload.ts";
import { descriptors, openedSince } from "../../../descriptors.ts";
import { tiered } from "../../../tier.ts";

const ARENA = 1 << 21;

function payloadOf(control: Control): Payload {
  return new Payload(control, new Crossings(control.runner));
}

/** Of messages and maps, but for the pool's own. */
function opened(before: ReadonlySet<string>): string[] {
  return openedSince(before).filter((one) => /memfd:oxbow/.test(one));
}

describe("a payload", () => {
  it("gives arguments, results and errors of any size, and holds nothing once they are read", () => {
    using control = Control.create({ lanes: 2, slots: 8, arena: ARENA });
    const payload = payloadOf(control);
    const before = descriptors();
    const slot = control.slots.take();
    for (const length of [0, 1, 100, 170, 171, 200, 5000, 100_000, 2 ** 20 - 100, 2 ** 20, 3 * 2 ** 20]) {
      for (
        const value of [
          "x".repeat(length),
          new Uint8Array(length).fill(7),
          new Float64Array(length / 8 | 0).fill(1.5),
        ]
      ) {
        payload.packArguments(slot, [value, length]);
        assertEquals(payload.unpackArguments(slot), [value, length]);
        payload.packResult(slot, value);
        assertEquals(payload.unpackResult(slot), value);
        payload.packError(slot, new Error("e", { cause: value }));
        const error = payload.unpackError(slot);
        assert(error instanceof Error);
        assertEquals(error.cause, value);
        assertEquals([payload.arenaBytesInUse, opened(before)], [0, []]);
      }
    }
  });

  it("gives short lists of integers as they are, and others that look alike", () => {
    using control = Control.create({ lanes: 2, slots: 2, arena: 0 });
    const payload = payloadOf(control);
    const slot = control.slots.take();
    const lists = [[], [0], [-0], [1, 2], [1, 2, 3], [2 ** 31], [-(2 ** 31), 1.5], [1, "2"], [undefined], [
      null,
      true,
    ]];
    for (const length of [43, 44, 45, 46, 60]) lists.push(Array.from({ length }, (_, i) => i - 20));
    for (const list of lists) {
      payload.packArguments(slot, list);
      assertEquals(payload.unpackArguments(slot), list);
      for (const value of list) {
        payload.packResult(slot, value);
        assert(Object.is(payload.unpackResult(slot), value));
      }
    }
  });

  it("takes files where the arena is full, and arenas again once there is room", () => {
    using control = Control.create({ lanes: 2, slots: 64, arena: ARENA });
    const payload = payloadOf(control);
    const before = descriptors();
    const value = new Uint8Array(100_000).fill(3);
    const slots = Array.from({ length: 40 }, () => control.slots.take());
    for (const slot of slots) payload.packArguments(slot, [value]);
    assert(opened(before).length > 10 && opened(before).length < 40);
    assert(payload.arenaBytesInUse > ARENA / 2);
    slots.forEach((slot, i) =>
      i % 2 === 0 ? payload.drop(slot) : assertEquals(payload.unpackArguments(slot), [value])
    );
    assertEquals([payload.arenaBytesInUse, opened(before)], [0, []]);
    payload.packArguments(slots[0], [value]);
    assertEquals(opened(before), []);
    payload.drop(slots[0]);
  });

  it("drops what nobody reads: blocks, files and what crosses", () => {
    using control = Control.create({ lanes: 2, slots: 8, arena: ARENA });
    const payload = payloadOf(control);
    const before = descriptors();
    const slot = control.slots.take();
    const map = Mmap.anonymous(100);
    using arc = Arc.share(map);
    const shared = opened(before);
    for (
      const rest of [[], ["x".repeat(1000)], [new Uint8Array(1000)], ["x".repeat(2 ** 20)], [
        new Uint8Array(2 ** 20),
      ]]
    ) {
      payload.packArguments(slot, [map, ...rest, { map }]);
      assert(opened(before).length > shared.length);
      payload.drop(slot);
      payload.packArguments(slot, [map]);
      // Which nobody has read.
      payload.packResult(slot, [map, ...rest]);
      payload.packError(slot, map);
      payload.drop(slot);
      payload.drop(slot);
      assertEquals([
        payload.arenaBytesInUse,
        control.slots.get(slot, ARG_KIND),
        control.slots.get(slot, RESULT_KIND),
      ], [0, 0, 0]);
      assertEquals(opened(before), shared);
    }
    map[Symbol.dispose]();
    payload.packArguments(slot, [arc]);
    assertEquals([arc.count, arc.leaked()], [2, 0]);
    payload.drop(slot);
    assertEquals([arc.count, arc.leaked()], [1, 0]);
  });

  it("that fails in its midst holds nothing", () => {
    using control = Control.create({ lanes: 2, slots: 8, arena: ARENA });
    const payload = payloadOf(control);
    const slot = control.slots.take();
    const map = Mmap.anonymous(100);
    const before = descriptors();
    map.share();
    const shared = opened(before);
    const bytes = new Uint8Array(5000);
    const taken = {
      bytes,
      get gone(): number {
        bytes.buffer.transfer();
        return 0;
      },
    };
    assertThrows(() => payload.packArguments(slot, [map, "x".repeat(500), { f(): void {} }]), DOMException);
    assertThrows(() => payload.packArguments(slot, [map, taken]), TypeError);
    assertThrows(
      () => payload.packResult(slot, [map, Symbol("s")]),
      DOMException,
      "the result[1]: it is a symbol",
    );
    assertEquals([payload.arenaBytesInUse, opened(before), control.slots.get(slot, ARG_KIND)], [
      0,
      shared,
      0,
    ]);
    payload.packError(slot, { f(): void {}, toString: null });
    assertEquals(String(payload.unpackError(slot)), "Error: what it threw cannot be sent, and is no error");
    assertThrows(() => payload.unpackResult(slot), Error, "there is none");
    map[Symbol.dispose]();
  });

  it("gives back what it took of a message of which something cannot be taken", () => {
    using control = Control.create({ lanes: 2, slots: 8, arena: ARENA });
    using crossings = new Crossings(control.runner);
    const payload = new Payload(control, crossings);
    const slot = control.slots.take();
    const before = descriptors();
    const map = Mmap.anonymous(100);
    const adopted = Mmap.adopt(map.share());
    const memory = new SharedArrayBuffer(8);
    // It knows no such memory.
    const other = new Payload(control, new Crossings(control.runner));
    payload.packArguments(slot, [map, { memory, view: new Int32Array(memory) }, adopted]);
    assertThrows(() => other.unpackArguments(slot), Error, "cannot receive a SharedArrayBuffer");
    map[Symbol.dispose]();
    adopted[Symbol.dispose]();
    assertEquals(opened(before), []);
    payload.packArguments(slot, ["and", "on"]);
    assertEquals(other.unpackArguments(slot), ["and", "on"]);
  });

  it("leaves nothing behind of many mixed messages", () => {
    const count = tiered({ quick: 1500, full: 10_000, soak: 1_000_000 });
    using control = Control.create({ lanes: 2, slots: 64, arena: ARENA });
    const payload = payloadOf(control);
    const before = descriptors();
    const map = Mmap.anonymous(64);
    map.share();
    const shared = opened(before);
    const sizes = fc.sample(fc.nat(3000), { numRuns: count, seed: 7 });
    const waiting: { slot: number; size: number }[] = [];
    function end(): void {
      const next = waiting.shift();
      if (next === undefined) return;
      const { slot, size } = next;
      if (size % 5 === 0) payload.drop(slot);
      else {
        const [bytes, found] = payload.unpackArguments(slot);
        assert(bytes instanceof Uint8Array);
        assertEquals([bytes.length, bytes.at(-1)], [size, size === 0 ? undefined : size & 255]);
        if (found instanceof Mmap) found[Symbol.dispose]();
        payload.packResult(slot, bytes);
        if (size % 3 === 0) payload.drop(slot);
        else assertEquals(payload.unpackResult(slot), bytes);
      }
      control.slots.free(slot);
    }
    for (const small of sizes) {
      const size = small % 50 === 0 ? small * 500 : small;
      const slot = control.slots.take();
      payload.packArguments(slot, [new Uint8Array(size).fill(size), size % 7 === 0 ? map : null]);
      waiting.push({ slot, size });
      if (waiting.length > small % 60) end();
    }
    while (waiting.length > 0) end();
    assertStrictEquals(payload.arenaBytesInUse, 0);
    assertEquals(opened(before), shared);
    map[Symbol.dispose]();
  });
});
