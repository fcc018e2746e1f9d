/** What each thread of the hammered map does, worker or not. */
import { Epoll, EPOLLIN } from "../../../../lib/io/epoll.ts";
import { EventFd } from "../../../../lib/io/event_fd.ts";
import type { Control } from "../../../../lib/task/pool/control/control.ts";
import { DONE, FAILED, PIN } from "../../../../lib/task/pool/control/layout.ts";

/** A wake-up that is lost is told instead of waited for; nobody sleeps so long by right. */
const A_MINUTE = 60_000;
/** No more than so many of its jobs are in flight at a time, so that there is something to sleep for. */
const IN_FLIGHT = 24;

/** In the arena of lane 0: how many lanes have not ended all their jobs, then for each job how often it ran. */
export function tallyOf(control: Control): Int32Array<ArrayBuffer> {
  const { byteOffset, byteLength } = control.arena(0);
  return new Int32Array(control.bytes.buffer, control.bytes.byteOffset + byteOffset, byteLength / 4);
}

/** One lane that submits `jobs`, runs whoever's, and goes on until all lanes' have ended. */
export class Hammer {
  readonly #control: Control;
  readonly #jobs: number;
  readonly #tally: Int32Array<ArrayBuffer>;
  readonly #event: EventFd = new EventFd();
  readonly #epoll: Epoll = new Epoll();
  #state: number;
  #submitted = 0;
  #ended = 0;

  constructor(control: Control, jobs: number, seed: number) {
    this.#control = control;
    this.#jobs = jobs;
    this.#tally = tallyOf(control);
    this.#state = Math.imul(seed + 17, 0x9e3779b9) | 1;
    this.#epoll.add(this.#event.fd, EPOLLIN, 0);
    control.parking.setEventFd(this.#event.fd.number);
  }

  #chance(of: number): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return (x >>> 0) % of;
  }

  /** Until the map's `stop`. */
  run(): void {
    const { parking } = this.#control;
    while (!parking.isStopping) {
      const isBusy = this.#submit();
      if (this.#takeEnds() || this.#runOne() || isBusy) continue;
      if (this.#chance(4) === 0 && parking.beginSearch()) continue;
      this.#sleep();
    }
  }

  #submit(): boolean {
    if (this.#submitted === this.#jobs || this.#submitted - this.#ended >= IN_FLIGHT) return false;
    const { slots, queues, parking, lane, shape } = this.#control;
    const slot = slots.take();
    if (slot < 0) return false;
    const job = lane * this.#jobs + this.#submitted++;
    this.#control.words[slots.inlineAt(slot) / 4] = job;
    const way = this.#chance(8);
    const other = this.#chance(shape.lanes);
    if (way < 2) slots.set(slot, PIN, other + 1);
    slots.publish(slot);
    if (way < 3) {
      queues.inject(other, slot);
      parking.wake(other);
    } else {
      // It is full of hints to jobs that were cancelled, or are there twice, where nobody has looked for long.
      if (!queues.push(slot)) queues.inject(lane, slot);
      else if (this.#chance(4) === 0) queues.push(slot);
      parking.workAdded();
    }
    if (this.#chance(4) === 0 && slots.cancel(slot)) this.#end(slot);
    return true;
  }

  #takeEnds(): boolean {
    const { slots, queues } = this.#control;
    let count = 0;
    for (let slot = queues.takeDelivered(); slot >= 0; slot = queues.takeDelivered()) {
      const phase = slots.phase(slot);
      const job = this.#control.words[slots.inlineAt(slot) / 4];
      if (phase !== (job % 7 === 0 ? FAILED : DONE)) throw new Error(`job ${job} ended in phase ${phase}`);
      this.#end(slot);
      count++;
    }
    return count > 0;
  }

  #end(slot: number): void {
    const { slots, parking } = this.#control;
    slots.free(slot);
    this.#ended++;
    if (this.#ended === this.#jobs && Atomics.sub(this.#tally, 0, 1) === 1) parking.stop();
  }

  #runOne(): boolean {
    const { slots, queues, parking, runner, words } = this.#control;
    const slot = queues.find();
    if (slot < 0) return false;
    parking.found();
    if (!slots.begin(slot, runner, slots.state(slot))) return true;
    const job = words[slots.inlineAt(slot) / 4];
    Atomics.add(this.#tally, 1 + job, 1);
    if (!slots.finish(slot, runner, job % 7 === 0)) throw new Error(`job ${job} was taken away`);
    queues.deliver(slot);
    parking.wake(slots.owner(slot));
    return true;
  }

  #sleep(): void {
    const { parking } = this.#control;
    const start = performance.now();
    if (this.#chance(2) === 0) parking.parkFutex(A_MINUTE);
    else if (parking.enterEvent()) {
      this.#epoll.wait(A_MINUTE);
      parking.leaveEvent();
      this.#event.read();
    }
    if (performance.now() - start >= A_MINUTE) {
      throw new Error(`lane ${this.#control.lane} was not woken for a minute`);
    }
  }

  /** The event's descriptor must be open while others may ring. */
  close(): void {
    this.#epoll.close();
    this.#event.close();
  }
}
