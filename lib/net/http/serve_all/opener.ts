import { EventFd } from "../../../io/event_fd.ts";
import type { Socket } from "../../../io/socket.ts";
import { type JoinHandle, spawn } from "../../../task/mod.ts";
import type { NetAddress } from "../../mod.ts";
import { Acceptor } from "./acceptor.ts";
import { deadlineOf, moduleUrl } from "./arguments.ts";
import { attend } from "./attend.ts";
import { Board, DRAIN, ENDING, STOP } from "./board.ts";
import { Burials } from "./burials.ts";
import type { Crew } from "./crew.ts";
import { Generation } from "./generation.ts";
import { openListeners } from "./listeners.ts";
import { type HttpServersMetrics, metricsOf, NOTHING, type ServerMetrics, sum } from "./metrics.ts";
import type { CommonOrder, Seat, Table } from "./seat.ts";

/** Servers that run on threads of their own, on the same address. */
export interface HttpServers extends AsyncDisposable {
  readonly address: NetAddress;
  /** Settled once all servers have stopped, and their threads. */
  readonly finished: Promise<void>;
  /** What the servers have done, all together and each. */
  metrics(): HttpServersMetrics;
  /**
   * Replaces the servers by new ones with the module as it is now, or with another: once those listen, the old ones take
   * no connection any more, and their connections end with their next answers, or are cut after `deadline`
   * milliseconds, 10,000 where nothing is said. Settled once the old ones have ended. Rejected, and the old ones go on,
   * where the new ones do not come to listen.
   */
  reload(module?: URL | string, options?: { deadline?: number }): Promise<void>;
  /**
   * Stops listening, closes the connections that are idle, lets the others finish the response that they are at, and
   * cuts them after `deadline` milliseconds, 10,000 where nothing is said. Servers that still import their module are
   * ended at once. Settled once all have ended. Rejected for a `deadline` that is none.
   */
  shutdown(options?: { deadline?: number }): Promise<void>;
}

/** How servers are opened: everything is checked. */
export interface Opening {
  readonly distribute: "reusePort" | "pass";
  readonly threads: number;
  readonly hostname: string;
  readonly port: number;
  readonly order: Pick<CommonOrder, "export" | "isLean" | "options" | "wrapGlobals">;
  readonly onCrash: (error: unknown) => void;
  /** Threads for one generation of servers. */
  readonly newCrew: () => Crew;
  /** The specifier by which a module is imported in the given generation. */
  readonly specifier: (module: string, generation: number) => string;
}

/** The thread's that has opened them. */
export class Opener implements HttpServers, Table {
  readonly address: NetAddress;
  readonly finished: Promise<void>;
  readonly board: Board;
  readonly burials: Burials;
  readonly #opening: Opening;
  readonly #listeners: readonly Socket[];
  readonly #acceptor: Acceptor | null;
  readonly #bell: EventFd = new EventFd();
  readonly #attending: JoinHandle<void>;
  readonly #finish: () => void;
  /** Those that serve, and those that are on their way in or out. */
  #generations: Generation[] = [];
  #count = 0;
  #module: string;
  #sitters = 0;
  #past: ServerMetrics = NOTHING;
  #crashes = 0;
  #isEnding = false;
  #reloading: Promise<void> = Promise.resolve();

  /** Listens. Throws a `SystemError` where it cannot. */
  constructor(module: string, opening: Opening) {
    const { distribute, threads, hostname, port } = opening;
    this.#opening = opening;
    this.#module = module;
    const passes = distribute === "pass";
    this.#listeners = openListeners({ hostname, port }, passes ? 1 : threads);
    this.address = this.#listeners[0].localAddress;
    // Two generations, of which one takes the other's place.
    this.board = Board.create(2 * threads);
    this.#acceptor = passes ? new Acceptor(this.board, this.#listeners[0]) : null;
    this.burials = new Burials(this.board, (numbers) => this.#acceptor?.inherit(numbers));
    const { promise, resolve } = Promise.withResolvers<void>();
    this.finished = promise;
    this.#finish = resolve;
    this.#attending = spawn(attend, this.#bell, () => this.#look(), () => this.#abandon());
  }

  nextSitter(): number {
    return ++this.#sitters;
  }

  /** Starts the first servers. Rejected where one does not come to listen: whoever asked ends the others. */
  async start(): Promise<void> {
    const generation = this.#newGeneration(this.#module);
    await generation.listening();
    this.#acceptor?.direct(generation.seats);
  }

  #newGeneration(module: string): Generation {
    const { threads, order, newCrew, specifier } = this.#opening;
    const count = this.#count++;
    const generation = new Generation(
      this,
      // The other half of the seats than those that serve.
      this.#generations.at(-1)?.first === 0 ? threads : 0,
      this.#acceptor === null ? this.#listeners : [],
      {
        ...order,
        module: specifier(module, count),
        address: this.address,
        board: this.board.handle,
        seats: 2 * threads,
        openersBell: this.#bell.fd.number,
      },
      newCrew(),
    );
    this.#generations.push(generation);
    return generation;
  }

  #seats(): Seat[] {
    return this.#generations.flatMap(({ seats }) => seats);
  }

  /** Somebody has come to listen, or listens no more. */
  #look(): void {
    for (const seat of this.#seats()) seat.look();
    this.#acceptor?.retry();
    this.#stopListening();
  }

  ended(seat: number): void {
    const metrics = metricsOf(this.board.tally(seat), 0);
    this.#past = sum(this.#past, metrics);
    this.#stopListening();
  }

  crashed(error: unknown): void {
    this.#crashes++;
    this.#opening.onCrash(error);
  }

  /** The sockets are closed once no server watches them any more, which would then watch another's number. */
  #stopListening(): void {
    if (!this.#isEnding || this.#seats().some((seat) => seat.isSeated && !this.#isLeaving(seat))) return;
    for (const generation of this.#generations) generation.stopListening();
    for (const { fd } of this.#listeners) fd.close();
  }

  #isLeaving({ index }: Seat): boolean {
    return this.board.state(index) === ENDING;
  }

  metrics(): HttpServersMetrics {
    const seats = this.#generations.flatMap(({ seats }) => seats).filter(({ isSeated }) => isSeated);
    const workers = seats.map(({ index }) => metricsOf(this.board.tally(index), this.board.open(index)));
    return { ...workers.reduce(sum, this.#past), crashes: this.#crashes, workers };
  }

  async reload(module?: URL | string, options: { deadline?: number } = {}): Promise<void> {
    const what = "cannot reload";
    const deadline = deadlineOf(what, options);
    const url = module === undefined ? undefined : moduleUrl(what, module);
    const reloaded = this.#reloading.then(() => this.#reload(url ?? this.#module, deadline));
    this.#reloading = reloaded.catch(() => {});
    await reloaded;
  }

  async #reload(module: string, deadline: number): Promise<void> {
    if (this.#isEnding) throw new Error("cannot reload: the servers shut down");
    const before = [...this.#generations];
    const fresh = this.#newGeneration(module);
    try {
      await fresh.listening();
    } catch (error) {
      await this.#end(fresh, STOP, 0);
      throw error;
    }
    this.#module = module;
    this.#acceptor?.direct(fresh.seats);
    await Promise.all(before.map((generation) => this.#end(generation, DRAIN, deadline)));
  }

  async #end(generation: Generation, command: number, deadline: number): Promise<void> {
    await generation.end(command, deadline);
    this.#generations = this.#generations.filter((one) => one !== generation);
  }

  async shutdown(options: { deadline?: number } = {}): Promise<void> {
    const deadline = deadlineOf("cannot shut down", options);
    const ending = Promise.all(this.#generations.map((generation) => this.#end(generation, STOP, deadline)));
    if (!this.#isEnding) {
      this.#isEnding = true;
      this.#acceptor?.close();
      this.#close(ending);
    }
    await this.finished;
  }

  async #close(ending: Promise<unknown>): Promise<void> {
    this.#stopListening();
    await ending;
    await this.#reloading;
    await this.burials.settled();
    this.#attending.abort();
    this.#stopListening();
    this.#bell.close();
    this.board[Symbol.dispose]();
    this.#finish();
  }

  /** The runtime has ended before the servers: nobody sees to them any more. */
  #abandon(): void {
    if (!this.#isEnding) this.shutdown({ deadline: 0 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }
}
