import { job, type JobHandle, Pool } from "../../../task/pool.ts";
import type { Order } from "./order.ts";

const serveSeat = job<typeof import("./seat_server.ts"), "serveSeat">(
  new URL("./seat_server.ts", import.meta.url),
  "serveSeat",
);

/** The threads of a generation of servers, each of which one has for itself. */
export class Crew {
  readonly threads: number;
  readonly #pool: Pool;
  readonly #isOwn: boolean;

  /** Of a pool, or of one of its own. */
  constructor(threads: number, pool?: Pool) {
    this.threads = threads;
    this.#isOwn = pool === undefined;
    this.#pool = pool ?? Pool.open({ threads });
  }

  /** Runs a server on a thread, counted from 0, until it ends. Fails where the thread dies. */
  run(thread: number, order: Order): JobHandle<void> {
    return this.#pool.runWith({ lane: thread + 1 }, serveSeat, order);
  }

  /** Ends the threads, where they are its own, with whatever runs there. */
  async close(): Promise<void> {
    if (this.#isOwn) await this.#pool.close({ deadline: 0 });
  }
}
