import { readdirSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";

/**
 * The tables of `mirrored/` say which cases of tokio's, mio's, slab's and futures-rs' own suites are tested here, and
 * where: each row names a test of ours by its file and title, or says why the case does not apply.
 */
const folder = new URL("./mirrored/", import.meta.url);
const root = new URL("../", import.meta.url);

interface Row {
  readonly table: string;
  readonly source: string;
  readonly name: string;
  readonly ours: string;
}

function rowsOf(table: string): Row[] {
  const rows: Row[] = [];
  for (const line of readFileSync(new URL(table, folder), "utf8").split("\n")) {
    const cells = line.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll("\\|", "|"));
    if (cells.length !== 5 || cells[1].startsWith("source") || /^-+$/.test(cells[1])) continue;
    rows.push({ table, source: cells[1], name: cells[2], ours: cells[3] });
  }
  return rows;
}

const tables = readdirSync(folder).sort();
const rows = tables.flatMap(rowsOf);
const applying = rows.filter(({ ours }) => !ours.startsWith("n/a"));

const texts = new Map<string, string>();

/** A file's text with its line breaks as spaces, since a long title may lie on a line of its own. */
function textOf(path: string): string {
  let text = texts.get(path);
  if (text === undefined) {
    texts.set(path, text = readFileSync(new URL(path, root), "utf8").replaceAll(/\s+/g, " "));
  }
  return text;
}

describe("the tables of mirrored tests", () => {
  it("name a case of another suite once each, and ours or why there is none", () => {
    const names = rows.map(({ table, source, name }) => `${table} ${source} ${name}`);
    assertEquals(names.filter((name, i) => names.indexOf(name) !== i), []);
    assertEquals(rows.filter(({ ours }) => ours === "" || /^n\/a:?$/.test(ours)), []);
  });

  it("name tests that exist", () => {
    const missing: string[] = [];
    for (const { table, name, ours } of applying) {
      const [, path, title] = /^(tests\/\S+\.ts): (.+)$/.exec(ours) ?? [];
      if (title === undefined) missing.push(`${table}: ${name}: ${ours}`);
      else if (!textOf(path).includes(title)) missing.push(`${path}: ${title}`);
    }
    assertEquals(missing, []);
  });

  it("hold far more than 150 cases", () => {
    const cases = new Set(applying.map(({ source, name }) => `${source} ${name}`));
    assert(cases.size >= 400, `${cases.size} cases`);
  });
});
