/** What the commands print. */
import type { IndexReport } from "./index_folder.ts";
import { markMatches } from "./marks.ts";
import { MAX_FILE_BYTES, type Skip } from "./read_text.ts";
import type { Hit } from "./search_index.ts";

/** Around a matched word: reverse video on a terminal, quotes in a pipe. */
const MARKS = { terminal: ["\x1b[7m", "\x1b[27m"], pipe: ["«", "»"] } as const;

const SKIPS: readonly [Skip, string][] = [
  ["binary", "binary"],
  ["large", `larger than ${MAX_FILE_BYTES / 2 ** 20} MiB`],
  ["changed", "changed while they were read"],
  ["unreadable", "unreadable"],
];

/** `file:line`, score, and the passage with its matches marked. */
export function showHit({ file, lines, score, text }: Hit, query: string, to: keyof typeof MARKS): string {
  const [open, close] = MARKS[to];
  const shown = printable(text);
  let marked = "";
  let at = 0;
  for (const [start, end] of markMatches(shown, query)) {
    marked += shown.slice(at, start) + open + shown.slice(start, end) + close;
    at = end;
  }
  marked += shown.slice(at);
  const name = printable(file).replace(/[\n\t]/g, "\ufffd");
  return `${name}:${lines[0]}  ${score.toFixed(3)}\n${marked.replace(/^(?=.)/gm, "    ")}\n`;
}

/** What a run did, in `ms` milliseconds. */
export function showReport(report: IndexReport, ms: number): string {
  const { files, passages, embedded, embeddedBytes, kept, gone, skipped, folder } = report;
  const megabytes = embeddedBytes / 1e6;
  const reasons = SKIPS.filter(([skip]) => skipped[skip] > 0).map(([skip, what]) =>
    `${skipped[skip]} ${what}`
  );
  return [
    `${folder}: ${files} files in ${passages} passages`,
    `embedded ${embedded} files, kept ${kept}, dropped ${gone}`,
    ...(reasons.length > 0 ? [`skipped ${reasons.join(", ")}`] : []),
    `read ${megabytes.toFixed(1)} MB in ${(ms / 1000).toFixed(2)} s, ${
      (megabytes / ms * 1000).toFixed(1)
    } MB/s`,
  ].join("\n");
}

/** With control characters but for line feeds and tabs made visible: a text must not steer the terminal. */
function printable(text: string): string {
  return text.replace(/\r\n/g, "\n").replace(/[^\P{Cc}\n\t]/gu, "\ufffd");
}
