/**
 * The control map of a pool, in 32-bit words:
 *
 *     header   magic, version, lanes, slots of a lane, arena of a lane (2 words)
 *              STOP, SLEEPERS and DEATHS on cache lines of their own
 *     tables   PARK of all lanes, EVENT_FD of all lanes, INCARNATION of all lanes: each a run of words
 *     lanes    for each: TOP, BOTTOM, INBOX and ENDS on cache lines of their own,
 *              then its counters, then its deque of 2·slots words
 *     slots    for each lane `slots` of 64 words: 20 of the record, 44 of inline payload
 *     arenas   for each lane `arena` bytes, from the start of a page
 *
 * A slot is known by one number all over the pool: `lane · slots + index`. Lists hold it plus 1, so that 0 is none.
 */
import { shown } from "../../../io/arguments.ts";

/** How large a control map is. */
export interface Shape {
  /** Threads that have a place in it, the opener's among them: 1 to 256. */
  readonly lanes: number;
  /** Of each lane: a power of two from 2 to 65536. */
  readonly slots: number;
  /** Bytes of each lane for payload that does not fit into slots: pages. */
  readonly arena: number;
}

/** "OXPC" in little-endian. */
export const MAGIC = 0x4350584f;
export const VERSION = 1;

// The header's words.
export const MAGIC_WORD = 0;
export const VERSION_WORD = 1;
export const LANES_WORD = 2;
export const SLOTS_WORD = 3;
export const ARENA_LOW_WORD = 4;
export const ARENA_HIGH_WORD = 5;
/** 1 once the pool stops. */
export const STOP = 16;
/** How many sleep that take jobs, or more: one that dies while it lies down stays counted. */
export const SLEEPERS = 32;
/** How many lanes were sealed after their threads' end. */
export const DEATHS = 48;
const HEADER_WORDS = 64;

/** Words of a cache line. */
const LINE = 16;

// A lane's words, from its block.
export const TOP = 0;
export const BOTTOM = LINE;
export const INBOX = 2 * LINE;
export const ENDS = 3 * LINE;
export const COUNTERS = 4 * LINE;
/** Two words for each. */
export const COUNTER_WORDS = 64;
export const DEQUE: number = COUNTERS + COUNTER_WORDS;

// A slot's words.
/** phase | runner << 4; while it is queued, phase | sequence << 4, so that no queueing is taken for another. */
export const STATE = 0;
/** The next slot of the inbox it lies in. */
export const NEXT = 1;
/** In which inbox it lies, and at which epoch it was put there; 0 once the taker has passed it. */
export const LINKED = 2;
/** The next slot of the owner's inbox of ends. */
export const END_NEXT = 3;
/** The sequence number of the job whose end was delivered. */
export const DELIVERED = 4;
/** Counts the jobs of the slot. */
export const SEQUENCE = 5;
/** The only lane that may run it, plus 1; 0 where any may. */
export const PIN = 6;
export const FLAGS = 7;
export const FUNCTION = 8;
export const ARG_KIND = 9;
export const ARG_LENGTH = 10;
export const ARG_WHERE = 11;
export const RESULT_KIND = 13;
export const RESULT_LENGTH = 14;
export const RESULT_WHERE = 15;
export const PROGRESS = 17;
/** A float64 in two words. */
export const DEADLINE = 18;
export const INLINE = 20;
export const SLOT_WORDS = 64;

// FLAGS
/** The submitter wants it no more. */
export const CANCEL_REQUESTED = 1;
/** It is no job, and counted as none. */
export const MESSAGE = 2;

// Phases
export const FREE = 0;
/** Its owner writes the arguments. */
export const FILLING = 1;
export const QUEUED = 2;
export const RUNNING = 3;
export const DONE = 4;
export const FAILED = 5;
export const CANCELLED = 6;
/** Given up by its owner: the runner may write there still, until it is known to be gone. */
export const LOST = 7;
export const PHASE_BITS = 4;
export const PHASE_MASK = 15;
/** Of a runner or a sequence number, beside the phase. */
export const RUNNER_MASK = 0xfffffff;

const PAGE = 4096;
const LARGEST_MAP = 2 ** 32;
const MOST_LANES = 256;
const MOST_SLOTS = 65536;
/** Inboxes keep an epoch beside a slot's number. */
const MOST_SLOTS_OF_ALL = 2 ** 24 - 2;

function toPages(bytes: number): number {
  return Math.ceil(bytes / PAGE) * PAGE;
}

function toLines(words: number): number {
  return Math.ceil(words / LINE) * LINE;
}

function requireShape({ lanes, slots, arena }: Shape): void {
  const what = "cannot lay out a pool";
  if (!(Number.isInteger(lanes) && lanes >= 1 && lanes <= MOST_LANES)) {
    throw new RangeError(`${what}: lanes is ${shown(lanes)}, not an integer from 1 to ${MOST_LANES}`);
  }
  if (!(Number.isInteger(slots) && slots >= 2 && slots <= MOST_SLOTS && (slots & (slots - 1)) === 0)) {
    throw new RangeError(`${what}: slots is ${shown(slots)}, not a power of two from 2 to ${MOST_SLOTS}`);
  }
  if (!(Number.isSafeInteger(arena) && arena >= 0)) {
    throw new RangeError(`${what}: arena is ${shown(arena)}, not a count of bytes`);
  }
  if (lanes * slots > MOST_SLOTS_OF_ALL) {
    throw new RangeError(`${what}: ${lanes} lanes of ${slots} slots are more than ${MOST_SLOTS_OF_ALL}`);
  }
}

/** Where what lies in a control map of one shape: indexes of words, but for the arenas. */
export class Layout {
  readonly shape: Shape;
  readonly park: number = HEADER_WORDS;
  readonly eventFd: number;
  readonly incarnation: number;
  readonly slots: number;
  /** In bytes. */
  readonly arenas: number;
  readonly byteSize: number;
  readonly #lanes: number;
  readonly #laneWords: number;
  readonly #shift: number;

  /** Throws a `RangeError` for a shape that is none, or of which one view could not see all. */
  constructor(shape: Shape) {
    requireShape(shape);
    const { lanes, slots, arena } = shape;
    this.shape = shape;
    const table = toLines(lanes);
    this.eventFd = this.park + table;
    this.incarnation = this.eventFd + table;
    this.#lanes = this.incarnation + table;
    this.#laneWords = toLines(DEQUE + 2 * slots);
    this.slots = toPages(4 * (this.#lanes + lanes * this.#laneWords)) / 4;
    this.arenas = toPages(4 * (this.slots + lanes * slots * SLOT_WORDS));
    this.byteSize = this.arenas + lanes * toPages(arena);
    this.#shift = Math.log2(slots);
    if (this.byteSize > LARGEST_MAP) {
      throw new RangeError(
        `cannot lay out a pool: ${lanes} lanes with ${slots} slots and ${arena} bytes of arena take ` +
          `${this.byteSize} bytes, and there may be ${LARGEST_MAP}; ask for fewer, or smaller arenas`,
      );
    }
  }

  /** A word of the lane's block. */
  ofLane(lane: number, word: number): number {
    return this.#lanes + lane * this.#laneWords + word;
  }

  /** A word of the slot. */
  ofSlot(slot: number, word: number): number {
    return this.slots + slot * SLOT_WORDS + word;
  }

  /** Which lane allocates it. */
  ownerOf(slot: number): number {
    return slot >>> this.#shift;
  }

  /** The byte of the map at which the lane's arena begins. */
  arenaOf(lane: number): number {
    return this.arenas + lane * toPages(this.shape.arena);
  }
}

/** How many bytes a control map of that shape takes. Memory that is not used is not there. */
export function byteSize(shape: Shape): number {
  return new Layout(shape).byteSize;
}
