/**
 * What each contender does: 1,000 calls in a loop of its own, with arguments that vary, and the answer that
 * is right.
 *
 * @module
 */

/** Calls in one loop. */
export const CALLS = 1000;

/** The functions called, and what a loop of each gives. */
export const expected = {
  abs: CALLS * CALLS / 4,
  memcpy: 7,
  eight: 7 * CALLS * (CALLS - 1) / 2 + 8 * CALLS,
  sqrt: CALLS * (CALLS - 1) / 2,
  atoi: CALLS * 15 / 2,
} as const;

/** A function that is called. */
export type Case = keyof typeof expected;

/** The calls of one case, which give the sum of what they gave. */
export type Loop = () => number;

/** A peer's: each binds its function and gives its loop. `library` has the function of eight integers. */
export type Peer = Readonly<Record<Case, (library: string) => Loop>>;

/** How a table names them. */
export const titles: Readonly<Record<Case, string>> = {
  abs: "abs(i32) → i32",
  memcpy: "memcpy(pointer, pointer, usize) of 64 bytes",
  eight: "eight(i32, i32, i32, i32, i32, i32, i32, i32) → i32",
  sqrt: "sqrt(f64) → f64",
  atoi: "atoi(buffer) → i32",
};

/** memcpy's memory: `from` is full of 7. */
export const from: Uint8Array<ArrayBuffer> = new Uint8Array(64).fill(expected.memcpy);
/** memcpy's memory, cleared before each loop. */
export const to: Uint8Array<ArrayBuffer> = new Uint8Array(64);
/** memcpy's lengths, turn about. */
export const lengths = [63, 64] as const;
/** atoi's texts, turn about. */
export const texts: readonly Uint8Array<ArrayBuffer>[] = ["7\0", "8\0"].map((text) =>
  new TextEncoder().encode(text)
);
/** The last byte that both lengths copy. */
export const LAST_COPIED: number = lengths[0] - 1;
