import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { EPOLLIN, EPOLLOUT, EventFd, type Fd, WouldBlock } from "../../lib/io/mod.ts";
import { AsyncFd, type Coroutine } from "../../lib/task/mod.ts";
import { enter } from "../../lib/task/runtime/current.ts";
import type { Poller } from "../../lib/task/reactor/poller.ts";
import { Runtime } from "../../lib/task/runtime/runtime.ts";
import { spawnInto } from "../../lib/task/spawn.ts";
import { tiered } from "../tier.ts";

/**
 * A kernel of one descriptor, into which bytes come whenever the schedule says so: each time that anybody asks the
 * kernel, or is about to, is a place where one may have come in between.
 */
class Kernel implements Poller {
  readonly descriptor = null;
  readonly isClosed = false;
  readonly needsRearming: boolean;
  /** Bit by bit, whether a byte comes at the next place. */
  #schedule: number;
  #token = 0;
  #edge = true;
  #isArmed = true;
  bytes = 0;
  arrived = 0;

  /** One of edges, or of levels that are told of once each time that they were asked for. */
  constructor(schedule: number, needsRearming: boolean) {
    this.#schedule = schedule;
    this.needsRearming = needsRearming;
  }

  place(): void {
    if (this.#schedule & 1) {
      this.bytes++;
      this.arrived++;
      this.#edge = true;
    }
    this.#schedule >>= 1;
  }

  get isOver(): boolean {
    return this.#schedule === 0;
  }

  read(): number {
    this.place();
    const { bytes } = this;
    this.bytes = 0;
    this.place();
    return bytes === 0 ? WouldBlock : bytes;
  }

  add(_fd: Fd, token: number): void {
    this.#token = token;
    this.place();
  }

  rearm(_fd: Fd, _token: number, events: number): void {
    this.place();
    if (events & EPOLLIN) this.#isArmed = true;
  }

  hush(): void {}

  delete(): void {}

  wait(): number {
    this.place();
    const isReady = this.needsRearming ? this.#isArmed && this.bytes > 0 : this.#edge;
    if (!isReady) return 0;
    this.#edge = false;
    this.#isArmed = false;
    return 1;
  }

  token(): number {
    this.place();
    return this.#token;
  }

  events(): number {
    return this.bytes > 0 ? EPOLLIN | EPOLLOUT : EPOLLOUT;
  }

  [Symbol.dispose](): void {}
}

type Body = (watched: AsyncFd, kernel: Kernel, taken: (count: number) => void) => Coroutine<void>;

function* byCalls(watched: AsyncFd, kernel: Kernel, taken: (count: number) => void): Coroutine<void> {
  for (;;) taken(yield* watched.read(() => kernel.read()));
}

function* byHand(watched: AsyncFd, kernel: Kernel, taken: (count: number) => void): Coroutine<void> {
  for (;;) {
    yield* watched.readable();
    kernel.place();
    const count = kernel.read();
    if (count === WouldBlock) watched.clearReadable();
    else taken(count);
    kernel.place();
  }
}

/** How many bytes came and how many were read, once nothing moves any more. */
function played(schedule: number, needsRearming: boolean, readers: readonly Body[]): [number, number] {
  const kernel = new Kernel(schedule, needsRearming);
  using runtime = new Runtime(kernel);
  using event = new EventFd();
  const leave = enter(runtime);
  let taken = 0;
  const add = (count: number): void => {
    taken += count;
  };
  try {
    using watched = new AsyncFd(event.fd);
    for (const reader of readers) spawnInto(runtime.executor, null, reader, [watched, kernel, add]);
    for (let quiet = 0; quiet < 3;) {
      kernel.place();
      const moved = runtime.poll() + runtime.look(0);
      quiet = moved === 0 && kernel.isOver ? quiet + 1 : 0;
    }
    for (let i = 0; i < 3; i++) assertEquals([runtime.look(0), runtime.poll()], [0, 0]);
  } finally {
    leave();
  }
  return [kernel.arrived, taken];
}

const PLACES = tiered({ quick: 11, full: 17, soak: 20 });

describe("the reactor's model", () => {
  for (const needsRearming of [false, true]) {
    const kind = needsRearming ? "levels that are rearmed" : "edges";
    it(`loses no wake-up of one reader, wherever bytes come in between, by ${kind}`, () => {
      for (let schedule = 0; schedule < 2 ** PLACES; schedule++) {
        for (const body of [byCalls, byHand]) {
          const [arrived, taken] = played(schedule, needsRearming, [body]);
          if (arrived !== taken) assertEquals([schedule.toString(2), taken], ["its bytes", arrived]);
        }
      }
      assertEquals(played(0b1011, needsRearming, [byCalls]), [3, 3]);
    });

    it(`loses none of two readers that share the descriptor, by ${kind}`, () => {
      for (let schedule = 0; schedule < 2 ** (PLACES - 1); schedule++) {
        const [arrived, taken] = played(schedule, needsRearming, [byCalls, byHand]);
        if (arrived !== taken) assertEquals([schedule.toString(2), taken], ["its bytes", arrived]);
      }
      assertEquals(played(0b1011, needsRearming, [byCalls, byHand]), [3, 3]);
    });
  }
});
