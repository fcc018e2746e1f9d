/** Bytes from `start` up to `end`, which is not among them. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** More than a client has a use for; a field of many is made to have the server work (RFC 9110, section 14.2). */
const MAX_RANGES = 100;
const RANGE = /^(?:(\d+)-(\d*)|-(\d+))$/;

/**
 * The ranges that a `Range` field asks for of `size` bytes, in its order; none where no byte is there (416). `undefined`
 * where the field is to be ignored: it is malformed, of another unit, of too many ranges, of nothing, or asks for more
 * than the whole (RFC 9110, sections 14.1.2 and 14.2).
 */
export function parseRange(field: string, size: number): readonly ByteRange[] | undefined {
  const [, set] = /^bytes=(.*)$/i.exec(field) ?? [];
  if (set === undefined || size === 0) return undefined;
  const members = set.split(",").map((member) => member.replace(/^[ \t]+|[ \t]+$/g, "")).filter((member) =>
    member !== ""
  );
  if (members.length === 0 || members.length > MAX_RANGES) return undefined;
  const ranges: ByteRange[] = [];
  let total = 0;
  for (const member of members) {
    const match = RANGE.exec(member);
    if (match === null) return undefined;
    const [, first, last, suffix] = match;
    if (suffix === undefined && last !== "" && isLess(last, first)) return undefined;
    const start = suffix === undefined ? Number(first) : Math.max(0, size - Number(suffix));
    const end = suffix === undefined && last !== "" ? Math.min(size, Number(last) + 1) : size;
    if (start >= end) continue;
    ranges.push({ start, end });
    total += end - start;
  }
  return total > size ? undefined : ranges;
}

/** Whether a decimal is less than another, also beyond what a number tells apart. */
function isLess(one: string, other: string): boolean {
  return BigInt(one) < BigInt(other);
}

/** The value of `Content-Range`. */
export function contentRange({ start, end }: ByteRange, size: number): string {
  return `bytes ${start}-${end - 1}/${size}`;
}

/** What stands before and between the parts of a `multipart/byteranges` body, and at its end (section 14.6). */
export class MultipartFrame {
  readonly boundary: string = crypto.randomUUID();
  #type: string;
  #size: number;

  /** `type` and `size` are the whole's. */
  constructor(type: string, size: number) {
    this.#type = type;
    this.#size = size;
  }

  get contentType(): string {
    return `multipart/byteranges; boundary=${this.boundary}`;
  }

  before(range: ByteRange): string {
    const content = `content-type: ${this.#type}\r\ncontent-range: ${contentRange(range, this.#size)}`;
    return `\r\n--${this.boundary}\r\n${content}\r\n\r\n`;
  }

  get end(): string {
    return `\r\n--${this.boundary}--\r\n`;
  }
}
