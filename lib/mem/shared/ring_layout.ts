/**
 * A ring in shared memory: a header, then `capacity` bytes of records. Positions count bytes for ever, in 32 bits
 * that wrap; a record lies at its position modulo the capacity, at a multiple of 8: a word with the message's length,
 * a word that is nothing, and the message. One that would not fit before the end starts at the ring's start, and a
 * word of -1 stands where it would have been. What two sides write lies on different cache lines, by pairs as CPUs
 * fetch them.
 */
import type { Kind } from "./piece.ts";

export const RING: Kind = { name: "SharedRing", number: 4 };

/** Indices of words. Here: not 0 where no message will come any more. */
export const ENDED = 4;
/** 1 where the ring is for many producers and consumers, 0 where it is for one of each. */
export const MANY = 5;
/** A robust mutex: of the one producer for as long as it is there, or of many for each message. */
export const PRODUCERS = 16;
/** Offsets of words from a mutex. Not 0 where the one producer, or consumer, has left in order. */
export const LEFT = 12;
/** How many of that side have ended while they held the mutex. */
export const DEATHS = 13;
/** As `PRODUCERS`. */
export const CONSUMERS = 32;
/** The position behind the last message that is there, written by producers. */
export const TAIL = 64;
/** The position of the first, written by consumers. */
export const HEAD = 96;
/** Not 0 where a consumer sleeps until there is a message. */
export const CONSUMER_SLEEPS = 128;
/** Not 0 where a producer sleeps until there is room. */
export const PRODUCER_SLEEPS = 160;
/** Bytes before the records. */
export const HEADER = 768;

/** Instead of a message's length: the next record is at the ring's start. */
export const WRAPPED = -1;
/** Bytes of a record before its message. */
export const PREFIX = 8;

const LEAST = 64;
const MOST = 2 ** 30;

/** Bytes of a record. */
export function recordBytes(length: number): number {
  return (length + PREFIX + 7) & ~7;
}

/** Of the longest message: with it and what wrapping wastes, a ring that is empty always has room. */
export function largestMessage(capacity: number): number {
  return capacity / 2 - PREFIX;
}

/** Whether a ring can have that capacity. */
export function isCapacity(capacity: number): boolean {
  return Number.isInteger(capacity) && capacity >= LEAST && capacity <= MOST &&
    (capacity & (capacity - 1)) === 0;
}

/** Throws a `RangeError` where it cannot. */
export function requireCapacity(capacity: number): void {
  if (isCapacity(capacity)) return;
  throw new RangeError(
    `cannot create a SharedRing: capacity is ${capacity}, not a power of two from ${LEAST} to ${MOST}`,
  );
}
