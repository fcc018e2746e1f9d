/** System calls, counted by strace: it stops at each, so a run under it tells no times. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MARK } from "./counters.ts";

/**
 * A thread's calls within the last `pairs` pairs of marks. strace writes a line for each call, with the thread
 * before it; a call that another thread's interrupts has a second line, where it resumes.
 */
export function callsBetweenMarks(trace: string, pairs: number): number {
  const lines = trace.split("\n").filter((line) => /^\d+ +\w+\(/.test(line));
  const isMark = (line: string): boolean => line.includes(` ${MARK}(`);
  const thread = lines.findLast(isMark)?.split(" ", 1)[0];
  const ofThread = lines.filter((line) => line.startsWith(`${thread} `));
  const marks = ofThread.flatMap((line, i) => isMark(line) ? [i] : []).slice(-2 * pairs);
  if (marks.length < 2 * pairs) throw new Error(`cannot count: the trace has ${marks.length} marks`);
  let calls = 0;
  for (let i = 0; i < marks.length; i += 2) calls += marks[i + 1] - marks[i] - 1;
  return calls;
}

/** The system calls that the command makes between its last two pairs of marks; or why strace cannot tell. */
export function tracedCalls(command: readonly string[]): number | string {
  const folder = mkdtempSync(join(tmpdir(), "oxbow-trace-"));
  try {
    const file = join(folder, "trace");
    const { error, status, stderr } = spawnSync("strace", ["-f", "-qq", "-o", file, ...command], {
      encoding: "utf8",
    });
    if (error !== undefined) return "strace is not installed";
    if (status !== 0) return `strace failed: ${stderr.trim().split("\n")[0]}`;
    return callsBetweenMarks(readFileSync(file, "latin1"), 2);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
