import { createHash } from "node:crypto";
import { join } from "node:path";
import { Mmap } from "../../../lib/mem/mmap.ts";
import { INDEX_NAME } from "./index_file.ts";

/** Bytes that are hashed at once: no view of a map is larger. */
const PART = 2 ** 26;

/** SHA-256 of an index's two files, in hexadecimal. Reads them whole, at a GB or two a second. */
export function indexChecksum(folder: string, textName: string): string {
  const hash = createHash("sha256");
  for (const name of [INDEX_NAME, textName]) {
    using map = Mmap.open(join(folder, name));
    for (let at = 0; at < map.byteLength; at += PART) {
      hash.update(map.bytes(at, Math.min(PART, map.byteLength - at)));
    }
  }
  return hash.digest("hex");
}
