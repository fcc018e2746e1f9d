import { hostName } from "../../../../ffi/mod.ts";

const ONE = "(?:x-)?gzip|deflate|br|zstd";
/** The `content-encoding`s that a host's `fetch` unpacks, and hides from nobody that it did. */
const UNPACKED = {
  deno: /^(?:gzip|br)$/i,
  bun: new RegExp(`^(?:${ONE})$`, "i"),
  node: new RegExp(`^(?:${ONE})(?:[ \\t]*,[ \\t]*(?:${ONE}))*$`, "i"),
} as const;

/** Whether what `fetch` gives of a body that was packed so is unpacked. */
export function isUnpacked(encoding: string): boolean {
  return UNPACKED[hostName].test(encoding);
}
