/**
 * A file opened and mapped, a byte of it read, and all given back; and what each step of that costs. A mean over
 * many, for a part of it is the garbage that they leave.
 */
import { closeSync, ftruncateSync, openSync, readSync, writeSync } from "node:fs";
import { hostName, libc, NULL, pointerAt, unsafeBufferAt } from "../../ffi/mod.ts";
import { Fd } from "../../lib/io/mod.ts";
import { guardRange } from "../../lib/jit/sigbus.ts";
import { Mmap } from "../../lib/mem/mmap.ts";
import { compare, type Contender, equals, timed } from "../compare.ts";
import { bunMap } from "./bun.ts";
import { MIB } from "./floats.ts";
import { MEMMAP2, peers } from "./peers.ts";

const MAPPED = "Mmap";
const BUN = "Bun.mmap, never unmapped";
const PROT_READ_WRITE = 0x1 | 0x2;
/** MAP_PRIVATE and MAP_NORESERVE. */
const PRIVATE = 0x02 | 0x4000;
/** MAP_FIXED and MAP_ANONYMOUS. */
const ANONYMOUS_FIXED = 0x10 | 0x20;

/** A file, and its first byte. */
export interface Opened {
  readonly path: string;
  readonly byteLength: number;
  readonly first: number;
}

/** The mean microseconds of `times` runs. */
function each(name: string, times: number, expected: number, run: () => number): Contender {
  const check = equals(name, expected);
  return {
    name,
    sample() {
      const start = performance.now();
      for (let i = 0; i < times; i++) check(run());
      return Promise.resolve([(performance.now() - start) * 1000 / times]);
    },
  };
}

function firstByRead(path: string): number {
  const byte = new Uint8Array(1);
  const fd = openSync(path, "r");
  readSync(fd, byte);
  closeSync(fd);
  return byte[0];
}

function firstByMap(path: string): number {
  using map = Mmap.open(path);
  return map.bytes(0, 1)[0];
}

/** Prints the table, and on Bun another over Bun's own. */
export async function compareOpening({ path, byteLength, first }: Opened, quick: boolean): Promise<void> {
  const times = quick ? 200 : 5000;
  const size = byteLength < MIB ? `${byteLength / 1024} KiB` : `${byteLength / MIB} MiB`;
  const title = `open ${size}, read a byte, dispose`;
  const ours = each(MAPPED, times, first, () => firstByMap(path));
  const others = peers({
    work: "open",
    path,
    repetitions: times,
    expected: first,
    figure: (ns) => ns / 1000,
  });
  const read = each("host: open, read, close", times, first, () => firstByRead(path));
  await compare({
    title,
    units: ["µs"],
    baseline: others.some(({ name }) => name === MEMMAP2) ? MEMMAP2 : MAPPED,
    contenders: [ours, ...others, read],
    quick,
    targets: [{ name: MAPPED, atMost: 1.5 }],
  });
  if (hostName !== "bun") return;
  await compare({
    title: `${title}, over Bun's own`,
    units: ["µs"],
    baseline: BUN,
    contenders: [ours, each(BUN, times, first, () => bunMap(path)[0])],
    quick,
    targets: byteLength < MIB ? [] : [{ name: MAPPED, atMost: 1 }],
  });
}

/** Each with those before it. */
const STEPS = {
  open: "open, close",
  status: "… and fstat",
  map: "… and mmap, munmap",
  fault: "… and a byte's page fault, by a buffer over it",
  detach: "… and the buffer detached: transfer(0)",
  blank: "… and zero pages in the file's place, before munmap",
  guard: "… and guarded against truncation",
  registry: "… and known to a FinalizationRegistry",
} as const;

type Step = keyof typeof STEPS;

const ORDER: readonly string[] = Object.keys(STEPS);

/** The first byte, by the steps up to `last`; 0 where they read none. */
function upTo(last: string, path: string, registry: FinalizationRegistry<number>): number {
  function has(step: Step): boolean {
    return ORDER.indexOf(step) <= ORDER.indexOf(last);
  }
  using fd = Fd.open(path);
  if (!has("status")) return 0;
  const { size } = fd.status();
  if (!has("map")) return 0;
  const pages = pointerAt(BigInt(libc().mmap(NULL, size, PROT_READ_WRITE, PRIVATE, fd.number, 0)));
  const guard = has("guard") ? guardRange(pages, size, PROT_READ_WRITE) : undefined;
  try {
    if (!has("fault")) return 0;
    // SAFETY: the page is mapped until after the byte was read, and nothing else reads the buffer.
    const buffer = unsafeBufferAt(pages, 1);
    const [byte] = new Uint8Array(buffer);
    const token = {};
    if (has("registry")) registry.register(buffer, 0, token);
    if (has("detach")) buffer.transfer(0);
    if (has("blank")) libc().mmap(pages, size, PROT_READ_WRITE, PRIVATE | ANONYMOUS_FIXED, -1, 0);
    if (has("registry")) registry.unregister(token);
    return byte;
  } finally {
    guard?.[Symbol.dispose]();
    libc().munmap(pages, size);
  }
}

/** Prints what opening is made of. */
export async function compareSteps({ path, byteLength, first }: Opened, quick: boolean): Promise<void> {
  const times = quick ? 200 : 5000;
  const registry = new FinalizationRegistry<number>(() => undefined);
  await compare({
    title: `the same of ${byteLength / 1024} KiB, a row for each step: with those before it`,
    units: ["µs"],
    baseline: MAPPED,
    contenders: [
      ...Object.entries(STEPS).map(([step, name]) => {
        const expected = ORDER.indexOf(step) < ORDER.indexOf("fault") ? 0 : first;
        return each(name, times, expected, () => upTo(step, path, registry));
      }),
      each(MAPPED, times, first, () => firstByMap(path)),
    ],
    quick,
  });
}

const LAST = 42;

/** Prints how long a large file's last float takes. The file is sparse, and made here. */
export async function compareLastFloat(path: string, byteLength: number, quick: boolean): Promise<void> {
  const fd = openSync(path, "w");
  ftruncateSync(fd, byteLength - 4);
  writeSync(fd, Float32Array.of(LAST), 0, 4, byteLength - 4);
  closeSync(fd);
  function microseconds(name: string, run: () => number): Contender {
    return timed({ name, quick, run, check: equals(name, LAST), figure: (ns) => ns / 1000 });
  }
  await compare({
    title: `the last float of a sparse file of ${byteLength / MIB} MiB`,
    units: ["µs"],
    baseline: MAPPED,
    contenders: [
      microseconds(MAPPED, () => {
        using map = Mmap.open(path);
        return map.view(Float32Array, byteLength - 4, 1)[0];
      }),
      microseconds("host: open, read 4 bytes, close", () => {
        const into = new Float32Array(1);
        const fd = openSync(path, "r");
        readSync(fd, into, 0, 4, byteLength - 4);
        closeSync(fd);
        return into[0];
      }),
      microseconds("host: the whole file, read", () => {
        const block = new Float32Array(MIB);
        const fd = openSync(path, "r");
        while (readSync(fd, block) > 0);
        closeSync(fd);
        return block[block.length - 1];
      }),
    ],
    quick,
  });
}
