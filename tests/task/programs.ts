/** Programs that use all that the runtime has, for what ends them in their midst. */
import { NativeBuffer } from "../../lib/io/mod.ts";
import { mpsc, oneshot } from "../../lib/task/channel.ts";
import {
  AsyncFd,
  type Coroutine,
  interval,
  join,
  JoinSet,
  scope,
  select,
  sleep,
  spawn,
  TaskLocal,
  timeout,
  yieldNow,
} from "../../lib/task/mod.ts";
import { Mutex, Semaphore } from "../../lib/task/sync.ts";
import type { Pair } from "../io/pair.ts";

/** What the programs share, and must find again as it was. */
export interface World {
  readonly ends: Pair;
  readonly permits: Semaphore;
  readonly lock: Mutex<number>;
  readonly local: TaskLocal<number>;
  ended: number;
  begun: number;
}

export function newWorld(ends: Pair): World {
  return { ends, permits: new Semaphore(3), lock: new Mutex(0), local: new TaskLocal(), ended: 0, begun: 0 };
}

function* counted(world: World, body: Coroutine<void>): Coroutine<void> {
  world.begun++;
  try {
    yield* body;
  } finally {
    world.ended++;
  }
}

export function* sleeps(world: World): Coroutine<void> {
  yield* sleep(0);
  yield* timeout(50, counted(world, naps()));
  yield* select({ short: sleep(0), long: sleep(1e9) });
  const ticks = interval(1);
  yield* ticks.tick();
  yield* ticks.tick();
}

function* naps(): Coroutine<void> {
  yield* join(sleep(0), sleep(1));
}

export function* socket({ ends }: World): Coroutine<void> {
  const byte = new NativeBuffer(1);
  using watched = new AsyncFd(ends.client.fd);
  using peer = new AsyncFd(ends.server.fd);
  for (let i = 0; i < 3; i++) {
    const reading = spawn(() => watched.read(() => ends.client.read(byte)));
    try {
      yield* sleep(0);
      yield* peer.write(() => ends.server.write(byte));
      yield* reading;
    } finally {
      reading.abort();
    }
  }
}

export function* locks({ permits, lock }: World): Coroutine<void> {
  const permit = yield* permits.acquireMany(2);
  try {
    const guard = yield* lock.lock();
    try {
      yield* yieldNow();
      guard.value++;
    } finally {
      guard.release();
    }
  } finally {
    permit.release();
  }
}

export function* channels(): Coroutine<void> {
  const [tx, rx] = mpsc<number>(1);
  const [once, answer] = oneshot<number>();
  function* produce(): Coroutine<void> {
    for (let i = 0; i < 4; i++) yield* tx.send(i);
    tx.close();
    once.send(1);
  }
  yield* scope(function* (s): Coroutine<void> {
    s.spawn(produce);
    for (let i = 0; i < 4; i++) yield* rx.recv();
    yield* answer;
  });
}

export function* tree(world: World, depth: number): Coroutine<void> {
  yield* scope(function* (s): Coroutine<void> {
    for (let i = 0; depth > 0 && i < 2; i++) s.spawn(counted, world, tree(world, depth - 1));
    yield* sleep(0);
    yield* world.local.scope(depth, () => yieldNow());
    s.spawn(locks, world);
  });
}

export function* sets(): Coroutine<void> {
  using set = new JoinSet<void>();
  for (let i = 0; i < 4; i++) set.spawn(() => sleep(i % 2));
  while (set.size > 0) yield* set.joinNext();
}

export function* everything(world: World): Coroutine<void> {
  yield* scope(function* (s): Coroutine<void> {
    s.spawn(sleeps, world);
    s.spawn(socket, world);
    s.spawn(channels);
    s.spawn(tree, world, 2);
    yield* sets();
    yield* locks(world);
  });
}
