/** The ways to a file's bytes that are compared: those of a group read, or change, the same words. */
import { readFileSync } from "node:fs";
import { Fd } from "../../lib/io/mod.ts";
import { Mmap, type MmapOptions } from "../../lib/mem/mmap.ts";
import { read, readAt, writeAt } from "./counters.ts";

/** The page of x86-64, and of most others. */
export const PAGE = 4096;
const BLOCK = 2 ** 16;

/** What a way has made, for its pages to be counted before it is given back. */
export interface Held extends Disposable {
  /** The sum of the words that it read, or wrote. */
  readonly sum: number;
}

/** One row. */
export interface Way {
  readonly name: string;
  run(path: string): Held;
}

/** Rows that do the same. */
export interface Group {
  readonly title: string;
  /** The page cache has nothing of the file before. */
  readonly isCold: boolean;
  readonly ways: readonly Way[];
}

/** The sum of all 32-bit words, modulo 2³². */
export function sumOfWords(bytes: Uint8Array<ArrayBuffer>): number {
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  let sum = 0;
  for (let i = 0; i < words.length; i++) sum = (sum + words[i]) | 0;
  return sum >>> 0;
}

/** The offset of each page, in a random order that is always the same. */
function shuffledOffsets(byteLength: number): Uint32Array {
  const offsets = Uint32Array.from({ length: byteLength / PAGE }, (_, page) => page * PAGE);
  let state = 1;
  for (let i = offsets.length - 1; i > 0; i--) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const j = Math.floor(state / 2 ** 32 * (i + 1));
    [offsets[i], offsets[j]] = [offsets[j], offsets[i]];
  }
  return offsets;
}

/** Keeps `bytes` until it is disposed; they are left to the garbage collector then. */
function kept(sum: number, bytes: Uint8Array): Held {
  return { sum, [Symbol.dispose]: () => void bytes };
}

function readWhole(path: string): Held {
  using fd = Fd.open(path);
  const bytes = new Uint8Array(fd.status().size);
  for (let length = 0; length < bytes.length;) length += read(fd, bytes.subarray(length));
  return kept(sumOfWords(bytes), bytes);
}

function readBlocks(path: string): Held {
  using fd = Fd.open(path);
  const block = new Uint8Array(BLOCK);
  let sum = 0;
  for (let length = read(fd, block); length > 0; length = read(fd, block)) {
    sum = (sum + sumOfWords(block.subarray(0, length))) >>> 0;
  }
  return kept(sum, block);
}

function readFile(path: string): Held {
  const bytes = readFileSync(path);
  return kept(sumOfWords(bytes), bytes);
}

function readRandom(path: string): Held {
  using fd = Fd.open(path);
  const page = new Uint8Array(PAGE);
  const words = new Uint32Array(page.buffer);
  let sum = 0;
  for (const offset of shuffledOffsets(fd.status().size)) {
    readAt(fd, page, offset);
    sum = (sum + words[0]) >>> 0;
  }
  return kept(sum, page);
}

function writeEach(path: string): Held {
  using fd = Fd.open(path, { read: true, write: true });
  const word = new Uint32Array(1);
  const bytes = new Uint8Array(word.buffer);
  let sum = 0;
  for (let offset = 0, { size } = fd.status(); offset < size; offset += PAGE) {
    word[0] = offset + 1;
    writeAt(fd, bytes, offset);
    sum = (sum + word[0]) >>> 0;
  }
  return kept(sum, bytes);
}

function byMap(options: MmapOptions, use: (bytes: Uint8Array<ArrayBuffer>) => number): Way["run"] {
  return (path) => {
    const map = Mmap.open(path, options);
    return { sum: use(map.bytes()), [Symbol.dispose]: () => map[Symbol.dispose]() };
  };
}

function sumAtRandom({ buffer, byteLength }: Uint8Array<ArrayBuffer>): number {
  const words = new Uint32Array(buffer);
  let sum = 0;
  for (const offset of shuffledOffsets(byteLength)) sum = (sum + words[offset / 4]) >>> 0;
  return sum;
}

function changeEach({ buffer, byteLength }: Uint8Array<ArrayBuffer>): number {
  const words = new Uint32Array(buffer);
  let sum = 0;
  for (let offset = 0; offset < byteLength; offset += PAGE) {
    words[offset / 4] = offset + 1;
    sum = (sum + words[offset / 4]) >>> 0;
  }
  return sum;
}

const READING: readonly Way[] = [
  { name: "read(2) into one buffer", run: readWhole },
  { name: "read(2), 64 KiB at a time", run: readBlocks },
  { name: "the host's readFileSync", run: readFile },
  { name: "map", run: byMap({}, sumOfWords) },
  { name: "map, populated", run: byMap({ populate: true }, sumOfWords) },
];

/** The tables. */
export const groups: Readonly<Record<string, Group>> = {
  cold: { title: "every word in order, nothing in the page cache", isCold: true, ways: READING },
  warm: { title: "every word in order, all in the page cache", isCold: false, ways: READING },
  random: {
    title: "a word of each page at random, all in the page cache",
    isCold: false,
    ways: [
      { name: "pread(2) of the page", run: readRandom },
      { name: "map", run: byMap({}, sumAtRandom) },
      { name: "map, populated", run: byMap({ populate: true }, sumAtRandom) },
    ],
  },
  writing: {
    title: "a word of each page written, all in the page cache",
    isCold: false,
    ways: [
      { name: "pwrite(2) of the word", run: writeEach },
      { name: 'map, mode "r+": the file\'s pages', run: byMap({ mode: "r+" }, changeEach) },
      { name: 'map, mode "c": copies of them', run: byMap({ mode: "c" }, changeEach) },
    ],
  },
};
