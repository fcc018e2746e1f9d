/** How a map is opened, and what of it can be wrong. */
import { requireFlag, requireNames, shown } from "../io/arguments.ts";
import { ADVICE, type Advice } from "./advice.ts";

/**
 * NumPy's modes. `r` is read-only, by promise; `r+` writes to the file, `c` to pages of its own, which nobody else
 * sees; `w+` creates the file, or cuts it, to the length that is asked for; `a+` creates it, or lengthens it.
 */
export type MapMode = "r" | "r+" | "c" | "w+" | "a+";

/** Whether the views of a map are there to be written to: for the compiler alone. */
export type MapAccess = "read" | "write";

/** Large pages: `transparent` ones where the kernel has some, or `reserved` ones of 2 MiB, which it must have. */
export type HugePages = "transparent" | "reserved";

/** What holds for a map of anything. */
export interface MappedOptions {
  /** Reads all pages in before the map is given: else each is read when it is first looked at. */
  populate?: boolean;
  /** What madvise(2) is told of all of it. */
  advice?: Advice;
}

/** What part of a file is mapped, and how. */
export interface MmapOptions extends MappedOptions {
  /** `r` where nothing is said. */
  mode?: MapMode;
  /** The first byte, of any alignment: 0 where nothing is said. */
  offset?: number;
  /** In bytes: up to the file's end where nothing is said. `w+` needs it. */
  length?: number;
  /** Asks the kernel for large pages: `transparent` alone, since a file has no reserved ones. */
  hugePages?: "transparent";
  /**
   * Lets the CPU refuse to write, in mode `r`. Unsafe: a stray write ends the process by SIGSEGV, where it else
   * costs a page.
   */
  unsafeEnforce?: boolean;
}

/** What may not be done to a file in memory any more: fcntl(2), "File Sealing". */
export type Seal = "grow" | "shrink" | "futureWrite" | "seal";

/** A map of memory that has no path. */
export interface AnonymousOptions extends MappedOptions {
  hugePages?: HugePages;
}

/** A map of a file in memory. */
export interface MemfdOptions extends AnonymousOptions {
  /** None where nothing is said. `futureWrite` leaves this map alone writable. */
  seals?: readonly Seal[];
}

/** A map of what a descriptor has open. */
export interface FromFdOptions extends Omit<MmapOptions, "mode"> {
  mode?: "r" | "r+" | "c";
}

const SEALS: readonly string[] = ["grow", "shrink", "futureWrite", "seal"] satisfies Seal[];
const MODES: readonly string[] = ["r", "r+", "c", "w+", "a+"] satisfies MapMode[];
const MAPPED = ["advice", "hugePages", "populate"];
const NAMES: readonly string[] = ["mode", "offset", "length", "unsafeEnforce", ...MAPPED];
const MEMFD_NAMES: readonly string[] = ["seals", ...MAPPED];

/** Throws for what is no choice of `choices`. */
function requireChoice(what: string, name: string, value: unknown, choices: readonly string[]): void {
  if (value !== undefined && !(typeof value === "string" && choices.includes(value))) {
    const said = typeof value === "string" ? value : shown(value);
    throw new TypeError(`${what}: ${name} is ${said}, and none of ${choices.join(", ")}`);
  }
}

/** Throws for what is no advice. */
export function requireAdvice(what: string, advice: unknown): void {
  if (advice !== undefined) requireChoice(what, "advice", advice, Object.keys(ADVICE));
}

/**
 * A plain copy of the options of memory without a path, each read once. Throws for one that is not of the kind that
 * it should be.
 */
export function readMemfdOptions(what: string, options: MemfdOptions): MemfdOptions {
  requireNames(what, "options are", options, MEMFD_NAMES);
  const { advice, hugePages, populate, seals: list } = options;
  requireAdvice(what, advice);
  requireChoice(what, "hugePages", hugePages, ["transparent", "reserved"]);
  requireFlag(what, "populate", populate);
  if (list !== undefined && !Array.isArray(list)) throw new TypeError(`${what}: seals is no list`);
  const seals = [...list ?? []];
  for (const seal of seals) requireChoice(what, "a seal", seal, SEALS);
  return { advice, hugePages, populate, seals };
}

/** A plain copy of the options, each read once. Throws for one that is not of the kind that it should be. */
export function readOptions(
  what: string,
  options: MmapOptions,
  modes: readonly string[] = MODES,
  names: readonly string[] = NAMES,
): MmapOptions {
  requireNames(what, "options are", options, names);
  const { mode, offset, length, advice, hugePages, populate, unsafeEnforce } = options;
  requireChoice(what, "mode", mode, modes);
  requireAdvice(what, advice);
  requireChoice(what, "hugePages", hugePages, ["transparent"]);
  requireFlag(what, "populate", populate);
  requireFlag(what, "unsafeEnforce", unsafeEnforce);
  if (unsafeEnforce && (mode ?? "r") !== "r") {
    throw new TypeError(`${what}: unsafeEnforce is for mode r, and mode is ${mode}`);
  }
  if (mode === "w+" && length === undefined) {
    throw new TypeError(
      `${what}: mode w+ makes a file of the length that is asked for, and length is missing`,
    );
  }
  // Before a file is made.
  if (mode === "w+" || mode === "a+") requireCounts(what, { offset, length });
  return { mode, offset, length, advice, hugePages, populate, unsafeEnforce };
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

/** Throws for what is no count of bytes. */
export function requireCount(what: string, name: string, value: unknown): void {
  if (!isCount(value)) throw new RangeError(`${what}: ${name} is ${shown(value)}, not a count of bytes`);
}

/** Throws for what is no number, before it is reckoned with. */
export function requireNumber(what: string, name: string, value: unknown, unit = "bytes"): void {
  if (typeof value !== "number") {
    throw new RangeError(`${what}: ${name} is ${shown(value)}, not a count of ${unit}`);
  }
}

/** Throws for what is no part of any file. */
function requireCounts(what: string, { offset = 0, length = 0 }: MmapOptions): void {
  requireCount(what, "offset", offset);
  requireCount(what, "length", length);
  requireCount(what, "offset + length", offset + length);
}

/** The part that is mapped of a file of `size` bytes; of one that grows with it where `grows`. */
export function checkedRange(
  what: string,
  size: number,
  { offset = 0, length }: MmapOptions,
  grows: boolean,
): [offset: number, length: number] {
  if (grows) {
    requireCounts(what, { offset, length });
    return [offset, length ?? Math.max(size - offset, 0)];
  }
  requireNumber(what, "offset", offset);
  if (length !== undefined) requireNumber(what, "length", length);
  if (!isCount(offset) || offset > size) {
    throw new RangeError(`${what}: offset is ${offset}, and the file has ${size} bytes`);
  }
  const rest = size - offset;
  if (length !== undefined && (!isCount(length) || length > rest)) {
    throw new RangeError(
      `${what}: length is ${length}, and from ${offset} the file has ${rest} bytes`,
    );
  }
  return [offset, length ?? rest];
}
