/**
 * What the threads of a model do, written as any code over the control map is. `instrument.ts` reads this file: here
 * too each method becomes a generator, and each `step` an access.
 *
 * @module
 */
import {
  END_NEXT,
  ENDS,
  FUNCTION,
  INBOX,
  type Layout,
  LINKED,
  NEXT,
  PIN,
} from "../../../../lib/task/pool/control/layout.ts";
import { Deque } from "../../../../lib/task/pool/control/deque.ts";
import { Inbox } from "../../../../lib/task/pool/control/inbox.ts";
import { type Bed, Parking } from "../../../../lib/task/pool/control/parking.ts";
import { Queues } from "../../../../lib/task/pool/control/queues.ts";
import { Recovery } from "../../../../lib/task/pool/control/recovery.ts";
import { runnerOf, Slots } from "../../../../lib/task/pool/control/slots.ts";

import { RangeCell, split } from "../../../../lib/task/pool/range_cell.ts";
import { type Ghosts, RANGE_UNITS, RANGE_WORDS } from "./ghosts.ts";

/** An access, of a name that the explorer knows. */
declare function step(operation: string, ...args: number[]): number;

class NoCounters {
  readonly add = (): void => {};
}

/** Sleeping by the explorer's own means. The eventfd of a lane is a word of the model. */
class ModelBed implements Bed {
  readonly #park: number;

  constructor(layout: Layout) {
    this.#park = layout.park;
  }

  wait(lane: number, expected: number): void {
    step("wait", this.#park + lane, expected);
  }

  wake(lane: number): void {
    step("wake", this.#park + lane);
  }

  ring(descriptor: number): void {
    step("add", descriptor, 1);
  }
}

/** A thread with its lane of the map. */
class Lane {
  readonly #ghosts: Ghosts;
  readonly #lane: number;
  readonly #runner: number;
  readonly #deque: Deque;
  readonly #inbox: Inbox;
  readonly #slots: Slots;
  readonly #queues: Queues;
  readonly #parking: Parking;
  readonly #recovery: Recovery;

  constructor(layout: Layout, ghosts: Ghosts, lane: number, incarnation = 0) {
    // Nobody reads them: each access goes to the explorer.
    const words = new Int32Array(0);
    this.#ghosts = ghosts;
    this.#lane = lane;
    this.#runner = runnerOf(lane, incarnation);
    const counters = new NoCounters();
    const all = Array.from({ length: layout.shape.lanes }, (_, lane) => lane);
    const deques = all.map((lane) => new Deque(words, layout, lane));
    const inboxes = all.map((lane) =>
      new Inbox(words, layout, lane, { head: INBOX, next: NEXT, mark: LINKED })
    );
    const ends = all.map((lane) => new Inbox(words, layout, lane, { head: ENDS, next: END_NEXT, mark: 0 }));
    const slots = this.#slots = new Slots(words, layout, lane, counters, inboxes);
    const queues = this.#queues = new Queues(words, layout, lane, { deques, inboxes, ends, slots, counters });
    const bed = new ModelBed(layout);
    const parking = this.#parking = new Parking(words, layout, lane, { queues, counters, bed });
    const deque = this.#deque = deques[lane];
    this.#inbox = inboxes[lane];
    const parts = { lane, deque, inboxes, ends, slots, queues, parking };
    this.#recovery = new Recovery(words, layout, parts);
  }

  /** Pushes three to the own deque, and pops as many between and after. */
  pushAndPop(): void {
    this.#deque.push(0);
    this.#deque.push(1);
    this.#note(this.#deque.pop());
    step("cut", 1);
    this.#deque.push(2);
    this.#note(this.#deque.pop());
    step("cut", 2);
    this.#note(this.#deque.pop());
  }

  /** Steals from lane 0. */
  stealFrom(victim: Lane, times: number): void {
    for (let i = 0; i < times; i++) {
      this.#note(victim.#deque.steal());
      step("cut", i);
    }
  }

  #note(slot: number): void {
    if (slot >= 0) step("add", this.#ghosts.ran + slot, 1);
  }

  /** Puts slots into the inbox of lane 0. */
  put(slots: readonly number[]): void {
    for (const slot of slots) {
      this.#queues.inject(0, slot);
      step("cut", slot);
    }
  }

  /** Takes `count` from the own inbox; `other` counts what comes in the wrong order. */
  takeAll(count: number): void {
    let newest = 0;
    for (let taken = 0; taken < count;) {
      const slot = this.#inbox.take();
      if (slot < 0) {
        step("cut", taken * 16 + newest);
        step("until", 0, 0);
        continue;
      }
      taken++;
      this.#note(slot);
      // Each of the putters puts its own in order: 0 before 1, and 2 before 3.
      if ((slot & 1) === 0) newest |= 1 << slot;
      else if ((newest & 1 << slot - 1) === 0) step("add", this.#ghosts.strays, 1);
    }
  }

  /** Submits jobs that anybody may run. */
  submit(count: number): void {
    for (let i = 0; i < count; i++) {
      const slot = this.#slots.take();
      this.#slots.publish(slot);
      this.#queues.push(slot);
      this.#parking.workAdded();
      step("cut", i);
    }
  }

  /** Submits one for that lane, of a function. */
  submitTo(lane: number, fn = 0): void {
    const slot = this.#slots.take();
    if (slot < 0) return;
    this.#slots.set(slot, PIN, lane + 1);
    this.#slots.set(slot, FUNCTION, fn);
    this.#slots.publish(slot);
    this.#queues.inject(lane, slot);
    step("add", this.#ghosts.pushed, 1);
    this.#parking.wake(lane);
  }

  /** A lane that submits, and waits for all ends: in epoll where it is the opener. */
  open(count: number): void {
    this.#prepare();
    this.submit(count);
    this.#collect(count);
  }

  /** An opener whose jobs are for one lane alone. */
  openFor(lane: number, count: number): void {
    this.#prepare();
    for (let i = 0; i < count; i++) this.submitTo(lane);
    this.#collect(count);
  }

  /** An opener that leaves the waking to another. */
  openQuietly(): void {
    this.#prepare();
    const slot = this.#slots.take();
    this.#slots.publish(slot);
    this.#queues.push(slot);
    step("add", this.#ghosts.pushed, 1);
    this.#collect(1);
  }

  wakeAnother(): void {
    step("until", this.#ghosts.pushed, 1);
    this.#parking.workAdded();
  }

  #prepare(): void {
    this.#slots.open();
    this.#parking.setEventFd(this.#ghosts.events + this.#lane);
  }

  #collect(count: number): void {
    let deaths = 0;
    for (let left = count; left > 0;) {
      // As the end of a thread is seen in epoll.
      if (this.#lane === 0 && deaths === 0 && step("load", this.#ghosts.died) === 1) {
        this.#recovery.seal(1);
        step("store", this.#ghosts.sealed, 1);
      }
      if (this.#parking.hasDeaths()) {
        const { ended, lost } = this.#recovery.survey();
        for (const slot of ended) this.#end(slot);
        for (const slot of lost) this.#end(slot);
        left -= ended.length + lost.length;
        deaths++;
        continue;
      }
      const slot = this.#queues.takeDelivered();
      if (slot >= 0) {
        this.#end(slot);
        left--;
        continue;
      }
      // The private part of its inbox of ends is empty now.
      step("cut", 4 * left + deaths);
      if (this.#lane > 0) this.#parking.parkFutex(Infinity, false);
      else if (this.#parking.enterEvent(false)) {
        step("await", this.#ghosts.events + this.#lane);
        this.#parking.leaveEvent(false);
      }
    }
  }

  #end(slot: number): void {
    step("add", this.#ghosts.ended + slot, 1);
    this.#slots.free(slot);
  }

  /** Runs one where there is one. Where `waitsFor` is a slot, the job of the slot before it waits for that one's. */
  runOne(waitsFor = 0): boolean {
    const slot = this.#queues.find();
    if (slot < 0) return false;
    this.#parking.found();
    this.#run(slot, waitsFor);
    return true;
  }

  #run(slot: number, waitsFor: number): void {
    const state = this.#slots.state(slot);
    const fn = this.#slots.get(slot, FUNCTION);
    if (!this.#slots.begin(slot, this.#runner, state)) return;
    if (this.#slots.get(slot, FUNCTION) !== fn) step("add", this.#ghosts.strays, 1);
    const pin = this.#slots.get(slot, PIN);
    if (pin !== 0 && pin !== this.#lane + 1) step("add", this.#ghosts.strays, 1);
    step("add", this.#ghosts.ran + slot, 1);
    if (waitsFor > 0 && slot === waitsFor - 1) step("until", this.#ghosts.ran + waitsFor, 1);
    if (!this.#slots.finish(slot, this.#runner, false)) return;
    this.#queues.deliver(slot);
    this.#parking.wake(this.#slots.owner(slot));
  }

  /** A worker, which runs what there is and sleeps. */
  work(waitsFor = 0, usesInbox = false): void {
    for (let deaths = 0;;) {
      // But for whose deque is looked at first, it is as it was at the start: its inbox is empty, or not used.
      if (this.runOne(waitsFor)) {
        if (!usesInbox) step("cut", 2 * deaths);
        continue;
      }
      step("cut", 2 * deaths + 1);
      if (this.#parking.hasDeaths()) {
        // It has submitted nothing itself.
        this.#recovery.survey();
        deaths++;
      }
      this.#parking.parkFutex(Infinity);
    }
  }

  /** An opener that has no jobs of its own, and runs others'. */
  watch(): void {
    step("until", this.#ghosts.died, 1);
    this.#recovery.seal(1);
    this.#recovery.survey();
    this.work();
  }

  /** Takes the place of the victim, once it is sealed. */
  succeed(): void {
    step("until", this.#ghosts.sealed, 1);
    this.#slots.open();
    this.#recovery.open();
    this.#parking.arrive();
    this.work(0, true);
  }

  /** Submits one, takes it back where it can, and then has one for lane 2 in the same slot. */
  changeItsMind(): void {
    this.#slots.open();
    const slot = this.#slots.take();
    this.#slots.publish(slot);
    this.#queues.push(slot);
    if (this.#slots.cancel(slot)) {
      this.#slots.free(slot);
      this.submitTo(2, 1);
    }
  }

  /** Submits two to lane 1, takes the first one back where it can, and has one for lane 2 in the same slot. */
  redirect(): void {
    this.#slots.open();
    const slot = this.#slots.take();
    this.#slots.set(slot, PIN, 2);
    this.#slots.publish(slot);
    this.#queues.inject(1, slot);
    this.submitTo(1);
    if (!this.#slots.cancel(slot)) {
      step("add", this.#ghosts.pushed, 1);
      return;
    }
    this.#slots.free(slot);
    this.submitTo(2);
  }

  /** Submits one, and gives it up where it runs; 1 is added to what `ended` says only where that has worked. */
  giveUp(): void {
    this.#slots.open();
    const slot = this.#slots.take();
    this.#slots.publish(slot);
    this.#queues.push(slot);
    if (this.#slots.giveUp(slot, runnerOf(1, 0))) step("add", this.#ghosts.ended + slot, 1);
    if (this.#queues.takeDelivered() === slot) step("add", this.#ghosts.ended + slot, 1);
  }

  /** Claims pieces of a range until there is none. */
  claimAll(): void {
    const cell = new RangeCell(RANGE_WORDS, 0, split({ start: 0, end: 10 * RANGE_UNITS - 1 }, 10, 2));
    for (let piece = cell.claim(); piece !== null; piece = cell.claim()) {
      for (let unit = piece.start / 10; unit < piece.end / 10; unit++) {
        step("add", this.#ghosts.ran + unit, 1);
      }
      step("cut", 0);
    }
  }

  /** Looks so often for something to run. */
  look(times: number): void {
    for (let i = 0; i < times; i++) this.runOne();
  }
}

/** What the threads of a scenario are, by its name. */
export function threadsOf(name: string, layout: Layout, ghosts: Ghosts): (() => unknown)[] {
  const lane = (number: number, incarnation = 0): Lane => new Lane(layout, ghosts, number, incarnation);
  switch (name) {
    case "deque":
      return [
        () => lane(0).pushAndPop(),
        () => lane(1).stealFrom(lane(0), 2),
        () => lane(2).stealFrom(lane(0), 1),
      ];
    case "inbox":
      return [() => lane(0).takeAll(4), () => lane(1).put([0, 1]), () => lane(2).put([2, 3])];
    case "reuse":
      return [() => lane(0).changeItsMind(), () => lane(1).look(2), () => lane(2).look(2)];
    case "redirect":
      return [() => lane(0).redirect(), () => lane(1).work(0, true), () => lane(2).work(0, true)];
    case "give up":
      return [() => lane(0).giveUp(), () => lane(1).look(1)];
    case "range":
      return [() => lane(0).claimAll(), () => lane(1).claimAll(), () => lane(2).claimAll()];
    case "sleep":
      return [() => lane(0).open(2), () => lane(1).work()];
    case "together":
      return [() => lane(0).open(2), () => lane(1).work(1), () => lane(2).work(1)];
    case "pinned":
      return [() => lane(0).openFor(1, 2), () => lane(1).work(0, true)];
    case "death":
      return [() => lane(0).open(1), () => lane(1).work(), () => lane(2).work()];
    case "dead waker":
      return [() => lane(0).openQuietly(), () => lane(1).wakeAnother(), () => lane(2).work()];
    case "bystander":
      return [() => lane(0).watch(), () => lane(1).work(), () => lane(2).open(1)];
    case "succession":
      return [() => lane(0).openFor(1, 1), () => lane(1).work(0, true), () => lane(1, 1).succeed()];
    default:
      throw new Error(`there is no scenario ${name}`);
  }
}
