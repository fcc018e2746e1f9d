import { markMatches } from "../text/marks.ts";
import type { Hit } from "../index/search_index.ts";

/** Around a matched word: reverse video on a terminal, quotes in a pipe. */
const MARKS = { terminal: ["\x1b[7m", "\x1b[27m"], pipe: ["«", "»"] } as const;

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

/** With control characters but for line feeds and tabs made visible: a text must not steer the terminal. */
function printable(text: string): string {
  return text.replace(/\r\n/g, "\n").replace(/[^\P{Cc}\n\t]/gu, "\ufffd");
}
