import type { Fd } from "../../../io/fd.ts";
import type { Socket } from "../../../io/socket.ts";
import { fromPromise, race, sleep } from "../../../task/mod.ts";
import type { Crew } from "./crew.ts";
import { type CommonOrder, Seat, type Table } from "./seat.ts";

/** How much longer than they were given servers may take to end, before their threads are ended. */
const GRACE_MS = 2_000;
/** Longer than anybody waits. */
const LONGEST_MS = 0x7fff_ffff - GRACE_MS;

/** The servers that serve the same handler, one on each thread of a crew. */
export class Generation {
  /** The seat of the first of its servers; the others follow. */
  readonly first: number;
  readonly seats: readonly Seat[];
  readonly #crew: Crew;
  /** Duplicates: a thread that serves two generations at once cannot watch one descriptor twice. */
  readonly #listeners: readonly Fd[];

  /** Each listener is one server's, or there is none of theirs. */
  constructor(table: Table, first: number, listeners: readonly Socket[], order: CommonOrder, crew: Crew) {
    this.first = first;
    this.#crew = crew;
    this.#listeners = listeners.map(({ fd }) => fd.dup());
    this.seats = Array.from({ length: crew.threads }, (_, i) => {
      const listener = this.#listeners.at(i)?.number ?? null;
      return new Seat(table, first + i, listener, order, (order) => crew.run(i, order));
    });
  }

  /** Settled once all listen. Rejected with why one does not, once none is left. */
  async listening(): Promise<void> {
    await Promise.all(this.seats.map(({ listening }) => listening));
  }

  /** Once nobody watches them any more. */
  stopListening(): void {
    for (const fd of this.#listeners) fd.close();
  }

  /** Has all end, by DRAIN or STOP, then their threads; those too that hear nothing, as who loops in its import. */
  async end(command: number, deadline: number): Promise<void> {
    const ended = Promise.all(this.seats.map((seat) => seat.end(command, deadline)));
    await race<unknown>([fromPromise(ended), sleep(Math.min(deadline, LONGEST_MS) + GRACE_MS)]);
    await this.#crew.close();
    await ended;
    this.stopListening();
  }
}
