/**
 * What the threads of these tests run: by name, with what was posted to them.
 *
 * @module
 */
import { parentPort, workerData } from "node:worker_threads";
import { run } from "../../../../lib/task/mod.ts";
import { type RemoteEndHandle, RemoteReceiver, RemoteSender } from "../../../../lib/task/pool/remote.ts";

interface Numbered {
  readonly id: number;
  readonly i: number;
}

const data: { program: string; handle: RemoteEndHandle; id: number; count: number; inRun: boolean } =
  workerData;

function tell(message: unknown): void {
  parentPort?.postMessage(message);
}

async function forever(): Promise<void> {
  parentPort?.on("message", () => {});
  await new Promise(() => {});
}

const programs: Record<string, () => Promise<void>> = {
  async produce() {
    using tx = RemoteSender.adopt<Numbered>(data.handle);
    for (let i = 0; i < data.count; i++) await tx.send({ id: data.id, i });
  },

  async consume() {
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
  async relay() {
    const rx = RemoteReceiver.adopt<Numbered>(data.handle);
    const taken: number[] = [];
    for (let i = 0; i < data.count; i++) taken.push((await rx.recv())?.i ?? -1);
    tell({ taken, handle: rx.intoHandle() });
  },

  /** Answers on the channel that each question brings. */
  async echo() {
    using rx = RemoteReceiver.adopt<Uint8Array>(data.handle);
    const handle = await rx.recv();
    if (handle === undefined) throw new Error("no way back came");
    using tx = RemoteSender.adopt<Uint8Array>(JSON.parse(new TextDecoder().decode(handle)));
    for await (const bytes of rx) await tx.send(bytes);
  },

  /** Has the end, and does nothing with it. */
  async hold() {
    const end = data.handle.end === "sender"
      ? RemoteSender.adopt(data.handle)
      : RemoteReceiver.adopt(data.handle);
    tell("ready");
    await forever();
    end.close();
  },

  /** Has the end, and forgets to close it. */
  forget() {
    RemoteSender.adopt(data.handle);
    return Promise.resolve();
  },

  async reserve() {
    const tx = RemoteSender.adopt<Numbered>(data.handle);
    const permit = await tx.reserveMany(data.count);
    tell("ready");
    await forever();
    permit.release();
  },

  /** Waits for room for ever. */
  async wait() {
    const tx = RemoteSender.adopt<Numbered>(data.handle);
    const waiting = tx.send({ id: data.id, i: -1 }).toPromise();
    tell("ready");
    await waiting;
    await forever();
  },

  async receive() {
    const rx = RemoteReceiver.adopt<Numbered>(data.handle);
    const waiting = rx.recv().toPromise();
    tell("ready");
    await waiting;
    await forever();
  },
};

if (data.inRun) await run(programs[data.program]);
else await programs[data.program]();
