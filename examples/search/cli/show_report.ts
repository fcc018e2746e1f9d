import type { IndexReport } from "../index/index_folder.ts";
import { MAX_FILE_BYTES, type Skip } from "../files/read_text.ts";

const SKIPS: readonly [Skip, string][] = [
  ["binary", "binary"],
  ["large", `larger than ${MAX_FILE_BYTES / 2 ** 20} MiB`],
  ["changed", "changed while they were read"],
  ["unreadable", "unreadable"],
];

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
