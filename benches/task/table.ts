/**
 * The tables of the works: figures, and ours in proportion to tokio and to the host's promises.
 *
 * @module
 */
import { median } from "../compare.ts";
import { type Contestant, HOSTS, MIMALLOC, OURS, type Printed, PROMISES, TOKIO } from "./contestants.ts";
import { type Work, WORKS } from "./works.ts";

const NONE = "–";

/** What was printed of each work, round by round, column by column. */
export class Results {
  readonly columns: readonly Contestant[];
  readonly #printed: ReadonlyMap<Contestant, Map<string, Printed[]>>;

  constructor(columns: readonly Contestant[]) {
    this.columns = columns;
    this.#printed = new Map(columns.map((column) => [column, new Map()]));
  }

  add(column: Contestant, lines: readonly Printed[]): void {
    const works = this.#printed.get(column);
    for (const line of lines) {
      if (!Number.isFinite(line.value)) {
        throw new Error(`${column.group}, ${column.way}: ${line.work} took ${line.value}`);
      }
      const before = works?.get(line.work) ?? [];
      works?.set(line.work, [...before, line]);
    }
  }

  /** The column's rounds of a work; none where it has no such work. */
  rounds(column: Contestant, work: string): readonly Printed[] {
    return this.#printed.get(column)?.get(work) ?? [];
  }

  column(group: string, way: string): Contestant | undefined {
    return this.columns.find((column) => column.group === group && column.way === way);
  }

  /** How many times the operations a second of `base`, in each round; none where either has no such work. */
  ratios(column: Contestant, work: string, base: Contestant | undefined, itsWork: string): readonly number[] {
    if (base === undefined) return [];
    const its = this.rounds(base, itsWork);
    if (its.length === 0) return [];
    return this.rounds(column, work).map(({ value }, round) => its[round].value / value);
  }
}

/** Three digits that say something, and all of a large number. */
export function digits(value: number): string {
  return Math.abs(value) >= 100
    ? Math.round(value).toLocaleString("en")
    : String(Number(value.toPrecision(3)));
}

function cell(values: readonly number[], format: (value: number) => string): string {
  return values.length === 0 ? NONE : format(median(values));
}

/** Prints rows under the columns' two lines of title. */
function print(title: string, columns: readonly Contestant[], rows: readonly (readonly string[])[]): void {
  const groups = columns.map(({ group }, i) => columns[i - 1]?.group === group ? "" : group);
  const titles = [["", ...groups], ["", ...columns.map(({ way }) => way)]];
  const all = [...titles, ...rows];
  const widths = titles[0].map((_, i) => Math.max(...all.map((row) => row[i].length)));
  console.log(`\n${title}`);
  for (const row of all) {
    const cells = row.map((text, i) => i === 0 ? text.padEnd(widths[i]) : text.padStart(widths[i]));
    console.log(`  ${cells.join("  ")}`.trimEnd());
  }
}

function printFigures(results: Results, rounds: number): void {
  const { columns } = results;
  const row = (name: string, figures: (column: Contestant) => readonly number[]) => {
    return [name, ...columns.map((column) => cell(figures(column), digits))];
  };
  const some = (name: string, figure: (line: Printed) => number | undefined, work: string) =>
    row(name, (column) => results.rounds(column, work).map(figure).filter((value) => value !== undefined));
  const of = WORKS.map(({ name }) =>
    row(name, (column) => results.rounds(column, name).map(({ value }) => value))
  );
  print(
    `nanoseconds an operation (timer_fire: of CPU; memory: resident bytes), ${rounds} rounds`,
    columns,
    of,
  );
  print("timer_fire: µs late; memory: bytes alive after a collection", columns, [
    some("late, p50", ({ late }) => late?.[0], "timer_fire"),
    some("late, p99", ({ late }) => late?.[1], "timer_fire"),
    some("memory_pending", ({ heap }) => heap, "memory_pending"),
    some("memory_sleep", ({ heap }) => heap, "memory_sleep"),
    row("CPU of all threads, of one's", (column) => {
      const shares = WORKS.flatMap(({ name }) => results.rounds(column, name))
        .flatMap(({ cpu, value }) => cpu === undefined ? [] : [cpu / value]);
      return shares.length === 0 ? [] : [median(shares)];
    }),
  ]);
}

function printRatios(
  title: string,
  results: Results,
  ratios: (column: Contestant, work: Work) => readonly number[],
): void {
  const columns = results.columns.filter(({ way }) => OURS.includes(way));
  const rows = WORKS.map((work) => [
    work.name,
    ...columns.map((column) => cell(ratios(column, work), (ratio) => ratio.toFixed(2))),
  ]);
  print(title, columns, rows.filter((row) => row.slice(1).some((text) => text !== NONE)));
}

function overTokio(results: Results): (column: Contestant, work: Work) => readonly number[] {
  const tokio = results.column(TOKIO, MIMALLOC);
  return (column, { name }) => results.ratios(column, name, tokio, name);
}

function overPromises(results: Results): (column: Contestant, work: Work) => readonly number[] {
  return (column, { name, promises = name }) =>
    results.ratios(column, name, results.column(column.group, PROMISES), promises);
}

/** Each host's median of one way. */
function ofHosts(
  results: Results,
  way: string,
  figures: (column: Contestant) => readonly number[],
): { host: string; value: number }[] {
  return HOSTS.flatMap((host) => {
    const column = results.column(host, way);
    const values = column === undefined ? [] : figures(column);
    return values.length === 0 ? [] : [{ host, value: median(values) }];
  });
}

function verdict(
  of: readonly { host: string; value: number }[],
  isMet: (values: readonly number[]) => boolean,
): string {
  const found = of.map(({ host, value }) => `${host} ${digits(value)}`).join(", ");
  return `${isMet(of.map(({ value }) => value)) ? "met" : "missed"} (${found})`;
}

/** A line for each target of a work: what each way of writing a task finds. */
function verdicts(results: Results, work: Work): string[] {
  const { name, atMost, lateAtMost } = work;
  const line = (
    bound: string,
    figures: (column: Contestant) => readonly number[],
    isMet: (values: readonly number[]) => boolean,
  ) => {
    const found = OURS.flatMap((way) => {
      const of = ofHosts(results, way, figures);
      return of.length === 0 ? [] : [`${way} ${verdict(of, isMet)}`];
    });
    return found.length === 0 ? [] : [`  target: ${name} ${bound}: ${found.join("; ")}`];
  };
  const lines: string[] = [];
  if (atMost !== undefined) {
    const figures = (column: Contestant) => results.rounds(column, name).map(({ value }) => value);
    lines.push(...line(`at most ${atMost}`, figures, (values) => Math.max(...values) <= atMost));
  }
  if (lateAtMost !== undefined) {
    const figures = (column: Contestant) =>
      results.rounds(column, name).flatMap(({ late }) => late?.[0] ?? []);
    const isMet = (values: readonly number[]) => Math.max(...values) <= lateAtMost;
    lines.push(...line(`half of them at most ${lateAtMost} µs late`, figures, isMet));
  }
  if (work.overTokio !== undefined) {
    const [onOne, onEach] = work.overTokio;
    lines.push(...line(
      `at least ${onOne} × tokio on one host, ${onEach} × on each`,
      (column) => overTokio(results)(column, work),
      (values) => Math.max(...values) >= onOne && Math.min(...values) >= onEach,
    ));
  }
  const least = work.overPromises;
  if (least !== undefined) {
    lines.push(...line(
      `at least ${least} × promises`,
      (column) => overPromises(results)(column, work),
      (values) => Math.min(...values) >= least,
    ));
  }
  return lines;
}

/** Prints everything; a verdict where the rounds are worth one. */
export function printTables(results: Results, rounds: number, quick: boolean): void {
  printFigures(results, rounds);
  printRatios(
    "ours over tokio on mimalloc: operations a second, of CPU for timer_fire; tasks in as much memory",
    results,
    overTokio(results),
  );
  printRatios("ours over promises on the same host", results, overPromises(results));
  if (quick) return;
  for (const work of WORKS) for (const line of verdicts(results, work)) console.log(line);
}
