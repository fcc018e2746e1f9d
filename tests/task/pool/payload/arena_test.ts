import { describe, it } from "node:test";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import { Arena, bytesInUse, giveBack } from "../../../../lib/task/pool/payload/arena.ts";
import { tiered } from "../../../tier.ts";

const BASE = 128;
const BYTES = 1 << 16;

function nobody(): boolean {
  return false;
}

function words(): Int32Array<ArrayBuffer> {
  return new Int32Array((BASE + BYTES + 64) / 4);
}

describe("an arena", () => {
  it("gives blocks that lie in it and never over each other, whoever gives them back", () => {
    const action = fc.record({
      size: fc.nat(6000),
      pick: fc.nat(),
      isFar: fc.boolean(),
      gives: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(action, { maxLength: 300 }), (actions) => {
        const memory = words();
        const bytes = new Uint8Array(memory.buffer);
        const arena = new Arena(memory, BASE, BYTES, nobody);
        const held: { block: number; size: number; mark: number }[] = [];
        const end = (pick: number, isFar: boolean): void => {
          const [{ block, size, mark }] = held.splice(pick % held.length, 1);
          assert(bytes.subarray(block, block + size).every((byte) => byte === mark));
          if (isFar) giveBack(memory, BASE, block);
          else arena.give(block);
          // The second time is none.
          if (isFar) arena.give(block);
          else giveBack(memory, BASE, block);
        };
        actions.forEach(({ size, pick, isFar, gives }, i) => {
          if (gives && held.length > 0) return end(pick, isFar);
          const block = arena.take(size, i);
          if (block === -1) return assert(held.length > 0);
          assert(block % 16 === 0 && block >= BASE && block + size <= BASE + BYTES);
          bytes.fill(i & 255, block, block + size);
          held.push({ block, size, mark: i & 255 });
        });
        assert(bytesInUse(memory, BASE) >= held.reduce((sum, { size }) => sum + size, 0));
        while (held.length > 0) end(0, held.length % 2 === 0);
        assertStrictEquals(bytesInUse(memory, BASE), 0);
        assert(arena.take(BYTES / 2 - 16, 0) !== -1, "what was free is one again");
        assertEquals([bytes[0], bytes[BASE - 1], bytes[BASE + BYTES]], [0, 0, 0]);
      }),
      { numRuns: tiered({ quick: 60, full: 2000, soak: 100_000 }) },
    );
  });

  it("uses small blocks again, and joins them for a large one", () => {
    const arena = new Arena(words(), BASE, BYTES, nobody);
    const blocks = Array.from({ length: 5000 }, () => arena.take(40, 0)).filter((block) => block !== -1);
    assertStrictEquals(blocks.length, BYTES / 64 - 1);
    assertStrictEquals(arena.take(1, 0), -1);
    for (const block of blocks) arena.give(block);
    assert(arena.take(40_000, 0) !== -1);
    assert(arena.take(100, 0) !== -1);
  });

  it("has again what its last thread had taken, but for what slots name, and takes that when it is given back", () => {
    const memory = words();
    const last = new Arena(memory, BASE, BYTES, nobody);
    const blocks = Array.from({ length: 20 }, (_, i) => last.take(1000, i));
    giveBack(memory, BASE, blocks[3]);
    const named = new Set([blocks[5], blocks[6]]);
    const arena = new Arena(memory, BASE, BYTES, (user, block) => named.has(block) && blocks[user] === block);
    assertStrictEquals(bytesInUse(memory, BASE), 2048);
    const again = Array.from({ length: 100 }, () => arena.take(1000, 0)).filter((block) => block !== -1);
    assert(again.length >= 45 && !again.some((block) => named.has(block)));
    for (const block of [...again, ...named]) giveBack(memory, BASE, block);
    assertStrictEquals(bytesInUse(memory, BASE), 0);
    assert(arena.take(50_000, 0) !== -1);
  });

  it("of no bytes has no blocks", () => {
    const arena = new Arena(words(), BASE, 0, nobody);
    assertStrictEquals(arena.take(0, 0), -1);
  });
});
