/** Numeric IP addresses as text: RFC 4291, RFC 5952. */

/** An IPv4 address's four bytes, or `undefined` where the text is none: what inet_pton(3) takes. */
export function parseIpv4(text: string): number[] | undefined {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part))) return undefined;
  const bytes = parts.map(Number);
  return bytes.every((byte) => byte <= 255) ? bytes : undefined;
}

/** `last` where the address ends with these groups, and may do so with an IPv4 one. */
function parseGroups(text: string, last: boolean): number[] | undefined {
  if (text === "") return [];
  const bytes: number[] = [];
  const groups = text.split(":");
  for (const [i, group] of groups.entries()) {
    const v4 = last && i === groups.length - 1 ? parseIpv4(group) : undefined;
    if (v4 !== undefined) {
      bytes.push(...v4);
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(group)) return undefined;
      const value = parseInt(group, 16);
      bytes.push(value >> 8, value & 255);
    }
  }
  return bytes;
}

/** An IPv6 address's sixteen bytes, or `undefined` where the text is none: what inet_pton(3) takes. */
export function parseIpv6(text: string): number[] | undefined {
  const [before, after, ...more] = text.split("::");
  if (more.length > 0) return undefined;
  const head = parseGroups(before, after === undefined);
  if (head === undefined) return undefined;
  if (after === undefined) return head.length === 16 ? head : undefined;
  const tail = parseGroups(after, true);
  if (tail === undefined || head.length + tail.length > 14) return undefined;
  return [...head, ...new Array<number>(16 - head.length - tail.length).fill(0), ...tail];
}

/** RFC 5952: the longest run of zero groups is left out, and a mapped IPv4 address is told as one. */
export function formatIpv6(bytes: Uint8Array): string {
  const isMapped = bytes.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 255 &&
    bytes[11] === 255;
  if (isMapped) return `::ffff:${bytes.subarray(12, 16).join(".")}`;
  const groups: string[] = [];
  for (let i = 0; i < 16; i += 2) groups.push(((bytes[i] << 8) | bytes[i + 1]).toString(16));
  let start = -1;
  let length = 1;
  for (let i = 0; i < 8; i++) {
    let end = i;
    while (end < 8 && groups[end] === "0") end++;
    if (end - i > length) [start, length] = [i, end - i];
  }
  if (start === -1) return groups.join(":");
  return `${groups.slice(0, start).join(":")}::${groups.slice(start + length).join(":")}`;
}
