import { describe, it } from "node:test";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { Control } from "../../../../lib/task/pool/control/control.ts";
import {
  byteSize,
  CANCELLED,
  DONE,
  FREE,
  LOST,
  PIN,
  QUEUED,
} from "../../../../lib/task/pool/control/layout.ts";
import { AWAKE } from "../../../../lib/task/pool/control/parking.ts";
import { Slots } from "../../../../lib/task/pool/control/slots.ts";
import { Bells } from "./bells.ts";

const shape = { lanes: 3, slots: 8, arena: 8192 };

/** A slot that was submitted to `control`'s own deque. */
function submit(control: Control): number {
  const slot = control.slots.take();
  control.slots.publish(slot);
  control.queues.push(slot);
  return slot;
}

function begin({ slots, runner }: Control, slot: number): boolean {
  return slots.begin(slot, runner, slots.state(slot));
}

function runOne(control: Control): number {
  const slot = control.queues.find();
  if (slot < 0 || !begin(control, slot)) return -1;
  control.slots.finish(slot, control.runner, false);
  control.queues.deliver(slot);
  return slot;
}

describe("a control map", () => {
  it("has a place for everything, and none in another's", () => {
    using control = Control.create(shape);
    const { layout, bytes, slots } = control;
    assertEquals([bytes.length, bytes.length], [byteSize(shape), layout.byteSize]);
    const [first, last] = [control.arena(0), control.arena(2)];
    assertEquals(first, { byteOffset: layout.arenas, byteLength: 8192 });
    assertEquals(last.byteOffset + last.byteLength, bytes.length);
    assertEquals(slots.inlineAt(23) + Slots.inlineBytes, 4 * (layout.slots + 24 * 64));
    assert(slots.inlineAt(23) + Slots.inlineBytes <= first.byteOffset && Slots.inlineBytes >= 176);
    assert(layout.ofLane(3, 0) <= layout.slots);
    assertEquals(layout.park % 16 + layout.eventFd % 16 + layout.incarnation % 16, 0);
  });

  it("refuses shapes that are none, and handles of other maps", () => {
    for (
      const [lanes, slots, arena, what] of [
        [0, 8, 0, "lanes is 0"],
        [257, 8, 0, "lanes is 257"],
        [2, 7, 0, "slots is 7"],
        [2, 131072, 0, "slots is 131072"],
        [2, 8, -1, "arena is -1"],
        [256, 65536, 0, "are more than"],
        [256, 8, 2 ** 24, "ask for fewer, or smaller arenas"],
      ] as const
    ) {
      assertThrows(() => Control.create({ lanes, slots, arena }), RangeError, what);
    }
    using control = Control.create(shape);
    assertThrows(() => Control.adopt(control.handle, 3), RangeError, "lane is 3");
    assertThrows(() => Control.adopt(control.handle, 0), RangeError, "lane is 0");
  });

  it("is empty of use once it was disposed", () => {
    const control = Control.create(shape);
    const { slots } = control;
    control[Symbol.dispose]();
    assertThrows(() => slots.phase(0), Error);
  });

  it("takes a job from its submitter to its runner and back", () => {
    using opener = Control.create(shape);
    using worker = Control.adopt(opener.handle, 1);
    assertEquals(worker.shape, shape);
    const slot = submit(opener);
    assertEquals(opener.slots.phase(slot), QUEUED);
    assert(worker.queues.hasWork());
    assertEquals(runOne(worker), slot);
    assertEquals(worker.queues.hasWork(), false);
    assert(opener.queues.hasWork());
    assertEquals([opener.queues.takeDelivered(), opener.queues.takeDelivered()], [slot, -1]);
    assertEquals([opener.slots.phase(slot), opener.slots.runner(slot)], [DONE, worker.runner]);
    opener.slots.free(slot);
    assertEquals(opener.slots.phase(slot), FREE);
    const { submitted, begun, finished, stolen } = opener.counters.metrics();
    assertEquals([submitted, begun, finished, stolen], [1, 1, 1, 1]);
    assertEquals(opener.counters.metrics(1).begun, 1);
  });

  it("gives out each slot once, and says when there is none", () => {
    using control = Control.create(shape);
    const slots = Array.from({ length: 8 }, () => control.slots.take());
    assertEquals([...slots].sort((a, b) => a - b), [0, 1, 2, 3, 4, 5, 6, 7]);
    assertEquals(control.slots.take(), -1);
    control.slots.free(5);
    assertEquals([control.slots.take(), control.slots.take()], [5, -1]);
  });

  it("delivers ends first in, first out", () => {
    using opener = Control.create(shape);
    using worker = Control.adopt(opener.handle, 2);
    const run: number[] = [];
    for (let i = 0; i < 5; i++) submit(opener);
    for (let i = 0; i < 5; i++) run.push(runOne(worker));
    assertEquals(Array.from({ length: 6 }, () => opener.queues.takeDelivered()), [...run, -1]);
  });

  it("lets its owner take the newest, a thief the oldest, and nobody starve", () => {
    using opener = Control.create({ ...shape, slots: 64 });
    using worker = Control.adopt(opener.handle, 1);
    const slots = Array.from({ length: 64 }, () => submit(opener));
    assertEquals([opener.queues.find(), worker.queues.find()], [slots[63], slots[0]]);
    const found = Array.from({ length: 31 }, () => opener.queues.find());
    assert(found.includes(slots[1]));
    for (let i = 0; i < 31; i++) assert(opener.queues.find() >= 0);
    assertEquals(opener.queues.find(), -1);
  });

  it("gives what is injected to that lane alone, and what comes with it to all but the pinned", () => {
    using opener = Control.create(shape);
    using worker = Control.adopt(opener.handle, 1);
    using thief = Control.adopt(opener.handle, 2);
    const slots = Array.from({ length: 4 }, () => opener.slots.take());
    opener.slots.set(slots[2], PIN, 2);
    for (const slot of slots) {
      opener.slots.publish(slot);
      opener.queues.inject(1, slot);
    }
    assertEquals([thief.queues.find(), thief.queues.hasWork(), worker.queues.hasWork()], [-1, false, true]);
    assertEquals([worker.queues.find(), thief.queues.find(), thief.queues.find()], [slots[0], slots[1], -1]);
    assertEquals(begin(thief, slots[2]), false);
    assertEquals(worker.queues.find(), slots[2]);
    assert(begin(worker, slots[2]));
    assertEquals(worker.queues.find(), slots[3]);
  });

  it("does not give out a slot again that lies in an inbox still", () => {
    using opener = Control.create({ ...shape, slots: 2 });
    using worker = Control.adopt(opener.handle, 1);
    const [slot, other] = [opener.slots.take(), opener.slots.take()];
    opener.slots.publish(slot);
    opener.queues.inject(1, slot);
    assert(opener.slots.cancel(slot));
    assertEquals(opener.slots.phase(slot), CANCELLED);
    opener.slots.free(slot);
    assertEquals(opener.slots.take(), -1);
    assertEquals([worker.queues.find(), begin(worker, slot)], [slot, false]);
    assertEquals(opener.slots.take(), slot);
    opener.slots.free(other);
    assertEquals(opener.slots.take(), other);
  });

  it("begins nothing by what was seen of the slot when another job had it", () => {
    using opener = Control.create(shape);
    using worker = Control.adopt(opener.handle, 1);
    const slot = submit(opener);
    const seen = worker.slots.state(worker.queues.find());
    assert(opener.slots.cancel(slot));
    opener.slots.free(slot);
    assertEquals(submit(opener), slot);
    assertEquals(worker.slots.begin(slot, worker.runner, seen), false);
    assert(begin(worker, slot));
  });

  it("runs a job once, whatever hints there are", () => {
    using opener = Control.create(shape);
    using worker = Control.adopt(opener.handle, 1);
    const slot = submit(opener);
    opener.queues.push(slot);
    assert(begin(worker, worker.queues.find()));
    assertEquals(begin(opener, opener.queues.find()), false);
    assertEquals(opener.slots.cancel(slot), false);
    assert(opener.slots.giveUp(slot, worker.runner));
    assertEquals(worker.slots.finish(slot, worker.runner, false), false);
    assertEquals(opener.slots.phase(slot), LOST);
    assertEquals(opener.counters.metrics().lost, 1);
  });

  it("says no to more hints than the deque holds", () => {
    using control = Control.create(shape);
    const slot = control.slots.take();
    for (let i = 0; i < 16; i++) assert(control.queues.push(slot));
    assertEquals([control.queues.push(slot), control.counters.metrics().refused], [false, 1]);
  });

  it("wakes one searcher for work, and the next once that one has found some", () => {
    using opener = Control.create(shape);
    using first = Control.adopt(opener.handle, 1);
    using second = Control.adopt(opener.handle, 2);
    const { parking } = opener;
    using ready = new Bells(first, second);
    assert(first.parking.enterEvent() && second.parking.enterEvent());
    assertEquals([parking.sleepers, ready.read()], [2, [0, 0]]);
    submit(opener);
    parking.workAdded();
    submit(opener);
    parking.workAdded();
    assertEquals([parking.sleepers, ready.read()], [1, [1, 0]]);
    first.parking.leaveEvent();
    assert(runOne(first) >= 0);
    first.parking.found();
    assertEquals([parking.sleepers, ready.read(), parking.state(1)], [0, [0, 1], AWAKE]);
  });

  it("wakes who is deaf for its own alone", () => {
    using opener = Control.create(shape);
    using worker = Control.adopt(opener.handle, 1);
    using ready = new Bells(opener);
    assert(opener.parking.enterEvent(false));
    assertEquals(opener.parking.sleepers, 0);
    const slot = submit(opener);
    worker.parking.workAdded();
    assertEquals(ready.read(), [0]);
    assertEquals(runOne(worker), slot);
    worker.parking.wake(0);
    assertEquals(ready.read(), [1]);
    worker.parking.wake(0);
    opener.parking.leaveEvent(false);
    assertEquals([ready.read(), opener.parking.enterEvent(false)], [[0], false]);
    opener.queues.takeDelivered();
    assertEquals(opener.parking.enterEvent(false), true);
  });

  it("does not let who has work, or is to stop, lie down", () => {
    using opener = Control.create(shape);
    using worker = Control.adopt(opener.handle, 1);
    submit(opener);
    worker.parking.parkFutex(Infinity);
    assertEquals([worker.parking.enterEvent(), opener.parking.sleepers], [false, 0]);
    runOne(worker);
    opener.parking.stop();
    worker.parking.parkFutex(Infinity);
    assertEquals([worker.parking.isStopping, worker.parking.enterEvent(), opener.parking.sleepers], [
      true,
      false,
      0,
    ]);
  });

  it("sleeps for as long as it is told", () => {
    using control = Control.create(shape);
    const start = performance.now();
    control.parking.parkFutex(120);
    assert(performance.now() - start >= 120);
    assertEquals([control.parking.state(0), control.parking.sleepers], [AWAKE, 0]);
  });

  it("lets half of those that are there search", () => {
    using opener = Control.create(shape);
    using first = Control.adopt(opener.handle, 1);
    using second = Control.adopt(opener.handle, 2);
    assertEquals([first.parking.beginSearch(), second.parking.beginSearch()], [true, true]);
    assertEquals(opener.parking.beginSearch(), false);
    first.parking.found();
    second.parking.found();
    assertEquals(opener.parking.beginSearch(), true);
  });
});
