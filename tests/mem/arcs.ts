/** Arcs to be counted, and the descriptors that they have open. */
import { before } from "node:test";
import { readdirSync, readlinkSync } from "node:fs";
import { Mmap } from "../../lib/mem/mmap.ts";
import { Arc } from "../../lib/mem/yoke.ts";
import { scratch } from "./scratch.ts";

const files = scratch();

/** A file of three bytes, there while the tests run. */
export let path: string;

before(() => {
  path = files.file(Uint8Array.of(1, 2, 3));
});

/** How many descriptors of maps and their records are open: a host opens and closes its own. */
export function descriptors(): number {
  return readdirSync("/proc/self/fd").filter((fd) => {
    try {
      const link = readlinkSync(`/proc/self/fd/${fd}`);
      return link === path || /^\/memfd:oxbow(-map-record)? /.test(link);
    } catch {
      return false;
    }
  }).length;
}

export function shared(...bytes: number[]): Arc<"write"> {
  using map = Mmap.anonymous(bytes.length);
  map.bytes().set(bytes);
  return Arc.share(map);
}
