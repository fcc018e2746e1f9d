/**
 * What the process has open, for tests and for the programs that they run in children. A mere count would go down where
 * the collector closes what an earlier test has forgotten, and up where the host opens something of its own.
 *
 * Deno begins to listen for signals half a second after its start, by two sockets, and panics where no descriptor is left
 * for them: that is had behind us once this module is loaded.
 *
 * @module
 */
import { readdirSync, readlinkSync } from "node:fs";
import process from "node:process";

if ("Deno" in globalThis) {
  const nothing = (): void => {};
  process.on("SIGHUP", nothing);
  process.off("SIGHUP", nothing);
}

/** The open descriptors with what they stand for, such as `7 socket:[123]`. */
export function descriptors(): Set<string> {
  const open = new Set<string>();
  for (const number of readdirSync("/proc/self/fd")) {
    try {
      open.add(`${number} ${readlinkSync(`/proc/self/fd/${number}`).replace(/ \(deleted\)$/, "")}`);
    } catch {
      // By this one they were read.
    }
  }
  return open;
}

/** Those that are open, and were not before. */
export function openedSince(before: ReadonlySet<string>): string[] {
  return [...descriptors()].filter((one) => !before.has(one));
}
