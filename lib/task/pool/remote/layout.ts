/**
 * A channel between threads, in a map of its own. Words of 32 bits; what is written often by different threads lies on
 * cache lines of its own. All but `HEAD` and `RECEIVER_SLEEPS` is written by who holds the mutex.
 *
 *     word   0  "OXRC", version and kind, capacity, bytes of the ring
 *            4  nonce, 128 bits
 *            8  descriptor of the memory, counts and flags
 *           32  the mutex, which tells where its owner died
 *           48  tail: where the ring's next record goes, and its number
 *           64  head: where the first record is, the receiver's alone
 *           80  whether the receiver sleeps
 *           96  the value of a watch: its version, where it is, how long
 *          128  seats: 16 words for each thread that has an end, or waits
 *         4224  ends in flight: 4 words each
 *     byte 20992  the ring's records
 */

/** "OXRC" in little-endian. */
export const MAGIC = 0x4352584f;
const VERSION = 1;

/** What a channel is. */
export const QUEUE = 1;
export const CELL = 2;

/** The word that tells the version and the kind. */
export function kindWord(kind: number): number {
  return VERSION << 8 | kind;
}

export const KIND = 1;
export const CAPACITY = 2;
export const RING_BYTES = 3;
export const NONCE = 4;
/** The memory's descriptor, which is the channel's and closed by who leaves last. */
export const DESCRIPTOR = 8;
export const STATE = 9;
/** The sum of what the seats and the ends in flight count, each. */
export const SENDERS = 10;
export const WEAK = 11;
export const RECEIVERS = 12;
/** For how many messages there is room in permits, and with those who wait. */
export const PROMISED = 13;
/** Seats that are taken, and ends in flight. */
export const USERS = 14;
/** The seat of the receiver of a queue, from 1; 0 where it is in flight, or gone. */
export const RECEIVER = 15;
/** How many seats wait for room. */
export const WAITING = 16;
export const TICKETS = 17;
/** No seat from there on was ever taken. */
export const SEATS_USED = 18;
export const FLIGHTS_USED = 19;
/** How often a thread has taken a seat. */
export const JOINS = 20;
export const MUTEX = 32;
export const TAIL = 48;
/** The number of the next record. */
export const SENT = 49;
export const HEAD = 64;
export const RECEIVER_SLEEPS = 80;
/** How often a watch's value was set. It lies in one half of the ring's place, by its version. */
export const VALUE_VERSION = 96;
/** The descriptor of the file that has the value, or -1 where it lies in its half; bytes. Of each half. */
export const VALUE_FILE = 97;
export const VALUE_LENGTH = 98;
export const HALVES = 2;
/** Words from one half's to the next one's. */
export const HALF = 2;
export const HEADER_WORDS = 128;

/** Bits of `STATE`. Nobody will receive what is sent from now on. */
export const DEAF = 1;
/** What is queued has nobody to take it. */
export const GONE = 2;

export const SEATS = 256;
export const SEAT_WORDS = 16;
/** Words of a seat: the thread's number, 0 where it is free; when it began. */
export const THREAD = 0;
export const START = 1;
/** How many of each it has. */
export const OWN_SENDERS = 2;
export const OWN_WEAK = 3;
export const OWN_RECEIVERS = 4;
export const OWN_PROMISED = 5;
/** For how many places its first one waits, beside those that it has been given. */
export const WANTED = 6;
/** Its turn among the seats that wait for room; 0 where it does not. */
export const TICKET = 7;
/** Whether it wants to be told of anything. */
export const SLEEPS = 8;
/** Its thread's eventfd: descriptors are the process's. */
export const BELL = 9;
/** Whether that was written to since the thread has looked. */
export const RUNG = 10;

/** The first word of a seat. */
export function seatAt(seat: number): number {
  return HEADER_WORDS + seat * SEAT_WORDS;
}

export const FLIGHTS = 256;
const FLIGHT_WORDS = 4;
/** Words of an end in flight: which, 0 where the place is free; what its handle has to know; what a receiver has seen. */
export const END = 0;
export const SECRET = 1;
export const SEEN = 2;

/** The first word of an end in flight. */
export function flightAt(place: number): number {
  return HEADER_WORDS + SEATS * SEAT_WORDS + place * FLIGHT_WORDS;
}

/** Words before the ring. */
export const CONTROL_WORDS: number = flightAt(FLIGHTS);
/** Where the ring begins. */
export const CONTROL_BYTES: number = 4 * CONTROL_WORDS;
