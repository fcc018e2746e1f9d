/**
 * The harness: contenders run turn about, round after round, so that whatever else the machine does falls
 * on all of them alike.
 *
 * A figure is the median of the rounds, with half their range as its spread. A ratio is taken within each
 * round, and its median stands beside the lowest and the highest: ranges of two rows that overlap tell no
 * difference. Times are mitata's, without its collection of garbage before each, which takes 1 GiB on V8.
 *
 * @module
 */
import { cpus } from "node:os";
import process from "node:process";
import { measure } from "mitata";
import { hostName } from "../ffi/mod.ts";

/** What is measured beside others. */
export interface Contender {
  readonly name: string;
  /** One round's figures, one for each column. Throws where what it did is wrong. */
  sample(): Promise<readonly number[]>;
}

/** What a row should show. */
export interface Target {
  readonly name: string;
  /** Of its ratio. */
  readonly atMost?: number;
  /** Of its ratio. */
  readonly atLeast?: number;
  /** Of its figure in each column; `Infinity` asks nothing. */
  readonly figuresAtMost?: readonly number[];
  /** Of its figure in each column; 0 asks nothing. */
  readonly figuresAtLeast?: readonly number[];
}

/** One table. */
export interface Comparison {
  readonly title: string;
  /** The columns' units. Ratios are of the first. */
  readonly units: readonly string[];
  /** The name of the contender that the others are put in proportion to. */
  readonly baseline: string;
  readonly contenders: readonly Contender[];
  /** Two rounds instead of five, and no verdict: figures of a small size prove nothing. */
  readonly quick: boolean;
  readonly targets?: readonly Target[];
}

/** A function whose time is taken. */
export interface Timed<T> {
  readonly name: string;
  readonly quick: boolean;
  run(): T;
  /** Throws where `run` gave a wrong result: called with its first and its last. */
  check(result: T): void;
  /** What is printed, from the nanoseconds of one `run`. */
  figure(ns: number): number;
}

/** A contender that mitata times in this process. */
export function timed<T>({ name, quick, run, check, figure }: Timed<T>): Contender {
  return {
    name,
    async sample() {
      let last = run();
      check(last);
      const { p50 } = await measure(() => {
        last = run();
      }, {
        gc: false,
        min_cpu_time: quick ? 2e6 : 300e6,
        min_samples: quick ? 3 : 5,
        batch_samples: quick ? 4 : 16,
      });
      check(last);
      return [figure(p50)];
    },
  };
}

/** A check for `timed`: the result is this very value. */
export function equals<T>(name: string, expected: T): (result: T) => void {
  return (result) => {
    if (!Object.is(result, expected)) throw new Error(`${name} gave ${result}, and ${expected} is right`);
  };
}

/** What the figures below it were measured on, in a line. */
export function machine(): string {
  const processors = cpus();
  const host = `${hostName} ${process.versions[hostName]}`;
  return `${host} on ${processors[0]?.model.trim()}, ${processors.length} processors`;
}

/** The middle one, or the mean of the two. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function digits(value: number): string {
  return value >= 1000 ? Math.round(value).toLocaleString("en") : value.toPrecision(3);
}

function times(ratio: number): string {
  return ratio < 0.1 ? ratio.toPrecision(2) : ratio.toFixed(2);
}

function spread(values: readonly number[]): string {
  const middle = median(values);
  const half = (Math.max(...values) - Math.min(...values)) / 2;
  return middle === 0 ? "" : `±${(100 * half / middle).toFixed(0)} %`;
}

function print(rows: readonly (readonly string[])[]): void {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  for (const row of rows) {
    const cells = row.map((cell, i) => i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]));
    console.log(`  ${cells.join("  ")}`.trimEnd());
  }
}

function verdict(name: string, bound: string, isMet: boolean, found: string): string {
  return `  target: ${name} ${bound}: ${isMet ? "met" : "missed"}, ${found}`;
}

/** A line for each bound that the target sets. */
function verdicts(target: Target, ratio: number, columns: readonly number[][], of: Comparison): string[] {
  const { name, atMost = Infinity, atLeast = 0, figuresAtMost = [], figuresAtLeast = [] } = target;
  const lines: string[] = [];
  for (const [i, column] of columns.entries()) {
    const { [i]: most = Infinity } = figuresAtMost;
    const { [i]: least = 0 } = figuresAtLeast;
    const figure = median(column);
    const found = digits(figure);
    if (most < Infinity) lines.push(verdict(name, `at most ${most} ${of.units[i]}`, figure <= most, found));
    if (least > 0) lines.push(verdict(name, `at least ${least} ${of.units[i]}`, figure >= least, found));
  }
  const { baseline } = of;
  if (atMost < Infinity) {
    lines.push(verdict(name, `at most ${atMost} × ${baseline}`, ratio <= atMost, times(ratio)));
  }
  if (atLeast > 0) {
    lines.push(verdict(name, `at least ${atLeast} × ${baseline}`, ratio >= atLeast, times(ratio)));
  }
  return lines;
}

/** Node keeps 32 bytes for each buffer given to C until its loop turns, and scans them all in each scavenge. */
function hostTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

/** Runs the rounds and prints the table. */
export async function compare(comparison: Comparison): Promise<void> {
  const { title, units, baseline, contenders, quick, targets = [] } = comparison;
  const rounds = quick ? 2 : 5;
  const figures = new Map<string, number[][]>(contenders.map(({ name }) => [name, units.map(() => [])]));
  // The compilers settle in a first round, which does not count.
  for (let round = quick ? 1 : 0; round <= rounds; round++) {
    for (const contender of contenders) {
      await hostTurn();
      const sample = await contender.sample();
      if (round > 0) figures.get(contender.name)?.forEach((column, i) => column.push(sample[i]));
    }
  }
  const base = figures.get(baseline)?.[0];
  if (base === undefined) throw new Error(`no contender ${baseline} in ${title}`);
  const ratios = new Map<string, number[]>();
  const rows = [["", ...units.flatMap((unit) => [unit, ""]), `over ${baseline}`, ""]];
  for (const [name, columns] of figures) {
    const ratio = columns[0].map((figure, round) => figure / base[round]);
    ratios.set(name, ratio);
    const range = `${times(Math.min(...ratio))}–${times(Math.max(...ratio))}`;
    const cells = columns.flatMap((column) => [digits(median(column)), spread(column)]);
    rows.push([name, ...cells, times(median(ratio)), name === baseline ? "" : range]);
  }
  console.log(`\n${title}, ${rounds} rounds`);
  print(rows);
  if (quick) return;
  for (const target of targets) {
    const ratio = ratios.get(target.name);
    const columns = figures.get(target.name);
    if (ratio === undefined || columns === undefined) continue;
    for (const line of verdicts(target, median(ratio), columns, comparison)) console.log(line);
  }
}
