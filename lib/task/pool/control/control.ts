import { offset } from "../../../../ffi/pointer.ts";
import { PlainMap, type PlainMapHandle } from "../../../mem/plain_map.ts";
import { NativeBed } from "./bed.ts";
import { Counters } from "./counters.ts";
import { Deque } from "./deque.ts";
import { Inbox } from "./inbox.ts";
import {
  ARENA_HIGH_WORD,
  ARENA_LOW_WORD,
  byteSize,
  END_NEXT,
  ENDS,
  INBOX,
  LANES_WORD,
  Layout,
  LINKED,
  MAGIC,
  MAGIC_WORD,
  NEXT,
  type Shape,
  SLOTS_WORD,
  VERSION,
  VERSION_WORD,
} from "./layout.ts";
import { GONE, Parking } from "./parking.ts";
import { Queues } from "./queues.ts";
import { Recovery } from "./recovery.ts";
import { runnerOf, Slots } from "./slots.ts";

/** Nobody else has it: `private` holds for TypeScript alone. */
const KEY = Symbol("Control");

const LARGE = 2 ** 32;

/**
 * A thread's view of the memory that a pool's threads share: the jobs' slots, the queues between lanes, who sleeps. One
 * object belongs to one thread, as its lane. Nothing here waits but `parking`; and where the map is disposed every use
 * throws.
 *
 * @example
 * ```ts
 * import { Control } from "./control.ts";
 *
 * using control = Control.create({ lanes: 2, slots: 64, arena: 1 << 20 });
 * const { slots, queues, runner } = control;
 * const slot = slots.take();
 * slots.publish(slot);
 * queues.push(slot);
 * const found = queues.find();
 * if (slots.begin(found, runner, slots.state(found)) && slots.finish(found, runner, false)) queues.deliver(found);
 * console.log(queues.takeDelivered() === slot); // true
 * slots.free(slot);
 * ```
 */
export class Control implements Disposable {
  readonly lane: number;
  /** This thread, as who runs a job. */
  readonly runner: number;
  readonly shape: Shape;
  readonly layout: Layout;
  readonly map: PlainMap;
  readonly words: Int32Array<ArrayBuffer>;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly counters: Counters;
  readonly slots: Slots;
  readonly queues: Queues;
  readonly parking: Parking;
  readonly recovery: Recovery;

  private constructor(key: symbol, map: PlainMap, shape: Shape, lane: number) {
    if (key !== KEY) throw new TypeError("cannot make a Control: call Control.create or adopt");
    this.lane = lane;
    this.shape = shape;
    this.map = map;
    const layout = this.layout = new Layout(shape);
    const { bytes, pointer } = map;
    this.bytes = bytes;
    const words = this.words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
    this.runner = runnerOf(lane, Atomics.load(words, layout.incarnation + lane));
    const all = Array.from({ length: shape.lanes }, (_, lane) => lane);
    const deques = all.map((lane) => new Deque(words, layout, lane));
    const inboxes = all.map((lane) =>
      new Inbox(words, layout, lane, { head: INBOX, next: NEXT, mark: LINKED })
    );
    const ends = all.map((lane) => new Inbox(words, layout, lane, { head: ENDS, next: END_NEXT, mark: 0 }));
    const counters = this.counters = new Counters(words, layout, lane);
    const slots = this.slots = new Slots(words, layout, lane, counters, inboxes);
    const queues = this.queues = new Queues(words, layout, lane, { deques, inboxes, ends, slots, counters });
    const bed = new NativeBed(offset(pointer, 4 * layout.park), shape.lanes);
    const parking = this.parking = new Parking(words, layout, lane, { queues, counters, bed });
    const deque = deques[lane];
    const parts = { lane, deque, inboxes, ends, slots, queues, parking };
    this.recovery = new Recovery(words, layout, parts);
  }

  /**
   * A new map, as its lane 0. Throws a `RangeError` for a shape that is none, and a `SystemError` where memory is short.
   */
  static create(shape: Shape): Control {
    const { lanes, slots, arena } = shape;
    const map = PlainMap.create("oxbow-pool", byteSize(shape));
    try {
      const control = new Control(KEY, map, { lanes, slots, arena }, 0);
      const { words, layout } = control;
      for (let lane = 0; lane < lanes; lane++) words[layout.park + lane] = GONE;
      words[LANES_WORD] = lanes;
      words[SLOTS_WORD] = slots;
      words[ARENA_LOW_WORD] = arena % LARGE;
      words[ARENA_HIGH_WORD] = Math.floor(arena / LARGE);
      words[VERSION_WORD] = VERSION;
      Atomics.store(words, MAGIC_WORD, MAGIC);
      control.#arrive();
      return control;
    } catch (error) {
      map[Symbol.dispose]();
      throw error;
    }
  }

  /**
   * Another thread's map, as the lane that this thread is given. Costs some system calls and a look at each slot of the
   * lane. Throws a `RangeError` for a lane that there is not.
   */
  static adopt(handle: PlainMapHandle, lane: number): Control {
    const map = PlainMap.adopt(handle);
    try {
      const header = new Int32Array(map.bytes.buffer, 0, ARENA_HIGH_WORD + 1);
      if (Atomics.load(header, MAGIC_WORD) !== MAGIC || header[VERSION_WORD] !== VERSION) {
        throw new TypeError(
          "cannot adopt a pool's map: the handle is of another map, or of another version's",
        );
      }
      const arena = (header[ARENA_HIGH_WORD] >>> 0) * LARGE + (header[ARENA_LOW_WORD] >>> 0);
      const shape = { lanes: header[LANES_WORD], slots: header[SLOTS_WORD], arena };
      if (!(Number.isInteger(lane) && lane > 0 && lane < shape.lanes)) {
        throw new RangeError(
          `cannot adopt a pool's map: lane is ${lane}, not an integer from 1 to ${shape.lanes - 1}`,
        );
      }
      const control = new Control(KEY, map, shape, lane);
      control.#arrive();
      return control;
    } catch (error) {
      map[Symbol.dispose]();
      throw error;
    }
  }

  /** What an earlier thread of the lane has left comes first. */
  #arrive(): void {
    this.slots.open();
    this.recovery.open();
    this.parking.arrive();
  }

  /** For `adopt`, in whichever thread, until this is disposed. */
  get handle(): PlainMapHandle {
    return this.map.handle;
  }

  /** Where that lane's arena lies in `bytes`. */
  arena(lane: number): { byteOffset: number; byteLength: number } {
    return { byteOffset: this.layout.arenaOf(lane), byteLength: this.shape.arena };
  }

  /** Ends this thread's use of it. The opener's is to be the last one. */
  [Symbol.dispose](): void {
    this.map[Symbol.dispose]();
  }
}
