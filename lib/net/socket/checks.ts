import { requireBytes, requireNames, shown } from "../../io/arguments.ts";

/** Throws where nothing can be read into it. */
export function requireRoom(into: Uint8Array): void {
  requireBytes("cannot read", "into", into);
  if (into.byteLength === 0) throw new RangeError("cannot read into 0 bytes: 0 would look like the end");
}

/** A copy of the parts, which nobody changes any more. */
export function requireParts(verb: "read" | "write", parts: readonly Uint8Array[]): readonly Uint8Array[] {
  if (!Array.isArray(parts)) {
    throw new TypeError(`cannot ${verb} parts: parts is ${shown(parts)}, and no list`);
  }
  const own: readonly Uint8Array[] = [...parts];
  for (const [i, part] of own.entries()) requireBytes(`cannot ${verb} parts`, `part ${i}`, part);
  if (own.length > 1024) {
    throw new RangeError(`cannot ${verb} parts: there are ${own.length}, and one call takes 1024`);
  }
  if (own.every((part) => part.byteLength === 0) && verb === "read") {
    throw new RangeError("cannot read into 0 bytes: 0 would look like the end");
  }
  return own;
}

/** How many bytes are too many. */
export function requireLimit(options: { limit?: number }): number {
  requireNames("cannot read to the end", "options are", options, ["limit"]);
  const { limit = Infinity } = options;
  if (limit === Infinity || (Number.isSafeInteger(limit) && limit >= 0)) return limit;
  throw new RangeError(`cannot read to the end: limit is ${shown(limit)}, and no count of bytes`);
}
