import { askBeforeClose, Fd } from "../../../io/fd.ts";
import { EventFd } from "../../../io/event_fd.ts";
import { socketOf } from "../../../io/socket.ts";
import { currentThread } from "../../../mem/thread.ts";
import { type Coroutine, fromPromise, spawn } from "../../../task/mod.ts";
import { Notify } from "../../../task/sync/notify.ts";
import { type NetAddress, TcpStream } from "../../mod.ts";
import { adoptGlobals } from "../adopt.ts";
import type { Fed, Feed } from "../feed.ts";
import { LeanServer } from "../lean.ts";
import type { Server } from "../server.ts";
import { WebServer } from "../web_server.ts";
import { accepting } from "./accepting.ts";
import { attend } from "./attend.ts";
import { Board, DRAIN, ENDING, LISTENING, STOP } from "./board.ts";
import { type Loaded, loadHandler } from "./load_handler.ts";
import type { Order } from "./order.ts";

/** The connections of a seat: those that are passed to it, and those that it accepts. */
class SeatFeed implements Feed {
  readonly address: NetAddress;
  readonly run?: (server: Fed) => Coroutine<void>;
  readonly #board: Board;
  readonly #order: Order;
  readonly #onClose: () => void;
  readonly #mayClose: (number: number) => boolean;

  constructor(board: Board, order: Order, onClose: () => void) {
    const { listener, seat, sitter } = order;
    this.address = order.address;
    this.#board = board;
    this.#order = order;
    this.#onClose = onClose;
    this.#mayClose = (number) => board.letGo(number, seat, sitter);
    if (listener !== null) {
      // It is the opener's, and is never closed here.
      const fd = Fd.unsafeOwn(listener);
      this.run = (server) =>
        accepting(fd, {
          take: (number) => {
            if (board.hold(number, seat, sitter)) server.accept(this.#connection(number));
            else Fd.unsafeOwn(number).close();
          },
          settle() {},
        });
    }
  }

  /** Takes what was passed. */
  take(server: Fed): void {
    const { seat, sitter } = this.#order;
    for (const number of this.#board.take(seat, sitter)) server.accept(this.#connection(number));
  }

  #connection(number: number): TcpStream {
    const fd = Fd.unsafeOwn(number);
    askBeforeClose(fd, this.#mayClose);
    try {
      return new TcpStream(socketOf(fd));
    } catch (error) {
      fd.close();
      throw error;
    }
  }

  close(): void {
    this.#onClose();
  }
}

function open({ handler, onError }: Loaded, order: Order, feed: Feed, board: Board): Server {
  const tally = board.tally(order.seat);
  return order.isLean
    ? new LeanServer(handler, { ...order.options, onError }, feed, tally)
    : new WebServer(handler, { ...order.options, onError }, feed, tally);
}

/**
 * A job of a pool: serves on this thread until it is told to end, and its last connection has closed. Where the job is
 * aborted, all are cut.
 */
export function* serveSeat(order: Order): Coroutine<void> {
  using board = Board.adopt(order.board, order.seats);
  board.sit(order.seat, currentThread());
  try {
    yield* serveOn(board, order, yield* fromPromise(loadHandler(order)));
  } finally {
    board.leave(order.seat);
  }
}

function* serveOn(board: Board, order: Order, loaded: Loaded): Coroutine<void> {
  const { seat } = order;
  // Both are the opener's, and are never closed here.
  const [bell, openersBell] = [order.bell, order.openersBell].map((number) =>
    new EventFd(Fd.unsafeOwn(number))
  );
  const enter = (state: number): void => {
    board.enter(seat, state);
    openersBell.write();
  };
  const feed = new SeatFeed(board, order, () => enter(ENDING));
  const server = open(loaded, order, feed, board);
  if (order.wrapGlobals && !order.isLean) server.finished.then(adoptGlobals());
  const over = new Notify();
  server.onFinished = () => over.notifyOne();
  const attending = spawn(attend, bell, () => {
    board.heard(seat);
    feed.take(server);
    const { command, deadline } = board.command(seat);
    if (command === DRAIN) server.drain({ deadline });
    else if (command === STOP) server.shutdown({ deadline });
  });
  try {
    enter(LISTENING);
    yield* over.notified();
  } finally {
    attending.abort();
    server.shutdown({ deadline: 0 });
    server.cutRest();
  }
}
