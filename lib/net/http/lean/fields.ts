/** What a field value may hold, without white space at its ends (RFC 9110, section 5.5). */
const VALUE = /^(?:[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?)?$/;
const NAME = /^[\w!#$%&'*+\-.^`|~]+$/;
/** Fields that are the server's to write. */
const OWN: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "date",
  "keep-alive",
  "transfer-encoding",
]);

/** A field as a line. Throws a `TypeError` where it cannot be sent, or is the server's own. */
export function fieldLine(name: string, value: string): string {
  if (typeof name !== "string" || !NAME.test(name)) {
    throw new TypeError(`cannot send a header field: its name is ${JSON.stringify(name)}`);
  }
  const lower = name.toLowerCase();
  if (OWN.has(lower)) {
    throw new TypeError(`cannot send the header field ${lower}: it is the server's to write`);
  }
  if (typeof value !== "string" || !VALUE.test(value)) {
    throw new TypeError(`cannot send the header field ${lower}: its value is ${JSON.stringify(value)}`);
  }
  return `${lower}: ${value}\r\n`;
}

/** Throws a `RangeError` for a status that no whole response has, a `TypeError` where a body goes with one that has none. */
export function checkStatus(status: number, body: string | Uint8Array | null): void {
  if (!Number.isInteger(status) || status < 200 || status > 599) {
    throw new RangeError(`cannot answer: status is ${String(status)}, not an integer from 200 to 599`);
  }
  if ((status === 204 || status === 205 || status === 304) && body !== null && body.length > 0) {
    throw new TypeError(`cannot answer: a response of status ${status} has no body`);
  }
}

/** The line of a text that has no type. */
export const TEXT_LINE = "content-type: text/plain;charset=UTF-8\r\n";
