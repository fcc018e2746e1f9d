import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { hostName } from "../../../../ffi/mod.ts";
import { tiered } from "../../../tier.ts";
import type { Mutation } from "./instrument.ts";
import { exploreScenario } from "./scenarios.ts";

/** No host changes what is found: in the quick tier one of them does it all, and the others a little. */
const isAll = hostName === "deno" || tiered({ quick: false, full: true, soak: true });

/**
 * How often a thread that could go on is interrupted for another in each scenario. Infinity is all interleavings; at
 * the ends of loops, where a thread sleeps or is killed, others go on at no cost.
 */
const SCENARIOS: readonly (readonly [name: string, sentence: string, preemptions: number])[] = [
  ["give up", "lets no runner finish what was given up", Infinity],
  ["deque", "takes each of a deque's elements once, whoever pops and steals", Infinity],
  [
    "inbox",
    "takes each of an inbox's elements once, and those of one thread in order",
    tiered({ quick: 2, full: Infinity, soak: Infinity }),
  ],
  ["reuse", "never runs a cancelled job, nor by an old hint the next one of its slot", Infinity],
  [
    "redirect",
    "never loses a slot that lies in an inbox still when it was cancelled",
    tiered({ quick: 2, full: 3, soak: 3 }),
  ],
  ["range", "gives each piece of a range to one", tiered({ quick: 2, full: Infinity, soak: Infinity })],
  ["sleep", "runs all jobs, and lets nobody sleep while there is one", Infinity],
  [
    "pinned",
    "runs what is for one lane alone, and wakes that",
    tiered({ quick: 2, full: Infinity, soak: Infinity }),
  ],
  ["together", "wakes a second sleeper where there is work for two", tiered({ quick: 0, full: 1, soak: 1 })],
  [
    "death",
    "loses no job and runs none twice where a thread is killed",
    tiered({ quick: 0, full: 1, soak: 1 }),
  ],
  ["dead waker", "wakes who was about to be woken by the killed", tiered({ quick: 0, full: 2, soak: 2 })],
  ["bystander", "tells those who sleep of what was lost", tiered({ quick: 0, full: 1, soak: 1 })],
  [
    "succession",
    "leaves what a killed thread's lane has to its successor",
    tiered({ quick: 0, full: 2, soak: 2 }),
  ],
];

/** Each is one line, without which the scenario fails. */
const MUTATIONS: readonly (readonly [scenario: string, sentence: string, mutation: Mutation])[] = [
  ["give up", "a finish that does not compare", {
    file: "slots.ts",
    from: "return Atomics.compareExchange(this.#words, at, running, ended) === running;",
    to: "return Atomics.store(this.#words, at, ended) === ended || true;",
  }],
  ["deque", "a pop that takes the last one without asking", {
    file: "deque.ts",
    from: "left === 0 && Atomics.compareExchange(words, this.#top, top, (top + 1) | 0) === top;",
    to: "left === 0;",
  }],
  ["deque", "a pop that does not announce itself", {
    file: "deque.ts",
    from: "    Atomics.store(words, this.#bottom, bottom);\n    const top",
    to: "    const top",
  }],
  ["deque", "a pop that announces itself after it has looked", {
    file: "deque.ts",
    from:
      "    Atomics.store(words, this.#bottom, bottom);\n    const top = Atomics.load(words, this.#top);\n    const left",
    to:
      "    const top = Atomics.load(words, this.#top);\n    Atomics.store(words, this.#bottom, bottom);\n    const left",
  }],
  ["deque", "a steal that does not compare", {
    file: "deque.ts",
    from: "return Atomics.compareExchange(words, this.#top, top, (top + 1) | 0) === top ? slot : -1;",
    to: "Atomics.store(words, this.#top, (top + 1) | 0);\n    return slot;",
  }],
  ["deque", "a push that is seen before its element", {
    file: "deque.ts",
    from:
      "    words[this.#ring + (bottom & this.#mask)] = slot;\n    Atomics.store(words, this.#bottom, (bottom + 1) | 0);",
    to:
      "    Atomics.store(words, this.#bottom, (bottom + 1) | 0);\n    words[this.#ring + (bottom & this.#mask)] = slot;",
  }],
  ["inbox", "an inbox that is put into without comparing", {
    file: "inbox.ts",
    from: "if (Atomics.compareExchange(words, this.#head, head, mine) === head) return;",
    to: "Atomics.store(words, this.#head, mine);\n      return;",
  }],
  ["inbox", "an inbox that is not turned round", {
    file: "inbox.ts",
    from: "    let before = 0;\n    for (let slot = head & SLOT_MASK; slot !== 0;) {",
    to: "    let before = head & SLOT_MASK;\n    for (let slot = 0; slot !== 0;) {",
  }],
  ["reuse", "a begin that does not compare", {
    file: "slots.ts",
    from:
      "if (Atomics.compareExchange(words, at, state, RUNNING | runner << PHASE_BITS) !== state) return false;",
    to: "Atomics.store(words, at, RUNNING | runner << PHASE_BITS);",
  }],
  ["reuse", "a begin of whatever the slot has come to be", {
    file: "slots.ts",
    from: "    if ((state & PHASE_MASK) !== QUEUED) return false;\n    const pin",
    to:
      "    state = Atomics.load(words, at);\n    if ((state & PHASE_MASK) !== QUEUED) return false;\n    const pin",
  }],
  ["reuse", "a queueing that looks like the one before", {
    file: "slots.ts",
    from: "QUEUED | sequence << PHASE_BITS",
    to: "QUEUED",
  }],
  ["reuse", "a cancel that does not compare", {
    file: "slots.ts",
    from: "if (Atomics.compareExchange(words, at, state, CANCELLED) !== state) return false;",
    to: "Atomics.store(words, at, CANCELLED);",
  }],
  ["redirect", "a slot that is given out while it lies in an inbox", {
    file: "slots.ts",
    from: "return mark !== 0 && this.#inboxes[mark >>> 8].holds(mark);",
    to: "return false;",
  }],
  ["redirect", "an inbox that says too early that a slot lies there no more", {
    file: "inbox.ts",
    from:
      "    this.#first = words[this.#layout.ofSlot(slot, this.#next)];\n    if (this.#mark !== 0) Atomics.store(words, this.#layout.ofSlot(slot, this.#mark), 0);",
    to:
      "    if (this.#mark !== 0) Atomics.store(words, this.#layout.ofSlot(slot, this.#mark), 0);\n    this.#first = words[this.#layout.ofSlot(slot, this.#next)];",
  }],
  ["range", "a claim that does not compare", {
    file: "../range_cell.ts",
    from: "const seen = Atomics.compareExchange(words, at, first, last);",
    to: "const seen = first;\n      Atomics.store(words, at, last);",
  }],
  ["sleep", "a sleeper that does not look again", {
    file: "parking.ts",
    from: "return !(state < DEAF ? this.#queues.hasWork() : this.#queues.hasOwn());",
    to: "return true;",
  }],
  ["sleep", "a sleeper that looks before it has said that it sleeps", {
    file: "parking.ts",
    from: "    Atomics.store(words, this.#park + this.#lane, state);\n    if (this.#mayStay(state)) {",
    to:
      "    const stays = this.#mayStay(state);\n    Atomics.store(words, this.#park + this.#lane, state);\n    if (stays) {",
  }],
  ["sleep", "a sleeper that is not counted before it sleeps", {
    file: "parking.ts",
    from: "    if (state < DEAF) Atomics.add(words, SLEEPERS, 1);\n",
    to: "",
  }],
  ["sleep", "a waker that does not wake", {
    file: "parking.ts",
    from: "    if ((state & ~DEAF) === ASLEEP_FUTEX) this.#bed.wake(lane);\n    else this",
    to: "    if (state >= DEAF) this",
  }],
  ["pinned", "a waker that looks at the sleeper alone, and rings nowhere", {
    file: "parking.ts",
    from: "    else this.#bed.ring(this.eventFd(lane));\n",
    to: "",
  }],
  ["together", "a searcher that keeps to itself that there is more", {
    file: "parking.ts",
    from: "    if (this.#queues.hasWork()) this.workAdded();\n",
    to: "",
  }],
  ["together", "a searcher that has found something, and does not say so", {
    file: "parking.ts",
    from: "    Atomics.store(words, this.#park + this.#lane, AWAKE);\n    if (this.#queues",
    to: "    if (this.#queues",
  }],
  ["death", "a survey that hints nothing again", {
    file: "recovery.ts",
    from: "      if (phase === QUEUED) this.#hint(slot);\n      else if",
    to: "      if",
  }],
  ["death", "a survey that gives nothing up", {
    file: "recovery.ts",
    from: "slots.giveUp(slot, runner)) lost.push(slot)",
    to: "false) lost.push(slot)",
  }],
  ["death", "a survey that forgets what ended and was not delivered", {
    file: "recovery.ts",
    from: "        ended.push(slot);\n      }\n    }",
    to: "      }\n    }",
  }],
  ["death", "a survey that takes what was delivered for what was not", {
    file: "queues.ts",
    from: "    this.#slots.set(slot, DELIVERED, this.#slots.get(slot, SEQUENCE));\n    return slot;",
    to: "    return slot;",
  }],
  ["bystander", "a sleeper that is not told of deaths", {
    file: "parking.ts",
    from: "    if (Atomics.load(this.#words, DEATHS) !== this.#deathsSeen) return false;\n",
    to: "",
  }],
  ["dead waker", "a death that wakes none but those that say they sleep", {
    file: "parking.ts",
    from: "      this.#bed.wake(lane);\n      const descriptor",
    to: "      const descriptor",
  }],
  ["succession", "an inbox that the successor finds as it was left", {
    file: "recovery.ts",
    from: "    inboxes[lane].reset();\n",
    to: "",
  }],
];

describe("the control map, however its threads are interleaved,", () => {
  for (const [name, sentence, preemptions] of SCENARIOS) {
    if (!isAll && name !== "give up" && name !== "deque") continue;
    it(sentence, () => {
      const { fault, states } = exploreScenario(name, preemptions);
      assertEquals(fault, undefined);
      assert(states > 50, `there were ${states} states`);
    });
  }
});

describe("its model", () => {
  for (const [name, sentence, mutation] of MUTATIONS) {
    if (!isAll && name !== "give up") continue;
    const preemptions = SCENARIOS.find(([scenario]) => scenario === name)?.[2] ?? 0;
    it(`finds ${sentence}`, () => {
      const { fault = "" } = exploreScenario(name, preemptions, mutation);
      assert(fault.split("\n").length > 3, `found: ${fault}`);
    });
  }

  it("tells the schedule that leads to a fault", () => {
    const [scenario, , mutation] = MUTATIONS[0];
    const { fault = "" } = exploreScenario(scenario, Infinity, mutation);
    const [what, ...steps] = fault.split("\n");
    assertEquals(what, "a job that was given up was finished");
    assert(steps.some((step) => /^0: cas STATE of slot 0 \d+ \d+ = \d+$/.test(step)), fault);
    assert(steps.some((step) => /^1: store STATE of slot 0 \d+ = 0$/.test(step)), fault);
  });
});
