import type { SearchIndex } from "../index/search_index.ts";

const WORDS_OF_A_QUERY = 4;
const SHORTEST_WORD = 5;

/** A few queries that the index can answer: longer words of passages here and there. */
export function sampleQueries(index: SearchIndex, count: number): string[] {
  const queries: string[] = [];
  for (let i = 0; i < count; i++) {
    const text = index.text(Math.floor((i + 0.5) * index.passages / count));
    const words = [...new Set(text.match(/\p{L}+/gu) ?? [])].filter((word) => word.length >= SHORTEST_WORD);
    const step = Math.max(1, Math.floor(words.length / WORDS_OF_A_QUERY));
    const chosen = words.filter((_, at) => at % step === 0).slice(0, WORDS_OF_A_QUERY);
    if (chosen.length > 0) queries.push(chosen.join(" "));
  }
  return queries;
}
