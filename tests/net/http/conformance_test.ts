import { assert, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { guide } from "../../guide.ts";
import { bytesOf, readRequests } from "./wire.ts";
import { bodies } from "./conformance/bodies.ts";
import type { Case } from "./conformance/case.ts";
import { fields } from "./conformance/fields.ts";
import { readByLlhttp } from "./conformance/llhttp_reading.ts";
import { requestLines } from "./conformance/request_line.ts";
import { llhttpVerdictOf, verdictOf } from "./conformance/verdict.ts";

/** Requests up to the first that is the connection's last, as a server reads them. */
function read(pieces: readonly string[]): { seen: string[]; status: number } {
  const { requests, status } = readRequests(pieces.map(bytesOf));
  const last = requests.findIndex(({ keepAlive }) => !keepAlive);
  const counted = last < 0 ? requests : requests.slice(0, last + 1);
  return {
    seen: counted.map(({ method, target, body }) => `${method} ${target} ${body}`),
    status: last < 0 ? status : 0,
  };
}

function hold(name: string, cases: readonly Case[]): void {
  describe(`a server reads ${name}:`, () => {
    for (const { name, section, bytes, seen, status, differs } of cases) {
      const expected = { seen: [...seen], status };
      it(`${name}, ${section}`, () => {
        assertEquals(read([bytes]), expected);
        const step = Math.ceil(bytes.length / 400);
        for (let at = 1; at < bytes.length; at += step) {
          assertEquals(read([bytes.slice(0, at), bytes.slice(at)]), expected);
        }
        assertEquals(read(bytes.split("")), expected);
        const { seen: seenByLlhttp, error } = readByLlhttp(bytes);
        const agrees = seenByLlhttp.join("\n") === seen.join("\n") && (error === "") === (status === 0);
        const said = `llhttp read ${JSON.stringify(seenByLlhttp)} and said ${error || "nothing"}`;
        if (differs === "") assert(agrees, said);
        else assert(!agrees, `${said}, as we do`);
      });
    }
  });
}

hold("a request line", requestLines);
hold("fields", fields);
hold("a body", bodies);

/** A row of the guide's tables: section, name, ours, llhttp's. */
function rowsOf(text: string): string[][] {
  return text.split("\n").filter((line) => line.startsWith("| ")).map((line) =>
    line.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll("\\|", "|")).slice(1, 5)
  );
}

describe("the table of cases", () => {
  const cases = [requestLines, fields, bodies].flat();

  it("has one of each name, and says of each difference who is right", () => {
    const names = cases.map(({ name }) => name);
    assertEquals(names.filter((name, i) => names.indexOf(name) !== i), []);
    assertEquals(cases.filter(({ differs }) => !/^(we are: .|llhttp is: .|both: .|$)/.test(differs)), []);
  });

  it("is the guide's: else run scripts/http_conformance.ts", () => {
    const rows = new Map(rowsOf(guide("http_conformance.md")).map((row) => [row[1], row]));
    for (const one of cases) {
      assertEquals(rows.get(one.name), [one.section, one.name, verdictOf(one), llhttpVerdictOf(one)]);
    }
  });
});
