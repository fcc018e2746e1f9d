import { once } from "node:events";
import { MessageChannel, Worker } from "node:worker_threads";
import { Control } from "../../../../lib/task/pool/control/control.ts";
import "../../../../lib/task/pool/payload/crossing_classes.ts";
import { Crossings } from "../../../../lib/task/pool/payload/crossings.ts";
import { Payload } from "../../../../lib/task/pool/payload/payload.ts";
import { FAILED, STOPPED, TURN } from "./turns.ts";

/** Two lanes: this thread's, and that of a worker that runs one job after another while this thread waits for it. */
export class Peer implements AsyncDisposable {
  readonly control: Control = Control.create({ lanes: 3, slots: 16, arena: 1 << 22 });
  readonly crossings: Crossings = new Crossings(this.control.runner);
  readonly payload: Payload = new Payload(this.control, this.crossings);
  readonly #turns: Int32Array<SharedArrayBuffer> = new Int32Array(new SharedArrayBuffer(8));
  readonly #worker: Worker;

  private constructor() {
    const { port1, port2 } = new MessageChannel();
    this.crossings.connect(1, port1);
    const { handle } = this.control;
    this.#worker = new Worker(new URL("peer_worker.ts", import.meta.url), {
      workerData: { handle, port: port2, turns: this.#turns.buffer },
      transferList: [port2],
    });
    this.#worker.postMessage("go");
  }

  static async start(): Promise<Peer> {
    const peer = new Peer();
    await once(peer.#worker, "online");
    return peer;
  }

  /** What the worker's job of that name gives for the values. */
  call(name: string, ...values: unknown[]): unknown {
    const slot = this.control.slots.take();
    try {
      this.payload.packArguments(slot, [name, ...values]);
      Atomics.store(this.#turns, TURN, slot + 1);
      Atomics.notify(this.#turns, TURN);
      Atomics.wait(this.#turns, TURN, slot + 1);
      if (Atomics.load(this.#turns, TURN + 1) === FAILED) throw this.payload.unpackError(slot);
      return this.payload.unpackResult(slot);
    } finally {
      this.control.slots.free(slot);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#worker, "exit");
    Atomics.store(this.#turns, TURN, STOPPED);
    Atomics.notify(this.#turns, TURN);
    await ended;
    this.crossings[Symbol.dispose]();
    this.control[Symbol.dispose]();
  }
}
