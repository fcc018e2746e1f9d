/**
 * What of a message cannot go as bytes. Maps and what lies in them name their descriptors, which are the process's; a
 * `SharedArrayBuffer` has no such name, and goes by a port beside the control map, once: from then on both threads know
 * it by a number, for as long as the pool is open.
 *
 * Who sends does not know who will run the job. So the opener posts to all lanes, before it names the memory, and the
 * one that meets the name takes from its port what is there, without a turn of its loop. Two workers have no port
 * between them.
 */
import process from "node:process";
import type { MessagePort } from "node:worker_threads";
import type { SharedMemories } from "./incoming_crossings.ts";
import type { SharedNames } from "./outgoing_crossings.ts";

/** Names are a thread's own count, and below it who has counted. */
const RUNNERS = 2 ** 32;
const LANES = 256;
const OPENER = 0;

/** A memory and its name, as a port carries them. */
interface Posted {
  readonly name: number;
  readonly memory: SharedArrayBuffer;
}

function isPosted(message: unknown): message is Posted {
  return typeof message === "object" && message !== null && "name" in message && "memory" in message &&
    message.memory instanceof SharedArrayBuffer;
}

/** The memories that one thread of a pool shares with others. */
export class Crossings implements SharedNames, SharedMemories, Disposable {
  readonly #runner: number;
  readonly #ports: Map<number, MessagePort> = new Map();
  readonly #names: Map<SharedArrayBuffer, number> = new Map();
  readonly #memories: Map<number, SharedArrayBuffer> = new Map();
  /** Names that each lane knows, or will find in its port. */
  readonly #posted: Set<number> = new Set();
  #count = 0;
  /** The lane that reads what is written now, or -1 where any may. */
  receiver = -1;

  /** `runner` is the thread's, as its `Control` has it. */
  constructor(runner: number) {
    this.#runner = runner;
  }

  get #isOpener(): boolean {
    return this.#runner % LANES === OPENER;
  }

  /**
   * From the thread of that lane comes by this port what has no other way, and the other way round: the opener connects
   * each worker's lane before the worker is given a job, and each worker connects lane 0. The port is for this alone:
   * nobody may listen to it.
   */
  connect(lane: number, port: MessagePort): void {
    port.unref();
    this.#ports.set(lane, port);
    if (!this.#isOpener) return;
    for (const name of this.#posted) this.#post(port, name);
  }

  /** Takes what the lane's last thread has sent, and closes the port. The thread has ended. */
  disconnect(lane: number): void {
    const port = this.#ports.get(lane);
    if (port === undefined) return;
    this.#receive(port);
    this.#ports.delete(lane);
    port.close();
  }

  /** Posts the memory to those who do not know it. Throws where the reader could not be one of them. */
  nameOf(memory: SharedArrayBuffer): number {
    const name = this.#names.get(memory) ?? this.#newName(memory);
    if (this.#posted.has(name)) return name;
    if (this.#isOpener) {
      for (const port of this.#ports.values()) this.#post(port, name);
      this.#posted.add(name);
      return name;
    }
    // What the opener has made known all lanes find.
    if (laneOf(name) !== laneOf(this.#runner)) return name;
    const port = this.#ports.get(OPENER);
    if (this.receiver !== OPENER || port === undefined) {
      throw new Error(
        "it is a SharedArrayBuffer of a worker's, which only the opener can receive, as a result; " +
          "make it in the opener's thread, or take Mmap.anonymous",
      );
    }
    this.#post(port, name);
    return name;
  }

  #newName(memory: SharedArrayBuffer): number {
    const name = this.#count++ * RUNNERS + this.#runner;
    this.#keep(name, memory);
    return name;
  }

  #keep(name: number, memory: SharedArrayBuffer): void {
    if (this.#memories.has(name)) return;
    this.#memories.set(name, memory);
    this.#names.set(memory, name);
  }

  #post(port: MessagePort, name: number): void {
    port.postMessage({ name, memory: this.#memories.get(name) });
  }

  /** The memory of that name. Throws where this thread was not sent it. */
  named(name: number): SharedArrayBuffer {
    const known = this.#memories.get(name);
    if (known !== undefined) return known;
    const port = this.#ports.get(this.#isOpener ? laneOf(name) : OPENER);
    if (port !== undefined) this.#receive(port);
    const found = this.#memories.get(name);
    if (found === undefined) throw new Error("cannot receive a SharedArrayBuffer: its sender has ended");
    return found;
  }

  #receive(port: MessagePort): void {
    // Deno takes 10 ms to load what most threads never need.
    const { receiveMessageOnPort } = process.getBuiltinModule("node:worker_threads");
    for (let found = receiveMessageOnPort(port); found !== undefined; found = receiveMessageOnPort(port)) {
      const { message }: { message: unknown } = found;
      if (isPosted(message)) this.#keep(message.name, message.memory);
    }
  }

  /** Closes the ports. */
  [Symbol.dispose](): void {
    for (const port of this.#ports.values()) port.close();
    this.#ports.clear();
  }
}

function laneOf(name: number): number {
  return name % LANES;
}
