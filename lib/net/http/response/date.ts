let second = 0;
let text = "";

/**
 * The present as the `Date` field spells it (`Tue, 15 Nov 1994 08:12:31 GMT`: IMF-fixdate, RFC 9110, section
 * 5.6.7), made once a second.
 */
export function httpDate(): string {
  const now = Math.floor(Date.now() / 1000);
  if (now !== second) {
    second = now;
    text = new Date(now * 1000).toUTCString();
  }
  return text;
}
