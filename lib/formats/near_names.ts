const MAX_LENGTH = 128;

/** The names that somebody who wrote `wanted` may have meant, at most three, the likeliest first. */
export function nearNames(wanted: string, names: Iterable<string>): string[] {
  if (wanted.length > MAX_LENGTH) return [];
  const near: { name: string; distance: number }[] = [];
  for (const name of names) {
    if (name.length > MAX_LENGTH) continue;
    const contained = wanted !== "" && (name.endsWith(wanted) || name.startsWith(wanted));
    const distance = contained ? 1 : editDistance(wanted, name);
    if (distance < wanted.length && distance <= Math.max(2, wanted.length / 4)) near.push({ name, distance });
  }
  near.sort((a, b) => a.distance - b.distance);
  return near.slice(0, 3).map(({ name }) => name);
}

/** Levenshtein's distance, a row at a time. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 0; i < a.length; i++) {
    const row = [i + 1];
    for (let j = 0; j < b.length; j++) {
      row.push(Math.min(row[j] + 1, previous[j + 1] + 1, previous[j] + (a[i] === b[j] ? 0 : 1)));
    }
    previous = row;
  }
  return previous[b.length];
}
