import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { Deadlines, IDLE, type Timed } from "../../../lib/net/http/deadlines.ts";

const LIMITS = [3, 1, 2, Infinity, 5, 4];

class Member implements Timed {
  phase = IDLE;
  since = 0;
  previous: Timed | null = null;
  next: Timed | null = null;
  readonly expired: () => void;

  constructor(expired: (member: Member) => void) {
    this.expired = () => expired(this);
  }

  expire(): void {
    this.expired();
  }

  cut(): void {}

  cutIdle(): void {}
}

describe("Deadlines", () => {
  it("tells those that a naive count of turns finds late, in whatever order they come, move and leave", () => {
    const step = fc.record({ kind: fc.nat(9), who: fc.nat(7), phase: fc.nat(5) });
    fc.assert(fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const told: Member[] = [];
      const members = Array.from({ length: 8 }, () => new Member((member) => told.push(member)));
      const ages = new Map<Member, number>();
      const deadlines = new Deadlines(LIMITS);
      for (const { kind, who, phase } of steps) {
        const member = members[who];
        if (kind < 3) {
          if (!ages.has(member)) {
            member.phase = IDLE;
            deadlines.add(member);
            ages.set(member, 0);
          }
        } else if (kind < 6) {
          deadlines.enter(member, phase);
          if (ages.has(member)) ages.set(member, 0);
        } else if (kind < 7) {
          assertEquals(deadlines.remove(member), ages.delete(member));
        } else {
          const late = new Set<Member>();
          for (const [member, age] of ages) {
            ages.set(member, age + 1);
            if (age + 1 > LIMITS[member.phase]) late.add(member);
          }
          deadlines.sweep();
          assertEquals(new Set(told), late);
          assertEquals(told.length, late.size);
          // Who stays is late again only after as long.
          for (const member of told.splice(0)) ages.set(member, 0);
        }
        assertEquals(deadlines.size, ages.size);
        assertEquals(new Set(deadlines.all()), new Set<Timed>(ages.keys()));
        const idle = [...ages.keys()].filter((member) => member.phase === IDLE);
        assertEquals(new Set(deadlines.in(IDLE)), new Set<Timed>(idle));
      }
    }));
  });

  it("lets one that is told leave, and others with it", () => {
    const deadlines = new Deadlines(LIMITS);
    let told = 0;
    const members = Array.from({ length: 5 }, () =>
      new Member(() => {
        told++;
        for (const member of members) deadlines.remove(member);
      }));
    for (const member of members) deadlines.add(member);
    for (let turn = 0; turn < 10; turn++) deadlines.sweep();
    assertEquals([told, deadlines.size], [1, 0]);
  });
});
