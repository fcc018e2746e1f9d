import type { Case } from "./case.ts";
import { readByLlhttp } from "./llhttp_reading.ts";

/** What a client that sends a case's bytes is told: a status for each request, or that nothing comes. */
export function verdictOf({ seen, status }: Pick<Case, "seen" | "status">): string {
  const statuses = [...seen.map(() => "200"), ...(status === 0 ? [] : [String(status)])];
  return statuses.length === 0 ? "waits" : statuses.join(" ");
}

/** What llhttp says to it: its errors have no status. */
export function llhttpVerdictOf({ bytes }: Pick<Case, "bytes">): string {
  const { seen, error } = readByLlhttp(bytes);
  const said = [...seen.map(() => "reads"), ...(error === "" ? [] : ["refuses"])];
  return said.length === 0 ? "waits" : said.join(" ");
}
