/** Where no C can be called: why not, and a host that says so at each use and at no import. */
import process from "node:process";
import { environment } from "./environment.ts";
import type { Host, HostName } from "./host.ts";

/**
 * C cannot be called, or machine code not be loaded: on another system than Linux on x86-64, on a host that is
 * too old, without the host's permission, where a sandbox or the kernel forbids it, or with `OXBOW_NATIVE=0` in
 * the environment, which is read where Deno permits it. Thrown at the first use, and never at an import; what
 * needs no address works.
 */
export class NativeUnavailableError extends Error {
  override readonly name = "NativeUnavailableError";
  /** Why, as a sentence without what was tried. */
  readonly reason: string;

  constructor(what: string, reason: string, options?: ErrorOptions) {
    super(`cannot ${what}: ${reason}`, options);
    this.reason = reason;
  }
}

const OLDEST: Record<HostName, readonly [major: number, minor: number]> = {
  deno: [2, 9],
  bun: [1, 4],
  node: [26, 1],
};

/** Why no C can be called whatever is permitted, as a sentence; `undefined` where it can. */
export function absence(name: HostName): string | undefined {
  if (environment("OXBOW_NATIVE") === "0") return "OXBOW_NATIVE is 0 in the environment: unset it";
  const { platform, arch, versions } = process;
  if (platform !== "linux" || arch !== "x64") {
    return `Oxbow calls C on Linux on x86-64 alone, and this is ${platform} on ${arch}`;
  }
  const version = versions[name];
  const [major, minor] = OLDEST[name];
  const [itsMajor, itsMinor] = version?.split(".").map(Number) ?? [0, 0];
  if (itsMajor > major || (itsMajor === major && itsMinor >= minor)) return undefined;
  return `this is ${name} ${version ?? "of no known version"}: use ${major}.${minor} or newer`;
}

/** A host that refuses each use, with the same sentence. */
export function absentHost({ name, encoding }: Host, reason: string): Host {
  function refuse(what: string): never {
    throw new NativeUnavailableError(what, reason);
  }
  return {
    name,
    encoding,
    open: (path) => refuse(`open ${path}`),
    addressOf: () => refuse("take an address"),
    bufferAt: () => refuse("view memory"),
    stringAt: () => refuse("read memory"),
    callback: () => refuse("make a callback"),
  };
}
