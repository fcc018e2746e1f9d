/**
 * Claim: from a descriptor that becomes ready to its task's poll takes at most 1.3 µs more than epoll_wait alone.
 *
 * @module
 */
import process from "node:process";
import { Epoll, EPOLLET, EPOLLIN, EventFd } from "../../lib/io/mod.ts";
import { AsyncFd, type Coroutine, run } from "../../lib/task/mod.ts";
import { compare, type Contender, equals } from "../compare.ts";

const WAIT = "epoll_wait alone";
const TASK = "to its task's poll";
const BEYOND = "the difference";
const MOST_NS = 1300;

function elapsed(start: bigint, times: number): number {
  return Number(process.hrtime.bigint() - start) / times;
}

/** Makes the descriptor ready, waits for it, and takes its count. */
function waits(times: number): number {
  using event = new EventFd();
  using epoll = new Epoll();
  epoll.add(event.fd, EPOLLIN | EPOLLET, 0);
  const start = process.hrtime.bigint();
  let taken = 0;
  for (let i = 0; i < times; i++) {
    event.write();
    if (epoll.wait() === 1) taken += event.read();
  }
  const ns = elapsed(start, times);
  equals(WAIT, times)(taken);
  return ns;
}

/** The same, parked in the reactor between the two. */
function* parks(times: number): Coroutine<number> {
  using event = new EventFd();
  using watched = new AsyncFd(event.fd);
  const start = process.hrtime.bigint();
  let taken = 0;
  for (let i = 0; i < times; i++) {
    watched.clearReadable();
    event.write();
    yield* watched.readable();
    taken += event.read();
  }
  const ns = elapsed(start, times);
  equals(TASK, times)(taken);
  return ns;
}

/** Prints how long each takes. */
export async function compareReadiness(quick: boolean): Promise<void> {
  const times = quick ? 1000 : 50_000;
  let [ofWait, ofTask] = [0, 0];
  const contenders: Contender[] = [
    { name: WAIT, sample: () => Promise.resolve([ofWait = waits(times)]) },
    { name: TASK, sample: async () => [ofTask = await run(() => parks(times))] },
    { name: BEYOND, sample: () => Promise.resolve([ofTask - ofWait]) },
  ];
  await compare({
    title: "an eventfd that becomes ready",
    units: ["ns"],
    baseline: WAIT,
    contenders,
    quick,
    targets: [{ name: BEYOND, figuresAtMost: [MOST_NS] }],
  });
}
