/**
 * Claims: `Cow.value` costs at most 2 ns over a plain variable, and a table of a million rows takes 24 MB and the
 * owned bytes, as much as Rust's `Cow<str>` in a `Vec`.
 *
 * What a copy costs stands beside the host's `slice`, which it is, and beside memory that was filled with zeros
 * first: new memory makes both slow, and whether the host's collector has some to use again moves them by ten times.
 * What it costs to make a view of a row stands beside the host's `subarray`.
 *
 * A Cow was made of every kind of array before anything is timed, as in a program that uses several: the getter's
 * code is shared, and a host that has seen one kind alone is faster than it will stay.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { measure } from "mitata";
import { Cow, CowTable } from "../lib/mem/cow.ts";
import { compare, type Contender, equals, timed } from "./compare.ts";

const MIB = 2 ** 20;
const ROWS = 1_000_000;
const READS = 100_000;

const array = Int32Array.of(1, 2, 3, 4);
const variable = array;
const cow = Cow.borrowed(array);

/** Leaves `Cow.value` with no kind of array to bet on. */
function useEveryKind(): void {
  const kinds = [
    Uint8Array,
    Int16Array,
    Int32Array,
    Float32Array,
    Float64Array,
    BigInt64Array,
    Uint8ClampedArray,
  ];
  for (const Kind of kinds) {
    const cow = Cow.borrowed<ArrayBufferView>(new Kind(4));
    for (let i = 0; i < READS; i++) if (cow.value.byteLength === 0) throw new Error("it is empty");
  }
}

function readVariable(): number {
  let sum = 0;
  for (let i = 0; i < READS; i++) sum += variable[i & 3];
  return sum;
}

function readCow(): number {
  let sum = 0;
  for (let i = 0; i < READS; i++) sum += cow.value[i & 3];
  return sum;
}

async function nanosecondsOf(run: () => number, quick: boolean): Promise<number> {
  equals("a read", READS * 2.5)(run());
  const { p50 } = await measure(run, { gc: false, min_cpu_time: quick ? 2e6 : 200e6, min_samples: 5 });
  return p50 / READS;
}

async function reads(quick: boolean): Promise<void> {
  useEveryKind();
  function contender(name: string, sample: () => Promise<number>): Contender {
    return { name, sample: async () => [await sample()] };
  }
  const over = "Cow.value, over the variable";
  await compare({
    title: "a read of one element",
    units: ["ns"],
    baseline: "a variable",
    contenders: [
      contender("a variable", () => nanosecondsOf(readVariable, quick)),
      contender("Cow.value", () => nanosecondsOf(readCow, quick)),
      contender(over, async () => {
        const [alone, through] = [
          await nanosecondsOf(readVariable, quick),
          await nanosecondsOf(readCow, quick),
        ];
        return through - alone;
      }),
    ],
    quick,
    targets: [{ name: over, figuresAtMost: [2] }],
  });
}

async function copies(quick: boolean): Promise<void> {
  const length = (quick ? 1 : 64) * MIB;
  const bytes = new Uint8Array(length).fill(7);
  function contender(name: string, run: () => Uint8Array): Contender {
    function check(copy: Uint8Array): void {
      if (copy === bytes || copy.length !== length || copy[length - 1] !== 7) {
        throw new Error(`${name} is wrong`);
      }
    }
    return timed({ name, quick, run, check, figure: (ns) => length / ns });
  }
  const into = new Uint8Array(length);
  await compare({
    title: `a copy of ${length / MIB} MiB`,
    units: ["GB/s"],
    baseline: "slice",
    contenders: [
      contender("slice", () => bytes.slice()),
      contender("Cow.toMut", () => Cow.borrowed(bytes).toMut()),
      contender("Cow.toMut into the same memory", () => Cow.borrowed(bytes).toMut({ into })),
      contender("new and set", () => {
        const copy = new Uint8Array(length);
        copy.set(bytes);
        return copy;
      }),
    ],
    quick,
  });
}

const WORD = 7;

function tableOver(bytes: Uint8Array, rows: number): CowTable {
  const table = new CowTable();
  const region = table.addRegion(bytes);
  table.reserve(rows);
  for (let i = 0; i < rows; i++) table.push(region, i * WORD, WORD);
  return table;
}

async function rows(quick: boolean): Promise<void> {
  const count = quick ? 1000 : ROWS;
  const bytes = Uint8Array.from({ length: count * WORD }, (_, i) => Math.floor(i / WORD) % 10);
  const table = tableOver(bytes, count);
  const check = equals("the sum of first bytes", count * 4.5);
  function contender(name: string, run: () => number): Contender {
    return timed({ name, quick, run, check, figure: (ns) => ns / count });
  }
  await compare({
    title: `the first byte of each of ${count.toLocaleString("en")} rows`,
    units: ["ns a row"],
    baseline: "subarray",
    contenders: [
      contender("subarray", () => {
        let sum = 0;
        for (let i = 0; i < count; i++) sum += bytes.subarray(i * WORD, (i + 1) * WORD)[0];
        return sum;
      }),
      contender("CowTable.get", () => {
        let sum = 0;
        for (let i = 0; i < count; i++) sum += table.get(i)[0];
        return sum;
      }),
    ],
    quick,
  });
}

/** The bytes of Rust's `Cow<str>`; `undefined` where there is no rustc, and says so. */
function cowSizeInRust(): number | undefined {
  const folder = fileURLToPath(new URL("../.build/peers/", import.meta.url));
  const source = fileURLToPath(new URL("peers/cow_size.rs", import.meta.url));
  const program = `${folder}cow_size.${process.pid}`;
  mkdirSync(folder, { recursive: true });
  const { error, status, stderr } = spawnSync("rustc", ["-o", program, source], { encoding: "utf8" });
  if (error !== undefined) {
    console.log("  rustc is not here: its row is left out");
    return undefined;
  }
  if (status !== 0) throw new Error(`rustc cannot compile ${source}:\n${stderr}`);
  const { stdout } = spawnSync(program, { encoding: "utf8" });
  rmSync(program);
  return Number(stdout);
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

function sizes(quick: boolean): void {
  const count = quick ? 1000 : ROWS;
  const bytes = new Uint8Array(count * WORD);
  console.log(`\n${count.toLocaleString("en")} rows`);
  const table = tableOver(bytes, count);
  const borrowed = table.byteSize;
  console.log(`  CowTable, all borrowed        ${megabytes(borrowed)}`);
  table.reserve(count, count / 10 * WORD);
  for (let i = 0; i < count; i += 10) table.toMut(i);
  console.log(
    `  CowTable, one in ten owned    ${megabytes(table.byteSize)}, ${count / 10 * WORD} bytes owned`,
  );
  const rust = cowSizeInRust();
  if (rust !== undefined) {
    console.log(`  Rust's Vec<Cow<str>>          ${megabytes(rust * count)}, ${rust} bytes each`);
  }
  const before = process.memoryUsage().rss;
  const views = Array.from({ length: count }, (_, i) => bytes.subarray(i * WORD, (i + 1) * WORD));
  const after = process.memoryUsage().rss;
  console.log(
    `  the host's array of ${views.length.toLocaleString("en")} views, resident: ${
      megabytes(after - before)
    }`,
  );
  if (quick) return;
  console.log(
    `  target: CowTable at most 24 MB: ${borrowed <= 24 * ROWS ? "met" : "missed"}, ${megabytes(borrowed)}`,
  );
}

export async function run({ quick }: { quick: boolean }): Promise<void> {
  await reads(quick);
  await copies(quick);
  await rows(quick);
  sizes(quick);
}
