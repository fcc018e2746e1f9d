import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { mpsc } from "../../../../lib/task/channel.ts";
import { type Future, Pending } from "../../../../lib/task/mod.ts";
import { remoteMpsc, RemoteReceiver, RemoteSender } from "../../../../lib/task/pool/remote.ts";
import { BUDGET, coop } from "../../../../lib/task/runtime/coop.ts";
import { tiered } from "../../../tier.ts";
import { Probe } from "../../probe.ts";

interface Room {
  readonly left: number;
  send(message: number): void;
  release(): void;
}

interface Sending {
  send(message: number): Future<void>;
  trySend(message: number): boolean;
  reserveMany(count: number): Future<Room>;
  tryReserveMany(count: number): Room | null;
  closed(): Future<void>;
  clone(): Sending;
  close(): void;
  readonly isClosed: boolean;
  readonly capacity: number;
  readonly strongCount: number;
}

interface Receiving {
  recv(): Future<number | undefined>;
  recvMany(into: number[], limit: number): Future<number>;
  tryRecv(): number | undefined | Pending;
  close(): void;
  [Symbol.dispose](): void;
  readonly isClosed: boolean;
  readonly length: number;
  readonly capacity: number;
  readonly senderStrongCount: number;
}

/** Ends of the channel on trial, and what moves one to another thread and back, where it can. */
interface Ends {
  readonly tx: Sending;
  readonly rx: Receiving;
  moveSender(tx: Sending): Sending;
  moveReceiver(rx: Receiving): Receiving;
}

interface Waiting {
  readonly future: Future<unknown>;
  readonly probe: Probe;
}

function isRoom(value: unknown): value is Room {
  return value instanceof Object && "left" in value;
}

/** A channel that is driven step by step, and tells all that it sees. */
class Program {
  readonly told: unknown[] = [];
  readonly #ends: Ends;
  #rx: Receiving;
  #senders: Sending[];
  #waiting: Waiting[] = [];
  #recv: Waiting | null = null;
  #rooms: Room[] = [];
  #next = 0;

  constructor(ends: Ends) {
    this.#ends = ends;
    this.#rx = ends.rx;
    this.#senders = [ends.tx];
  }

  step(kind: number, who: number): void {
    coop.left = BUDGET;
    const tx = this.#senders[who % Math.max(1, this.#senders.length)];
    if (tx !== undefined) this.#withSender(kind, who, tx);
    this.#withOthers(kind, who);
    this.#tell(this.#rx.length, this.#rx.capacity, this.#rx.isClosed, this.#rx.senderStrongCount);
    for (const { probe } of this.#waiting) this.#tell(probe.wakes > 0);
    this.#tell(this.#recv !== null && this.#recv.probe.wakes > 0);
  }

  #withSender(kind: number, who: number, tx: Sending): void {
    if (kind <= 2) this.#begin(tx.send(this.#next++));
    else if (kind === 3) this.#begin(tx.reserveMany(who % (1 + Math.max(1, tx.capacity))));
    else if (kind === 4) this.#try(() => tx.trySend(this.#next++));
    else if (kind === 5) this.#try(() => this.#keep(tx.tryReserveMany(who % 2)));
    else if (kind === 6) this.#begin(tx.closed());
    else if (kind === 7) this.#senders.push(tx.clone());
    else if (kind === 8 && who % 3 === 0) {
      tx.close();
      this.#senders.splice(this.#senders.indexOf(tx), 1);
      this.#tell(tx.isClosed);
    } else if (kind === 9) this.#senders[this.#senders.indexOf(tx)] = this.#ends.moveSender(tx);
  }

  #withOthers(kind: number, who: number): void {
    const waiting = this.#waiting[who % Math.max(1, this.#waiting.length)];
    const room = this.#rooms[who % Math.max(1, this.#rooms.length)];
    if (kind === 10 && waiting !== undefined) this.#poll(waiting);
    else if (kind === 11 && waiting !== undefined) {
      waiting.future.drop();
      this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
    } else if (kind === 12 && room !== undefined) {
      room.release();
      this.#rooms.splice(this.#rooms.indexOf(room), 1);
    } else if (kind === 13 && room !== undefined) this.#try(() => room.send(this.#next++));
    else if (kind >= 14 && kind <= 17) this.#receive(who);
    else if (kind === 18) {
      this.#recv?.future.drop();
      this.#recv = null;
    } else if (kind === 19 && this.#recv === null) this.#rx = this.#ends.moveReceiver(this.#rx);
    else if (kind === 20 && who % 8 === 0) this.#rx.close();
    else if (kind === 21) this.#try(() => this.#recv === null ? this.#rx.tryRecv() : "waits");
  }

  #tell(...seen: unknown[]): void {
    this.told.push(...seen);
  }

  #try(act: () => unknown): void {
    try {
      this.#tell(act());
    } catch (error) {
      this.#tell(String(error));
    }
  }

  #keep(room: Room | null): boolean {
    if (room !== null) this.#rooms.push(room);
    return room !== null;
  }

  #begin(future: Future<unknown>): void {
    const waiting = { future, probe: new Probe() };
    this.#waiting.push(waiting);
    this.#poll(waiting);
  }

  #poll(waiting: Waiting): void {
    let value: unknown;
    waiting.probe.wakes = 0;
    try {
      value = waiting.probe.poll(waiting.future);
    } catch (error) {
      value = error;
    }
    // A wake that comes at its own poll tells nothing.
    waiting.probe.wakes = 0;
    if (value !== Pending) this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
    if (isRoom(value)) this.#rooms.push(value);
    this.#tell(value === Pending ? "pending" : isRoom(value) ? value.left : String(value));
  }

  #receive(who: number): void {
    const into: number[] = [];
    const recv = this.#recv ??= {
      future: who % 4 === 0 ? this.#rx.recvMany(into, who % 5) : this.#rx.recv(),
      probe: new Probe(),
    };
    recv.probe.wakes = 0;
    const value = recv.probe.poll(recv.future);
    recv.probe.wakes = 0;
    if (value !== Pending) this.#recv = null;
    this.#tell(value, ...into);
  }

  /** Drops and closes all, and takes what is left. */
  end(): void {
    coop.left = BUDGET;
    for (const { future } of this.#waiting.splice(0)) future.drop();
    for (const room of this.#rooms.splice(0)) room.release();
    for (const tx of this.#senders.splice(0)) tx.close();
    this.#recv?.future.drop();
    for (let message = this.#rx.tryRecv(); typeof message === "number"; message = this.#rx.tryRecv()) {
      this.#tell(message);
    }
    this.#tell(this.#rx.tryRecv(), this.#rx.length);
    this.#rx[Symbol.dispose]();
    this.#tell(this.#rx.length, this.#rx.isClosed, this.#rx.tryRecv());
  }
}

function inThread(capacity: number): Ends {
  const [tx, rx] = mpsc<number>(capacity);
  return { tx, rx, moveSender: (tx) => tx, moveReceiver: (rx) => rx };
}

function remote(capacity: number, bytes: number): Ends {
  const [tx, rx] = remoteMpsc<number>(capacity, { bytes });
  return {
    tx,
    rx,
    moveSender(tx) {
      if (!(tx instanceof RemoteSender)) throw new Error("it is no sender of a channel between threads");
      return RemoteSender.adopt<number>(structuredClone(tx.intoHandle()));
    },
    moveReceiver(rx) {
      if (!(rx instanceof RemoteReceiver)) throw new Error("it is no receiver of a channel between threads");
      return RemoteReceiver.adopt<number>(structuredClone(rx.intoHandle()));
    },
  };
}

describe("a channel between threads, in one", () => {
  it("does as one in a thread does, in any program of sends, permits, moves, drops and closes", () => {
    const step = fc.tuple(fc.nat(21), fc.nat(1000));
    const steps = fc.array(step, { maxLength: 120, size: "max" });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), steps, (capacity, steps) => {
        const programs = [new Program(inThread(capacity)), new Program(remote(capacity, 0))];
        for (const program of programs) {
          for (const [kind, who] of steps) program.step(kind, who);
          program.end();
        }
        assertEquals(programs[1].told, programs[0].told);
      }),
      { numRuns: tiered({ quick: 200, full: 3_000, soak: 60_000 }) },
    );
  });
});
