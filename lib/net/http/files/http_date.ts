const MONTHS: readonly string[] = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
const TIME = "(\\d{2}):(\\d{2}):(\\d{2})";
const IMF = new RegExp(`^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (\\d{2}) ([A-Z][a-z]{2}) (\\d{4}) ${TIME} GMT$`);
const RFC850 = new RegExp(
  `^(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, (\\d{2})-([A-Z][a-z]{2})-(\\d{2}) ${TIME} GMT$`,
);
const ASCTIME = new RegExp(`^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) ([A-Z][a-z]{2}) ([ \\d]\\d) ${TIME} (\\d{4})$`);

/**
 * The seconds since 1970 that an HTTP date says (RFC 9110, section 5.6.7), in the form that is sent today or in one of
 * the two that are obsolete and must be read all the same; `undefined` where it is none.
 */
export function parseHttpDate(text: string): number | undefined {
  let match = IMF.exec(text);
  if (match !== null) return seconds(Number(match[3]), match[2], match[1], match, 4);
  match = RFC850.exec(text);
  if (match !== null) return seconds(fullYear(Number(match[3])), match[2], match[1], match, 4);
  match = ASCTIME.exec(text);
  return match === null ? undefined : seconds(Number(match[6]), match[1], match[2], match, 3);
}

/** Two digits mean the century in which the year lies no more than 50 years ahead. */
function fullYear(digits: number): number {
  const now = new Date().getUTCFullYear();
  const year = now - now % 100 + digits;
  return year > now + 50 ? year - 100 : year;
}

function seconds(
  year: number,
  name: string,
  dayText: string,
  match: RegExpExecArray,
  at: number,
): number | undefined {
  const [hour, minute, second] = [Number(match[at]), Number(match[at + 1]), Number(match[at + 2])];
  const month = MONTHS.indexOf(name);
  const day = Number(dayText);
  // A leap second is the next minute's first.
  if (month === -1 || hour > 23 || minute > 59 || second > 60) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(year, month, day);
  if (date.getUTCMonth() !== month || date.getUTCDate() !== day) return undefined;
  return date.setUTCHours(hour, minute, second) / 1000;
}
