import { EventFd } from "../../../io/event_fd.ts";
import { isAlive } from "../../../mem/thread.ts";
import { sleep } from "../../../task/mod.ts";
import { type Board, LISTENING, STARTING } from "./board.ts";
import type { Burials } from "./burials.ts";
import type { Order } from "./order.ts";

/** What all seats of a generation are told alike. */
export type CommonOrder = Omit<Order, "seat" | "sitter" | "bell" | "listener">;

/** What seats share. */
export interface Table {
  readonly board: Board;
  readonly burials: Burials;
  /** A number for somebody who sits down. */
  nextSitter(): number;
  /** Whoever sat there sits there no more, and the seat's numbers are to be taken down. */
  ended(seat: number): void;
  /** A server has crashed, and is replaced. */
  crashed(error: unknown): void;
}

/** Runs a server in a thread. */
export type Start = (order: Order) => PromiseLike<void> & { cancel(): void };

const LOOK_MS = 5;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

/** The opener's view of a server: keeps somebody sitting there, until it is told to end. */
export class Seat {
  readonly index: number;
  /** Settled once it listens for the first time; rejected where it never does. */
  readonly listening: Promise<void>;
  /** Settled once nobody sits there any more. */
  readonly ended: Promise<void>;
  readonly #table: Table;
  readonly #bell: EventFd = new EventFd();
  readonly #listens: () => void;
  readonly #fails: (error: unknown) => void;
  /** Whether there is a server now. */
  isSeated = false;
  #hasListened = false;
  #isEnding = false;
  /** What runs the server. */
  #job: { cancel(): void } | null = null;
  #pausing: { abort(): void } | null = null;

  constructor(table: Table, index: number, listener: number | null, order: CommonOrder, start: Start) {
    this.#table = table;
    this.index = index;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.listening = promise;
    // Who starts it may have failed at another one.
    promise.catch(() => {});
    this.#listens = resolve;
    this.#fails = reject;
    this.ended = this.#keep(
      { ...order, seat: index, bell: this.#bell.fd.number, listener, sitter: 0 },
      start,
    );
  }

  /** The opener's, when it was rung for: whoever sits there may have come to listen. */
  look(): void {
    if (this.#table.board.state(this.index) !== LISTENING) return;
    this.#hasListened = true;
    this.#listens();
  }

  ring(): void {
    if (this.#bell.fd.isClosed) return;
    if (this.#table.board.ring(this.index)) this.#bell.write();
  }

  /** Has it take no connection any more, and end by the deadline. */
  end(command: number, deadline: number): Promise<void> {
    this.#isEnding = true;
    if (!this.isSeated) {
      this.#pausing?.abort();
      return this.ended;
    }
    this.#table.board.order(this.index, command, Math.min(deadline, 0x7fff_ffff));
    this.ring();
    // Its module may be imported for ever, and there is nobody to be answered yet.
    if (this.#table.board.state(this.index) === STARTING) this.#job?.cancel();
    return this.ended;
  }

  async #keep(order: Order, start: Start): Promise<void> {
    const { board, burials } = this.#table;
    try {
      for (let failures = 0; !this.#isEnding;) {
        const sitter = this.#table.nextSitter();
        board.seat(this.index, sitter);
        this.isSeated = true;
        const error = await this.#sit({ ...order, sitter }, start);
        this.look();
        const listened = board.state(this.index) !== STARTING;
        const thread = board.thread(this.index);
        board.enter(this.index, STARTING);
        this.isSeated = false;
        burials.bury(sitter, thread);
        this.#table.ended(this.index);
        if (this.#isEnding) return;
        if (!this.#hasListened) return this.#fails(error);
        failures = listened ? 0 : failures + 1;
        this.#table.crashed(error);
        if (failures > 0) await this.#pause(Math.min(FIRST_PAUSE_MS * 2 ** failures, LONGEST_PAUSE_MS));
      }
    } finally {
      this.#fails(new Error("the server was ended before it listened"));
      this.#bell.close();
    }
  }

  /** Why it has ended. */
  async #sit(order: Order, start: Start): Promise<unknown> {
    try {
      const job = start(order);
      this.#job = job;
      await job;
    } catch (error) {
      await this.#gone();
      return error;
    }
    return new Error(`the server of seat ${order.seat} has ended, and nobody had asked for it`);
  }

  /** Where this thread's runtime has ended, what it waited for fails, and the server is still there to be told. */
  async #gone(): Promise<void> {
    const { board } = this.#table;
    for (;;) {
      const thread = board.thread(this.index);
      if (thread === undefined || board.hasLeft(this.index) || !isAlive(thread)) return;
      await sleep(LOOK_MS);
    }
  }

  async #pause(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#pausing = { abort: resolve };
    await Promise.race([sleep(ms), promise]);
    this.#pausing = null;
  }
}
