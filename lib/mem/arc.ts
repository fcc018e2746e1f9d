import { Fd } from "../io/fd.ts";
import { registerCrossing } from "./crossing.ts";
import { type MapHandle, MapRecord, resolve } from "./handle.ts";
import { type MapAccess, Mmap, type View } from "./mmap.ts";
import { HandleError } from "./map_errors.ts";
import { type Count, Part } from "./part.ts";
import { SharedCount } from "./shared_count.ts";
import type { StableBytes } from "./stable_bytes.ts";

/** Names an `Arc` to other threads of this process. It may be posted, and holds nothing by itself. */
export interface ArcHandle {
  readonly kind: "oxbow-arc";
  readonly map: MapHandle;
  readonly count: SharedArrayBuffer;
}

/** How a thread maps what it adopts. */
export interface ArcOptions {
  /** `r` where nothing is said; `r+` where the map that was shared writes to its file. */
  mode?: "r" | "r+";
}

/** An owner in a message, which whoever has this is to take or give up. */
interface ArcInFlight {
  readonly map: MapHandle;
  readonly count: SharedArrayBuffer;
  readonly mode: "r" | "r+";
}

function isArcInFlight(data: unknown): data is ArcInFlight {
  return typeof data === "object" && data !== null && "map" in data && "count" in data && "mode" in data &&
    SharedCount.isMemory(data.count) && (data.mode === "r" || data.mode === "r+");
}

/** Nobody else has it: `private` holds for TypeScript alone. */
const KEY = Symbol("Arc");

/** What one `share` or `adopt` made, for the handles in this thread. */
class Owners<A extends MapAccess> implements Count {
  readonly map: Mmap<A>;
  readonly handle: MapHandle;
  readonly count: SharedCount;
  /** Of the count, what this mapping is for. */
  #here = 1;

  constructor(map: Mmap<A>, handle: MapHandle, count: SharedCount) {
    this.map = map;
    this.handle = handle;
    this.count = count;
    // Once for all owners: whoever is given the map can neither move it nor end it under them.
    map.retain();
  }

  get total(): number {
    return this.count.total;
  }

  add(): void {
    this.count.add();
    this.#here++;
  }

  subtract(handles: number, holds: number): void {
    this.#here -= handles + holds;
    const isLast = this.count.subtract(handles + holds);
    using rest = new DisposableStack();
    if (isLast) rest.defer(() => close(this.handle, this.count.descriptor));
    if (this.#here > 0) return;
    rest.use(this.map);
    this.map.release();
  }
}

/** Closes what the handle names, for which there must be no owner left, so that nobody else does. */
function close(handle: MapHandle, descriptor: number): void {
  const { fd, device, inode } = resolve(handle);
  fd.close();
  const file = Fd.unsafeOwn(descriptor);
  const status = file.status();
  if (status.device !== device || status.inode !== inode) {
    throw new HandleError("cannot close what an Arc shares: its count was written over");
  }
  file.close();
  Fd.unsafeOwn(handle.descriptor).close();
}

const NO_HANDLE = "cannot adopt an Arc: what was given is no handle; handle() of an Arc makes them";

function requireObject(value: unknown): void {
  if (typeof value !== "object" || value === null) throw new HandleError(NO_HANDLE);
}

/**
 * What the handle says, read once: what is closed by it in the end is what was adopted by it, whatever becomes of
 * the object.
 */
function copyOf(handle: ArcHandle): ArcHandle {
  requireObject(handle);
  const { kind, map, count } = handle;
  if (kind !== "oxbow-arc") throw new HandleError(NO_HANDLE);
  requireObject(map);
  const { kind: kindOfMap, process, descriptor, nonce } = map;
  return { kind, map: Object.freeze({ kind: kindOfMap, process, descriptor, nonce }), count };
}

function modeOf(options: ArcOptions): "r" | "r+" {
  if (typeof options !== "object" || options === null) {
    throw new TypeError("cannot adopt an Arc: options are no object");
  }
  const { mode = "r" } = options;
  if (mode === "r" || mode === "r+") return mode;
  throw new TypeError(`cannot adopt an Arc: mode is ${String(mode)}, and neither r nor r+`);
}

/**
 * A map with several owners in any threads of the process, counted: the last of them to be disposed, wherever it is,
 * ends what is shared. Rust's `Arc`, over memory.
 *
 * `share` makes the first, `handle` names it, another thread's `adopt` makes one more from that, and `clone` one in the
 * same thread. Each thread has a mapping of its own over the same pages; the count lies in shared memory. A handle
 * holds nothing: whoever posts it keeps an `Arc` until the other has adopted it.
 *
 * A worker that ends with an `Arc` undisposed can give nothing back. Its part of the count stays, and the memory,
 * until the process ends; `leaked` tells how many there are. Deno's `terminate` does not stop a worker in a loop
 * that awaits nothing: it runs on, and what it holds has not leaked.
 *
 * @example
 * ```ts
 * import { Arc, Yoke } from "@oxbow/oxbow/yoke";
 * import { Mmap } from "@oxbow/oxbow/mmap";
 *
 * using map = Mmap.anonymous(8);
 * map.bytes()[0] = 7;
 * using arc = Arc.share(map);
 * // In a worker, which was posted arc.handle():
 * using adopted = Arc.adopt(arc.handle());
 * using yoke = Yoke.attach(adopted, (arc) => arc.bytes());
 * console.log(yoke.value[0], arc.count); // 7 3
 * ```
 */
export class Arc<A extends MapAccess = "read"> implements Disposable, StableBytes {
  readonly #owners: Owners<A>;
  readonly #part: Part;

  static {
    registerCrossing<Arc<MapAccess>, ArcInFlight>({
      name: "Arc",
      type: Arc,
      give(arc) {
        arc.#part.requireOpen("send");
        const { handle, count, map } = arc.#owners;
        count.depart();
        return { map: handle, count: count.memory, mode: map.isShared ? "r+" : "r" };
      },
      isData: isArcInFlight,
      take(data) {
        const { map, count: memory } = copyOf({ kind: "oxbow-arc", ...data });
        const count = SharedCount.arrive(memory);
        try {
          return Arc.#over(map, count, data.mode);
        } catch (error) {
          if (count.subtract(1)) close(map, count.descriptor);
          throw error;
        }
      },
      drop({ map, count }) {
        const descriptor = SharedCount.abandon(count);
        if (descriptor !== undefined) close(map, descriptor);
      },
    });
  }

  private constructor(key: symbol, owners: Owners<A>) {
    if (key !== KEY) throw new TypeError("cannot make an Arc: call Arc.share or Arc.adopt");
    this.#owners = owners;
    this.#part = new Part("an Arc", owners);
    this.#part.watch(this);
  }

  /**
   * The first owner of what `map` maps, by a mapping and a descriptor of its own: the map may be disposed.
   *
   * @throws {TypeError} in mode `c`, whose pages nobody else can map, and for what is no map.
   */
  static share(map: Mmap<"write">): Arc<"write">;
  static share(map: Mmap): Arc;
  static share(map: Mmap<MapAccess>): Arc<MapAccess> {
    if (!(map instanceof Mmap)) throw new TypeError("cannot share an Arc: map is no Mmap");
    const source = resolve(map.share());
    using failed = new DisposableStack();
    failed.use(source.fd);
    const count = SharedCount.create(source.fd.number);
    const record = failed.use(new MapRecord(source));
    const arc = Arc.#over(record.handle, count, map.isShared ? "r+" : "r");
    // From here nobody but the last owner closes them, so that this thread may end before.
    failed.move();
    return arc;
  }

  /**
   * One more owner of what another thread shares, by a mapping of its own. Costs a few system calls.
   *
   * @throws {HandleError} where the handle is none or forged, of another process, or its last owner has gone.
   * @throws {RangeError} where 128 other threads have it already.
   * @throws {SystemError} `EACCES` for the mode `r+` where the map that was shared is only read.
   * @throws {TypeError} for a mode that is none of these.
   */
  static adopt(handle: ArcHandle, options: ArcOptions & { mode: "r+" }): Arc<"write">;
  static adopt(handle: ArcHandle, options?: ArcOptions): Arc;
  static adopt(handle: ArcHandle, options: ArcOptions = {}): Arc<MapAccess> {
    const mode = modeOf(options);
    const { map, count: memory } = copyOf(handle);
    const count = SharedCount.join(memory);
    try {
      return Arc.#over(map, count, mode);
    } catch (error) {
      if (count.subtract(1)) close(map, count.descriptor);
      throw error;
    }
  }

  /** Of a count that this owner was added to. */
  static #over(handle: MapHandle, count: SharedCount, mode: "r" | "r+"): Arc<MapAccess> {
    const map = mode === "r+" ? Mmap.adopt(handle, { mode }) : Mmap.adopt(handle, { mode });
    return new Arc<MapAccess>(KEY, new Owners<MapAccess>(map, handle, count));
  }

  /** For other threads, which adopt it while there is an owner. Throws on a disposed one. */
  handle(): ArcHandle {
    this.#part.requireOpen("share");
    const { handle, count } = this.#owners;
    return { kind: "oxbow-arc", map: handle, count: count.memory };
  }

  /** Another owner in this thread, on the same mapping. Throws on a disposed one. */
  clone(): Arc<A> {
    this.#part.requireOpen("clone");
    this.#owners.add();
    return new Arc(KEY, this.#owners);
  }

  /**
   * This thread's mapping, which its owners retain: it stays where it is until the last has gone. Throws on a
   * disposed one.
   */
  get map(): Mmap<A> {
    this.#part.requireOpen("read");
    return this.#owners.map;
  }

  /** In bytes. */
  get byteLength(): number {
    return this.#owners.map.byteLength;
  }

  /** The bytes, or `length` of them from `offset`. Throws as those of the map do, and once it has gone. */
  bytes(offset?: number, length?: number): View<Uint8Array<ArrayBuffer>, A> {
    this.#part.requireHeld("read");
    return this.#owners.map.bytes(offset, length);
  }

  /** How many owners there are in all threads, with holds by `retain`, and those that leaked. */
  get count(): number {
    return this.#owners.total;
  }

  /** How many owners leaked with threads that ended. Costs a look at each thread that has one. */
  leaked(): number {
    return this.#owners.count.leaked();
  }

  /** Whether it was disposed: other owners may not be. */
  get isDisposed(): boolean {
    return this.#part.isDisposed;
  }

  /** Counts one owner more, through this one, which may be disposed then: what a yoke does. */
  retain(): void {
    this.#part.retain();
  }

  /** Ends one `retain`. */
  release(): void {
    this.#part.release(this);
  }

  /** Gives up this owner's part of the count; the thread's last ends its mapping, the last of all what is shared. */
  [Symbol.dispose](): void {
    this.#part.dispose(this);
  }
}
