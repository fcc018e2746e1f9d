/** Small pools of which every interleaving is looked at, and what must hold of each. */
import * as counters from "../../../../lib/task/pool/control/counters.ts";
import * as layouts from "../../../../lib/task/pool/control/layout.ts";
import { GONE } from "../../../../lib/task/pool/control/parking.ts";
import { explore, type Outcome, type Scenario } from "./explore.ts";
import { instrument, type Mutation, type Program } from "./instrument.ts";
import * as ghostWords from "./ghosts.ts";

type Check = Scenario["check"];

interface Rules {
  readonly lanes: number;
  readonly slots?: number;
  /** Lanes that have a thread from the start. */
  readonly awake: readonly number[];
  /** The thread that may die. */
  readonly victim?: number;
  readonly check: (of: Counts, isDone: readonly boolean[]) => string | undefined;
}

/** What the words say when nobody goes on. */
interface Counts {
  ran(slot: number): number;
  ended(slot: number): number;
  readonly strays: number;
  readonly pushed: number;
  readonly died: boolean;
}

/** Each of the jobs of so many slots has run once, and its owner has its end. */
function allRan(count: number): Rules["check"] {
  return (of, isDone) => {
    for (let slot = 0; slot < count; slot++) {
      if (of.ran(slot) !== 1) return `job ${slot} ran ${of.ran(slot)} times`;
      if (of.ended(slot) !== 1) return `job ${slot} ended ${of.ended(slot)} times`;
    }
    return isDone[0] ? undefined : "the opener waits for ever";
  };
}

/** The job has ended once, and has run at most once: once where nobody died. */
function noneLost(slot: number, opener: number): Rules["check"] {
  return (of, isDone) => {
    const ran = of.ran(slot);
    if (ran > 1 || (ran === 0 && !of.died)) return `the job ran ${ran} times`;
    if (of.ended(slot) !== 1) return `the job ended ${of.ended(slot)} times`;
    return isDone[opener] ? undefined : "the opener waits for ever";
  };
}

const RULES: Readonly<Record<string, Rules>> = {
  deque: {
    lanes: 3,
    slots: 2,
    awake: [0, 1, 2],
    // The owner has popped last, when the others may have found nothing: none is left.
    check: (of) => [0, 1, 2].map((slot) => of.ran(slot)).join() === "1,1,1" ? undefined : "taken not once",
  },
  inbox: {
    lanes: 3,
    slots: 2,
    awake: [0, 1, 2],
    check: (of, isDone) => {
      if (of.strays > 0) return "taken out of order";
      if (!isDone[0]) return "something is lost";
      return [0, 1, 2, 3].map((slot) => of.ran(slot)).join() === "1,1,1,1" ? undefined : "taken not once";
    },
  },
  reuse: {
    lanes: 3,
    slots: 2,
    awake: [0, 1, 2],
    check: (of) => {
      if (of.strays > 0) return "a job ran where it was not to";
      return of.ran(0) + of.ran(1) > 1 ? "a job that was cancelled ran" : undefined;
    },
  },
  redirect: {
    lanes: 3,
    slots: 2,
    awake: [0, 1, 2],
    check: (of) => {
      if (of.strays > 0) return "a job ran where it was not to";
      const ran = of.ran(0) + of.ran(1);
      return ran === of.pushed ? undefined : `of ${of.pushed} jobs ${ran} ran`;
    },
  },
  "give up": {
    lanes: 2,
    awake: [0, 1],
    check: (of) => of.ended(0) > 1 ? "a job that was given up was finished" : undefined,
  },
  range: {
    lanes: 3,
    awake: [0, 1, 2],
    check: (of) => {
      const claimed = Array.from({ length: ghostWords.RANGE_UNITS }, (_, unit) => of.ran(unit));
      return claimed.every((times) => times === 1) ? undefined : `claimed ${claimed.join()} times`;
    },
  },
  sleep: { lanes: 2, awake: [0, 1], check: allRan(2) },
  together: { lanes: 3, awake: [0, 1, 2], check: allRan(2) },
  pinned: { lanes: 2, awake: [0, 1], check: allRan(2) },
  death: { lanes: 3, awake: [0, 1, 2], victim: 1, check: noneLost(0, 0) },
  "dead waker": { lanes: 3, awake: [0, 1, 2], victim: 1, check: noneLost(0, 0) },
  bystander: { lanes: 3, awake: [0, 1, 2], victim: 1, check: noneLost(4, 2) },
  succession: { lanes: 3, awake: [0, 1], victim: 1, check: noneLost(0, 0) },
};

const WORDS: readonly [number, string][] = [
  [layouts.TOP, "TOP"],
  [layouts.BOTTOM, "BOTTOM"],
  [layouts.INBOX, "INBOX"],
  [layouts.ENDS, "ENDS"],
];
const SLOT_WORDS = ["STATE", "NEXT", "LINKED", "END_NEXT", "DELIVERED", "SEQUENCE", "PIN", "FLAGS"];

function nameIn(layout: layouts.Layout, ghosts: ghostWords.Ghosts, index: number): string {
  const { lanes } = layout.shape;
  if (index === layouts.SLEEPERS) return "SLEEPERS";
  if (index === layouts.DEATHS) return "DEATHS";
  if (index === layouts.STOP) return "STOP";
  for (let lane = 0; lane < lanes; lane++) {
    if (index === layout.park + lane) return `PARK of lane ${lane}`;
    if (index === layout.incarnation + lane) return `INCARNATION of lane ${lane}`;
    if (index === ghosts.events + lane) return `event of lane ${lane}`;
    for (const [word, name] of WORDS) {
      if (index === layout.ofLane(lane, word)) return `${name} of lane ${lane}`;
    }
    const cell = index - layout.ofLane(lane, layouts.DEQUE);
    if (cell >= 0 && cell < 2 * layout.shape.slots) return `cell ${cell} of lane ${lane}`;
  }
  const inSlots = index - layout.slots;
  if (inSlots >= 0 && index < ghosts.ran) {
    return `${SLOT_WORDS[inSlots % layouts.SLOT_WORDS]} of slot ${Math.floor(inSlots / layouts.SLOT_WORDS)}`;
  }
  return index >= ghosts.ran ? `ghost ${index - ghosts.ran}` : `word ${index}`;
}

function check(ghosts: ghostWords.Ghosts, rules: Rules): Check {
  return (words, isDone) =>
    rules.check({
      ran: (slot) => words[ghosts.ran + slot],
      ended: (slot) => words[ghosts.ended + slot],
      strays: words[ghosts.strays],
      pushed: words[ghosts.pushed],
      died: words[ghosts.died] === 1,
    }, isDone);
}

/** All that may come of the scenario of that name, with the source as it is or changed. */
export function exploreScenario(name: string, preemptions: number, mutation?: Mutation): Outcome {
  const rules = RULES[name];
  const { lanes, slots = 2, victim } = rules;
  const layout = new layouts.Layout({ lanes, slots, arena: 0 });
  const first = layout.ofSlot(lanes * slots, 0);
  const ghosts: ghostWords.Ghosts = {
    ran: first,
    ended: first + 8,
    events: first + 16,
    died: first + 24,
    sealed: first + 27,
    strays: first + 25,
    pushed: first + 26,
  };
  const { threadsOf } = instrument(new URL("programs.ts", import.meta.url), {
    "layout.ts": layouts,
    "counters.ts": counters,
    "ghosts.ts": ghostWords,
    // For types, and for \`create\`, which is not called.
    "mmap.ts": {},
  }, mutation);
  if (typeof threadsOf !== "function") throw new Error("programs.ts has no threadsOf");
  const threads: (() => Program)[] = threadsOf(name, layout, ghosts);
  return explore({
    size: first + 32,
    setUp(words) {
      for (let lane = 0; lane < lanes; lane++) {
        if (!rules.awake.includes(lane)) words[layout.park + lane] = GONE;
      }
    },
    threads,
    victim: victim === undefined ? undefined : { thread: victim, words: [ghosts.died, ghosts.events] },
    check: check(ghosts, rules),
    nameOf: (index) => nameIn(layout, ghosts, index),
  }, preemptions);
}
