import type { Future } from "./future.ts";

/** So many are told one by one. */
const TOLD = 4;

/** What those wait for that are left. */
export function describeAll(futures: readonly (Future<unknown> | null)[]): string {
  const left = futures.filter((future) => future !== null);
  const told = left.slice(0, TOLD).map((future) => future.describe());
  if (left.length > TOLD) told.push(`and ${left.length - TOLD} more`);
  return told.join(", ");
}
