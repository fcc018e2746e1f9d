import { Fd } from "../../../io/fd.ts";
import type { Socket } from "../../../io/socket.ts";
import { type JoinHandle, spawn } from "../../../task/mod.ts";
import { accepting, type Taker } from "./accepting.ts";
import { type Board, LISTENING } from "./board.ts";
import type { Seat } from "./seat.ts";

/** Accepts for all seats, and passes each connection to the one that has the fewest. */
export class Acceptor implements Taker {
  readonly #board: Board;
  readonly #task: JoinHandle<void>;
  #seats: readonly Seat[] = [];
  /** Whom something was passed to since they were last rung for. */
  readonly #passedTo: Set<Seat> = new Set();
  /** Connections that nobody listens for: all seats are being taken anew. */
  #left: number[] = [];
  #isClosed = false;

  constructor(board: Board, listener: Socket) {
    this.#board = board;
    this.#task = spawn(accepting, listener.fd, this);
  }

  /** Passes to these from now on. */
  direct(seats: readonly Seat[]): void {
    this.#seats = seats;
    this.retry();
  }

  /** One of them may listen that did not. */
  retry(): void {
    const left = this.#left;
    this.#left = [];
    for (const number of left) this.take(number);
    this.settle();
  }

  /** Connections that whoever they were passed to has not taken. */
  inherit(numbers: readonly number[]): void {
    this.#left.push(...numbers);
    this.retry();
  }

  take(number: number): void {
    const seat = this.#idlest();
    if (this.#isClosed) Fd.unsafeOwn(number).close();
    else if (seat === undefined) this.#left.push(number);
    else if (this.#board.pass(number, seat.index)) this.#passedTo.add(seat);
    else Fd.unsafeOwn(number).close();
  }

  #idlest(): Seat | undefined {
    let idlest: Seat | undefined;
    let fewest = Infinity;
    for (const seat of this.#seats) {
      if (this.#board.state(seat.index) !== LISTENING) continue;
      const open = this.#board.open(seat.index);
      if (open >= fewest) continue;
      fewest = open;
      idlest = seat;
    }
    return idlest;
  }

  settle(): void {
    for (const seat of this.#passedTo) seat.ring();
    this.#passedTo.clear();
  }

  /** Accepts no more. What nobody has taken is closed. */
  close(): void {
    this.#task.abort();
    this.settle();
    this.#seats = [];
    this.#isClosed = true;
    this.retry();
  }
}
