/**
 * What the threads of these tests run: by name, with what was posted to them.
 *
 * @module
 */
import { PROMISED, SENDERS } from "../../../../lib/task/pool/remote/layout.ts";
import { portOf } from "../../../../lib/task/pool/remote/port.ts";
import process from "node:process";
import { parentPort } from "node:worker_threads";
import { run } from "../../../../lib/task/runtime/run.ts";
import {
  type RemoteEnd,
  type RemoteEndHandle,
  RemoteOneshotReceiver,
  RemoteOneshotSender,
  RemoteReceiver,
  RemoteSender,
  RemoteWatchReceiver,
  RemoteWatchSender,
} from "../../../../lib/task/pool/remote.ts";

interface Numbered {
  readonly id: number;
  readonly i: number;
}

/** What is to be done. */
export interface Task {
  readonly program: string;
  readonly handle: RemoteEndHandle;
  readonly id: number;
  readonly count: number;
  /** On a runtime of its own, and not in the host's loop. */
  readonly inRun: boolean;
}

const adopters: Partial<Record<RemoteEnd, (handle: RemoteEndHandle) => unknown>> = {
  sender: RemoteSender.adopt,
  receiver: RemoteReceiver.adopt,
  "oneshot sender": RemoteOneshotSender.adopt,
  "oneshot receiver": RemoteOneshotReceiver.adopt,
  "watch sender": RemoteWatchSender.adopt,
  "watch receiver": RemoteWatchReceiver.adopt,
};

/** Ends that go with the thread, and not before. */
const forgotten: unknown[] = [];

function tell(told: unknown): void {
  parentPort?.postMessage({ told });
}

const programs: Record<string, (data: Task) => Promise<void>> = {
  async produce(data) {
    using tx = RemoteSender.adopt<Numbered>(data.handle);
    for (let i = 0; i < data.count; i++) await tx.send({ id: data.id, i });
  },

  async consume(data) {
    using rx = RemoteReceiver.adopt<Numbered>(data.handle);
    const next: number[] = [];
    let count = 0;
    for await (const { id, i } of rx) {
      if (i !== (next[id] ?? 0)) throw new Error(`message ${i} of ${id} came for ${next[id]}`);
      next[id] = i + 1;
      count++;
    }
    tell(count);
  },

  /** Takes so many, then sends the receiver on. */
  async relay(data) {
    const rx = RemoteReceiver.adopt<Numbered>(data.handle);
    const taken: number[] = [];
    for (let i = 0; i < data.count; i++) taken.push((await rx.recv())?.i ?? -1);
    tell({ taken, handle: rx.intoHandle() });
  },

  /** Answers on the channel that each question brings. */
  async echo(data) {
    using rx = RemoteReceiver.adopt<Uint8Array>(data.handle);
    const handle = await rx.recv();
    if (handle === undefined) throw new Error("no way back came");
    using tx = RemoteSender.adopt<Uint8Array>(JSON.parse(new TextDecoder().decode(handle)));
    for await (const bytes of rx) await tx.send(bytes);
  },

  /** Has the end, and does nothing with it. */
  async hold(data) {
    forgotten.push(adopters[data.handle.end]?.(data.handle));
    tell("ready");
    await new Promise(() => {});
  },

  /** Has the end, and forgets to close it. */
  forget(data) {
    forgotten.push(RemoteSender.adopt(data.handle));
    return Promise.resolve();
  },

  answer(data) {
    RemoteOneshotSender.adopt(data.handle).send({ answer: [4, 2] });
    return Promise.resolve();
  },

  async ask(data) {
    tell(await RemoteOneshotReceiver.adopt(data.handle));
  },

  add(data) {
    using tx = RemoteWatchSender.adopt<number>(data.handle);
    for (let i = 0; i < data.count; i++) tx.sendModify((value) => value + 1);
    return Promise.resolve();
  },

  /** Ends in the middle of what the mutex guards. */
  die(data) {
    forgotten.push(RemoteSender.adopt<Numbered>(data.handle));
    const port = portOf(data.handle.nonce);
    port?.lock();
    if (port !== undefined) {
      Atomics.add(port.memory.words, PROMISED, 5);
      Atomics.add(port.memory.words, SENDERS, 3);
    }
    process.exit(0);
  },

  async reserve(data) {
    const tx = RemoteSender.adopt<Numbered>(data.handle);
    forgotten.push(tx, await tx.reserveMany(data.count));
    tell("ready");
    await new Promise(() => {});
  },

  /** Waits for room for ever. */
  async wait(data) {
    const tx = RemoteSender.adopt<Numbered>(data.handle);
    forgotten.push(tx);
    const waiting = tx.send({ id: data.id, i: -1 }).toPromise();
    tell("ready");
    forgotten.push(await waiting);
    await new Promise(() => {});
  },

  async receive(data) {
    const rx = RemoteReceiver.adopt<Numbered>(data.handle);
    forgotten.push(rx);
    const waiting = rx.recv().toPromise();
    tell("ready");
    forgotten.push(await waiting);
    await new Promise(() => {});
  },
};

parentPort?.on("message", (task: Task | null) => {
  if (task === null) process.exit(0);
  const main = () => programs[task.program](task);
  (task.inRun ? run(main) : main()).then(
    () => parentPort?.postMessage({ done: true }),
    (error: unknown) => parentPort?.postMessage({ error: String(error) }),
  );
});
