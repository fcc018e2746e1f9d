import { EventFd } from "../../io/event_fd.ts";
import { Fd } from "../../io/fd.ts";
import type { Reactor } from "../reactor/reactor.ts";
import type { ScheduledIo } from "../reactor/scheduled_io.ts";
import { addDriver, drivesSources, removeDriver, type Source, type SourceDriver, sources } from "./source.ts";

const NONE: readonly Source[] = [];

/** A runtime's side of its thread's sources: their turns, and its sleep where there are some. */
export class Feed implements SourceDriver, Disposable {
  readonly #reactor: Reactor;
  readonly livesInHost: boolean;
  readonly #onChange: () => void;
  readonly #watched: Map<Source, ScheduledIo> = new Map();
  /** How many of `sources` have lain down, from the first. */
  #down = 0;
  #mayHaveRung = false;

  constructor(reactor: Reactor, livesInHost: boolean, onChange: () => void) {
    this.#reactor = reactor;
    this.livesInHost = livesInHost;
    this.#onChange = onChange;
    addDriver(this);
  }

  /** Those that it drives. */
  get #sources(): readonly Source[] {
    return drivesSources(this) ? sources : NONE;
  }

  changed(): void {
    this.getUp();
    this.#onChange();
  }

  /** Whether somebody waits for what comes from a source. */
  get isAwaited(): boolean {
    const sources = this.#sources;
    for (let i = 0; i < sources.length; i++) if (sources[i].isAwaited) return true;
    return false;
  }

  /** Whether the thread has nothing else to do than to wait for its source, as far as that knows. */
  get hasThread(): boolean {
    const sources = this.#sources;
    return sources.length === 1 && sources[0].hasThread && !this.hasOthers;
  }

  /** Whether descriptors are watched that are no source's. */
  get hasOthers(): boolean {
    return this.#reactor.registrations > this.#watched.size;
  }

  /** Whether the reactor is to be asked though nobody waits: for its descriptors, or for a source's that may have rung. */
  takeNeedsLook(): boolean {
    const needsLook = this.#mayHaveRung || this.hasOthers;
    this.#mayHaveRung = false;
    return needsLook;
  }

  /** How many promises of async functions sources wait for. */
  get promises(): number {
    const sources = this.#sources;
    let sum = 0;
    for (let i = 0; i < sources.length; i++) sum += sources[i].promises;
    return sum;
  }

  /** Gives each its turn. Returns how much they did. */
  poll(): number {
    const sources = this.#sources;
    let count = 0;
    // One may close another.
    for (let i = 0; i < sources.length; i++) count += sources[i].poll();
    return count;
  }

  /** Looks for a moment whether something comes. */
  spin(): boolean {
    const sources = this.#sources;
    for (let i = 0; i < sources.length; i++) if (sources[i].spin()) return true;
    return false;
  }

  /** The thread's sleep: of the reactor, which a source can end. Returns how many edges. */
  park(timeoutMs: number): number {
    if (this.spin()) return 0;
    const sources = this.#sources;
    if (sources.length === 1 && !this.hasOthers) {
      sources[0].sleep(timeoutMs);
      return 0;
    }
    if (!this.lieDown()) return this.#reactor.turn(0);
    const edges = this.#reactor.turn(timeoutMs);
    this.getUp();
    return edges;
  }

  /** Before a sleep that a descriptor is to end: `false` where there is something already. */
  lieDown(): boolean {
    for (const source of this.#sources) {
      if (!this.#watched.has(source)) this.#watch(source);
      if (!source.lieDown()) {
        this.getUp();
        return false;
      }
      this.#down++;
    }
    return true;
  }

  /** After a sleep. */
  getUp(): void {
    const down = Math.min(this.#down, sources.length);
    this.#down = 0;
    this.#mayHaveRung ||= down > 0;
    for (let i = 0; i < down; i++) sources[i].getUp();
  }

  #watch(source: Source): void {
    // The source's own: it is never closed here.
    const event = new EventFd(Fd.unsafeOwn(source.event));
    const io = this.#reactor.register(event.fd);
    this.#watched.set(source, io);
    const listen = (): void => {
      if (io.isDeaf) return;
      event.read();
      io.clearReadable();
      io.waitReadable({ wake: listen });
    };
    listen();
  }

  forget(source: Source): void {
    const io = this.#watched.get(source);
    if (io === undefined) return;
    this.#watched.delete(source);
    this.#reactor.deregister(io);
  }

  [Symbol.dispose](): void {
    this.getUp();
    removeDriver(this);
    for (const io of this.#watched.values()) this.#reactor.deregister(io);
    this.#watched.clear();
  }
}
