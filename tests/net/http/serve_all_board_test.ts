import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { Board, LISTENING, STARTING } from "../../../lib/net/http/serve_all/board.ts";
import { tiered } from "../../tier.ts";

const SEATS = 3;
const FIRST = 5;

/** What a board must say, in words. */
interface Connection {
  seat: number;
  sitter: number;
  state: "passed" | "held" | "lost";
}

/** A connection is taken, comes by another way, is closed; a seat takes all of its inbox; its sitter dies. */
type Step = readonly ["pass" | "hold" | "close" | "take" | "die", number];
const step: fc.Arbitrary<Step> = fc.tuple(
  fc.constantFrom("pass" as const, "hold" as const, "close" as const, "take" as const, "die" as const),
  fc.nat(),
);

function check(steps: readonly Step[]): void {
  using opener = Board.create(SEATS);
  // Another thread's, which has a mapping of its own.
  using board = Board.adopt(opener.handle, SEATS);
  const sitters = [1, 2, 3];
  for (const [seat, sitter] of sitters.entries()) opener.seat(seat, sitter);
  const connections = new Map<number, Connection>();
  const inboxes: number[][] = [[], [], []];
  const open = (seat: number): number =>
    [...connections.values()].filter((one) => one.seat === seat && one.sitter === sitters[seat]).length;
  let next = FIRST;
  let sitterCount = SEATS;
  for (const [what, choice] of steps) {
    const seat = choice % SEATS;
    const sitter = sitters[seat];
    switch (what) {
      case "pass":
        assertEquals(opener.pass(next, seat), true);
        connections.set(next, { seat, sitter, state: "passed" });
        inboxes[seat].push(next++);
        break;
      case "hold":
        assertEquals(board.hold(next, seat, sitter), true);
        connections.set(next++, { seat, sitter, state: "held" });
        break;
      case "take": {
        assertEquals(board.take(seat, sitter), inboxes[seat]);
        for (const number of inboxes[seat]) connections.set(number, { seat, sitter, state: "held" });
        inboxes[seat] = [];
        break;
      }
      case "close": {
        const held = [...connections].filter(([, { state }]) => state === "held");
        if (held.length === 0) break;
        const [number, { seat, sitter }] = held[choice % held.length];
        assertEquals(board.letGo(number, seat, sitter), true);
        assertEquals(board.letGo(number, seat, sitter), false);
        connections.delete(number);
        break;
      }
      case "die": {
        const its = [...connections].filter(([, one]) => one.sitter === sitter);
        const numbers = (state: string): number[] =>
          its.filter(([, one]) => one.state === state).map(([number]) => number);
        assertEquals(opener.bury(sitter), { held: numbers("held"), passed: numbers("passed") });
        for (const [number] of its) {
          // A dead one that goes on after all closes nothing.
          assertEquals(board.letGo(number, seat, sitter), false);
          opener.forget(number);
          connections.delete(number);
        }
        assertEquals(board.take(seat, sitter), []);
        inboxes[seat] = [];
        opener.seat(seat, sitters[seat] = ++sitterCount);
        break;
      }
    }
    for (let seat = 0; seat < SEATS; seat++) assertEquals(opener.open(seat), open(seat));
  }
}

describe("the board of servers", () => {
  it("knows of each descriptor whose it is, whatever becomes of its sitters", () => {
    const numRuns = tiered({ quick: 50, full: 500, soak: 5000 });
    fc.assert(fc.property(fc.array(step, { maxLength: 60 }), check), { numRuns });
  });

  it("gives what was passed to a dead one to another, where the same number is passed again", () => {
    using board = Board.create(2);
    board.seat(0, 1);
    board.seat(1, 2);
    board.pass(7, 0);
    board.pass(8, 0);
    assertEquals(board.bury(1), { held: [], passed: [7, 8] });
    for (const number of [7, 8]) {
      board.forget(number);
      board.pass(number, 1);
    }
    board.seat(0, 3);
    assertEquals([board.take(0, 3), board.take(1, 2)], [[], [7, 8]]);
  });

  it("rings once until it was heard, and shows states and orders", () => {
    using board = Board.create(1);
    board.seat(0, 1);
    assertEquals([board.ring(0), board.ring(0)], [true, false]);
    board.heard(0);
    assertEquals(board.ring(0), true);
    assertEquals(board.state(0), STARTING);
    board.enter(0, LISTENING);
    assertEquals(board.state(0), LISTENING);
    board.order(0, 2, 1000);
    assertEquals(board.command(0), { command: 2, deadline: 1000 });
    board.tally(0)[1] = 2 ** 40;
    assertEquals(board.tally(0)[1], 2 ** 40);
    board.seat(0, 2);
    assertEquals([board.command(0).command, board.tally(0)[1], board.ring(0)], [0, 0, true]);
  });

  it("takes no descriptor that it has no place for", () => {
    using board = Board.create(1);
    assertEquals([board.pass(1 << 20, 0), board.hold(1 << 20, 0, 1), board.open(0)], [false, false, 0]);
  });
});
