import { describe, it } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { Slab } from "../../lib/slab.ts";

function gappy(): Slab<number> {
  const slab = new Slab<number>();
  for (let i = 0; i < 6; i++) slab.insert(i);
  slab.remove(0);
  slab.remove(2);
  return slab;
}

/** Each value once, each key in its range, and as many as the slab says. */
function isWhole(slab: Slab<number>): void {
  assertEquals([...slab].length, slab.size);
  const vacant = new Set<number>();
  const { size, capacity } = slab;
  for (let i = size; i < capacity; i++) vacant.add(slab.insert(-1));
  assertEquals([vacant.size, slab.size, slab.capacity], [capacity - size, capacity, capacity]);
  assertEquals(slab.insert(-1), capacity);
}

describe("a Slab that is misused", () => {
  it("refuses undefined, which marks its vacant places, from those who have no types", () => {
    const slab = new Slab<number | null>();
    const [nothing] = JSON.parse("[]");
    assertThrows(() => slab.insert(nothing), TypeError, "a slab cannot hold undefined");
    const key = slab.insert(null);
    assertThrows(() => slab.set(key, nothing), TypeError, "a slab cannot hold undefined");
    assertThrows(() => Slab.fromEntries([[0, nothing]]), TypeError, "a slab cannot hold undefined");
    assertEquals([slab.size, slab.get(key), slab.contains(key)], [1, null, true]);
  });

  it("refuses entries under keys that no slab gives", () => {
    for (const key of [-1, 0.5, NaN, 2 ** 26, Infinity]) {
      assertThrows(() => Slab.fromEntries([[key, 1]]), RangeError, `invalid key ${key}: it must be`);
    }
  });

  const changes: Record<string, (slab: Slab<number>, from: number, to: number) => void> = {
    "inserts values": (slab) => {
      slab.insert(7);
      slab.insert(8);
    },
    "removes the value": (slab, from) => slab.remove(from),
    "sets another": (slab, from) => slab.set(from, 9),
    "shrinks it": (slab) => slab.shrinkToFit(),
    "clears it": (slab) => slab.clear(),
  };
  for (const [name, change] of Object.entries(changes)) {
    it(`is whole after a renaming that ${name}, and says so`, () => {
      const slab = gappy();
      function compact(): void {
        slab.compact((_, from, to) => {
          change(slab, from, to);
          return true;
        });
      }
      assertThrows(compact, Error, "cannot move the value under key 5: the slab has changed meanwhile");
      isWhole(slab);
    });
  }

  it("can be read by a renaming, and knows what has moved", () => {
    const slab = gappy();
    const seen: unknown[] = [];
    slab.compact((_, from, to) => seen.push(slab.get(from), slab.get(to), slab.get(0), slab.size) > 0);
    assertEquals(seen, [5, undefined, undefined, 4, 4, undefined, 5, 4]);
    isWhole(slab);
  });

  it("may be changed while it is asked what to retain", () => {
    const slab = gappy();
    slab.retain((value, key) => {
      if (value === 1) slab.remove(key);
      if (value === 3) slab.insert(30);
      return value !== 4 && value !== 1;
    });
    assertEquals([...slab.values()].toSorted((a, b) => a - b), [3, 5, 30]);
    isWhole(slab);
  });
});
