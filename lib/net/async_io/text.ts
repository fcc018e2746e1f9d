import { InvalidTextError } from "./errors.ts";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

const LF = 10;
const CR = 13;
/** Above this many characters the host's decoder is the faster. */
const SHORT = 24;

/** The bytes as a text. Throws where they are no UTF-8. */
export function textOf(bytes: Uint8Array, what: string): string {
  const { length } = bytes;
  if (length <= SHORT) {
    let text = "";
    let i = 0;
    for (; i < length && bytes[i] < 0x80; i++) text += String.fromCharCode(bytes[i]);
    if (i === length) return text;
  }
  try {
    return decoder.decode(bytes);
  } catch (error) {
    throw new InvalidTextError(what, error);
  }
}

/** A line without its end, which is LF or CRLF; of the last one, which has none, nothing is taken off. */
export function withoutEnd(line: Uint8Array): Uint8Array {
  let end = line.length;
  if (end === 0 || line[end - 1] !== LF) return line;
  end--;
  if (end > 0 && line[end - 1] === CR) end--;
  return line.subarray(0, end);
}
