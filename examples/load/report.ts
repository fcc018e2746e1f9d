import type { Measured } from "./load.ts";
import type { Plan } from "./plan.ts";
import type { Cpu, Used } from "./usage.ts";

/** What is printed as JSON. Times are in microseconds where nothing else is said. */
export interface Report {
  readonly url: string;
  readonly connections: number;
  readonly idle: number;
  readonly pipeline: number;
  /** Requests a second that were asked for; `null` where as many as there are answers. */
  readonly rate: number | null;
  readonly seconds: number;
  readonly answers: number;
  readonly answersPerSecond: number;
  readonly bytesRead: number;
  readonly unanswered: number;
  readonly latency: Readonly<Record<"mean" | "p50" | "p90" | "p99" | "p999" | "max", number>>;
  /** How often each happened. */
  readonly errors: Readonly<Record<string, number>>;
  /** Connections at the end: that asked, and that only waited. */
  readonly standing: readonly [number, number];
  /** This program's own CPU. */
  readonly load: Cpu;
  /** The server's. */
  readonly used?: Used;
}

export function reportOf(url: string, plan: Plan, measured: Measured): Report {
  const { seconds, answers, latencies, errors } = measured;
  const us = (ms: number): number => Math.round(ms * 1e4) / 10;
  return {
    url,
    connections: plan.connections,
    idle: plan.idle,
    pipeline: plan.pipeline,
    rate: plan.rate ?? null,
    seconds,
    answers,
    answersPerSecond: answers / seconds,
    bytesRead: measured.bytesRead,
    unanswered: measured.unanswered,
    latency: {
      mean: us(latencies.mean),
      p50: us(latencies.percentile(0.5)),
      p90: us(latencies.percentile(0.9)),
      p99: us(latencies.percentile(0.99)),
      p999: us(latencies.percentile(0.999)),
      max: us(latencies.max),
    },
    errors: Object.fromEntries(errors),
    standing: measured.standing,
    load: measured.load,
    used: measured.used,
  };
}

function time(us: number): string {
  if (us < 1000) return `${us.toFixed(0)} µs`;
  return us < 1e6 ? `${(us / 1000).toFixed(2)} ms` : `${(us / 1e6).toFixed(2)} s`;
}

function count(value: number): string {
  return Math.round(value).toLocaleString("en");
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

function cpu(name: string, { userSeconds, systemSeconds }: Cpu, { answers, seconds }: Report): string {
  const each = (used: number): string => (1e6 * used / Math.max(1, answers)).toFixed(2);
  const share = (100 * (userSeconds + systemSeconds) / seconds).toFixed(0);
  return `${name}  ${each(userSeconds)} µs user, ${
    each(systemSeconds)
  } µs system an answer; ${share} % of a core`;
}

/** For people. */
export function textOf(report: Report): string {
  const { latency, used, errors } = report;
  const how = report.rate === null
    ? "each asks when it is answered"
    : `${count(report.rate)} requests/s are due`;
  const waiting = report.idle === 0
    ? ""
    : `, ${count(report.standing[1])} of ${count(report.idle)} that wait`;
  const lines = [
    `${report.url}: ${count(report.connections)} connections${waiting}; ${how}`,
    "",
    `answers   ${count(report.answers)} in ${report.seconds.toFixed(2)} s: ${
      count(report.answersPerSecond)
    }/s, ` +
    `${mebibytes(report.bytesRead / report.seconds)}/s`,
    `latency   mean ${time(latency.mean)}  p50 ${time(latency.p50)}  p90 ${time(latency.p90)}  ` +
    `p99 ${time(latency.p99)}  p99.9 ${time(latency.p999)}  max ${time(latency.max)}`,
  ];
  if (report.rate !== null) {
    lines.push(`late      ${count(report.unanswered)} were due and not answered at the end`);
  }
  lines.push(cpu("load    ", report.load, report));
  if (used !== undefined) {
    const [before, after] = used.residentBytes;
    lines.push(cpu("server  ", used, report));
    lines.push(`memory    ${mebibytes(before)} resident before, ${mebibytes(after)} at the end`);
  }
  for (const [kind, times] of Object.entries(errors)) lines.push(`error     ${count(times)} × ${kind}`);
  return lines.join("\n");
}
