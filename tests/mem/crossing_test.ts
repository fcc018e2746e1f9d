import { describe, it } from "node:test";
import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { crossingNamed, crossingOf, registerCrossing } from "../../lib/mem/crossing.ts";
import "../../lib/mem/map_crossing.ts";
import { Mmap } from "../../lib/mem/mmap.ts";
import { Arc } from "../../lib/mem/yoke.ts";
import { descriptors, openedSince } from "../descriptors.ts";

/** Of maps and their records: the library keeps its own code in such files, from the first map on. */
function openedMaps(before: ReadonlySet<string>): string[] {
  return openedSince(before).filter((one) => /memfd:oxbow(-map-record)?$/.test(one));
}

/** What a message would carry of it. */
function give(value: object): { name: string; data: unknown } {
  const crossing = crossingOf(value);
  if (crossing === undefined) throw new Error("it does not cross");
  return { name: crossing.name, data: crossing.give(value) };
}

describe("a crossing", () => {
  it("is found by class and by name, of derived classes too, and is none for other objects", () => {
    class Ticket {
      readonly #number: number;

      constructor(number: number) {
        this.#number = number;
      }

      static numberOf(ticket: Ticket): number {
        return ticket.#number;
      }
    }
    class Return extends Ticket {}
    const dropped: number[] = [];
    const crossing = {
      name: "Ticket",
      type: Ticket,
      give: Ticket.numberOf,
      isData: (data: unknown): data is number => typeof data === "number",
      take: (data: number): Ticket => new Ticket(data + 1),
      drop: (data: number): void => void dropped.push(data),
    };
    registerCrossing(crossing);
    assertThrows(() => registerCrossing(crossing), Error, "there is one called Ticket");
    const { name, data } = give(new Return(7));
    assertEquals([name, data], ["Ticket", 7]);
    const taken = crossingNamed(name).take(data);
    assert(taken instanceof Ticket);
    assertStrictEquals(Ticket.numberOf(taken), 8);
    crossingNamed(name).drop(3);
    crossingNamed(name).drop("no data");
    assertEquals(dropped, [3]);
    assertThrows(() => crossingNamed(name).take("no data"), TypeError, "cannot receive a Ticket");
    assertStrictEquals(crossingOf({}), undefined);
    assertStrictEquals(crossingOf(Object.create(null)), undefined);
    assertThrows(() => crossingNamed("Nothing"), Error, "import its module");
  });

  it("of a map owns a descriptor, until it is taken or dropped", () => {
    const before = descriptors();
    const map = Mmap.anonymous(100);
    map.bytes()[3] = 5;
    const [first, second] = [give(map), give(map)];
    map[Symbol.dispose]();
    assertStrictEquals(openedMaps(before).length, 2);
    const taken = crossingNamed(first.name).take(first.data);
    assert(taken instanceof Mmap);
    assertStrictEquals(taken.bytes()[3], 5);
    taken[Symbol.dispose]();
    crossingNamed(second.name).drop(second.data);
    assertEquals(openedMaps(before), []);
  });

  it("of an Arc is an owner that keeps what it shares, and has not leaked", () => {
    const before = descriptors();
    const map = Mmap.anonymous(100);
    map.bytes()[3] = 5;
    const arc = Arc.share(map);
    map[Symbol.dispose]();
    const [first, second, third] = [give(arc), give(arc), give(arc)];
    assertEquals([arc.count, arc.leaked()], [4, 0]);
    const taken = crossingNamed(first.name).take(first.data);
    assert(taken instanceof Arc);
    arc[Symbol.dispose]();
    assertEquals([taken.count, taken.leaked(), taken.bytes()[3]], [3, 0, 5]);
    taken[Symbol.dispose]();
    crossingNamed(second.name).drop(second.data);
    const last = crossingNamed(third.name).take(third.data);
    assert(last instanceof Arc);
    assertEquals([last.count, last.bytes()[3]], [1, 5]);
    last[Symbol.dispose]();
    assertEquals(openedMaps(before), []);
    const other = Mmap.anonymous(10);
    const lone = Arc.share(other);
    other[Symbol.dispose]();
    const { name, data } = give(lone);
    lone[Symbol.dispose]();
    crossingNamed(name).drop(data);
    assertEquals(openedMaps(before), []);
  });
});
