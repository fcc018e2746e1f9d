/**
 * Tells how the suite went: failures in full, skipped tests with their reasons, a row for each host.
 *
 * @module
 */
import type { Host } from "./hosts.ts";
import { reasonsIn, type TestCase } from "./junit.ts";
import type { FileResult } from "./run_file.ts";

export function count(cases: TestCase[], outcome: TestCase["outcome"]): number {
  return cases.filter((test) => test.outcome === outcome).length;
}

/** `N passed, N failed, N skipped` */
export function countsLine(cases: TestCase[]): string {
  return (["passed", "failed", "skipped"] as const).map((outcome) => `${count(cases, outcome)} ${outcome}`)
    .join(", ");
}

/** What the host printed for each file that failed, and then the names alone. */
export function printFailures(results: FileResult[]): void {
  const failed = results.filter(({ cases }) => count(cases, "failed") > 0);
  for (const { host, file, output } of failed) console.log(`\n──── ${host} ${file} ────\n${output}`);
  if (failed.length > 0) console.log("\nFailed:");
  for (const { host, file, cases } of failed) {
    for (const { name, outcome } of cases) {
      if (outcome === "failed") console.log(`  ${file} › ${name} (${host})`);
    }
  }
}

/** Each skipped test once, with the hosts that skipped it and the reason: Node's report has it, the others' not. */
export function printSkipped(results: FileResult[]): void {
  const skipped = new Map<string, { hosts: string[]; printed?: string; reason?: string }>();
  for (const { host, file, cases, output } of results) {
    for (const { name, outcome, reason } of cases) {
      if (outcome !== "skipped") continue;
      const key = `${file} › ${name}`;
      const entry = skipped.get(key) ?? { hosts: [], printed: reasonsIn(output) };
      entry.hosts.push(host);
      entry.reason ??= reason;
      skipped.set(key, entry);
    }
  }
  if (skipped.size > 0) console.log("\nSkipped:");
  for (const [key, { hosts, printed, reason = printed }] of skipped) {
    console.log(`  ${key} (${hosts.join(", ")}): ${reason ?? "the file does not say why"}`);
  }
}

/** A row for each host. */
export function printTable(hosts: Host[], results: FileResult[]): void {
  console.log("\nhost  version    passed    failed   skipped   seconds");
  for (const { name, version } of hosts) {
    const ours = results.filter(({ host }) => host === name);
    const cases = ours.flatMap((result) => result.cases);
    const seconds = ours.reduce((sum, result) => sum + result.seconds, 0).toFixed(1);
    const numbers = [count(cases, "passed"), count(cases, "failed"), count(cases, "skipped"), seconds];
    console.log(
      `${name.padEnd(5)} ${version.padEnd(7)} ${numbers.map((n) => String(n).padStart(9)).join(" ")}`,
    );
  }
}
