/**
 * The inflections of English, roughly: `indexes`, `indexed` and `indexing` are kin. Words of other
 * languages are hardly touched, for what matters is which words of the index are found, and a stem is
 * never shown.
 *
 * @module
 */

/** The longest first, so that the first that fits is the one that is cut. */
const SUFFIXES = [
  ..."ations ation ings ions ing ies ied ers ion er ed es ly s y e".split(" "),
  "",
];
const SUFFIX_SET: ReadonlySet<string> = new Set(SUFFIXES);
/** A doubled letter and the longest suffix. */
export const LONGEST_ENDING = 7;
const SHORTEST_STEM = 3;

/** What is left of a folded word without its ending: at least three letters. */
export function stem(word: string): string {
  const suffix = SUFFIXES.find((suffix) =>
    word.endsWith(suffix) && word.length - suffix.length >= SHORTEST_STEM
  );
  if (suffix === undefined || (suffix === "s" && word.endsWith("ss"))) return word;
  const rest = word.slice(0, word.length - suffix.length);
  return suffix !== "" && rest.length > SHORTEST_STEM && endsDoubled(rest) ? rest.slice(0, -1) : rest;
}

/** Whether a word that starts with `stem` and goes on with `rest` is an inflection of it. */
export function isInflection(stem: string, rest: string): boolean {
  return SUFFIX_SET.has(rest) || (endsDoubled(stem + rest.charAt(0)) && SUFFIX_SET.has(rest.slice(1)));
}

/** As `running` has it of `run`; `fill` and `pass` are so of themselves. */
function endsDoubled(word: string): boolean {
  const last = word.charAt(word.length - 1);
  return word.length > 1 && last === word.charAt(word.length - 2) && !"lsz".includes(last);
}
