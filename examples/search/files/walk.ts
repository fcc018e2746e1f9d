/**
 * Lists the text files of a folder: what `.gitignore` files leave, in the order of the bytes of their
 * paths. Follows no symbolic links, so it comes to an end, and stays within the folder.
 *
 * @module
 */
import { type Dirent, lstatSync, readdirSync, readFileSync, type Stats, statSync } from "node:fs";
import { join, resolve } from "node:path";
import ignore, { type Ignore } from "ignore";
import { codeOf, messageOf } from "../errors.ts";
import { FOLDER_NAME } from "../index/index_file.ts";

/** What tells without a look into a file whether it is still the same. */
export interface FileState {
  readonly size: number;
  /** When it was last written to, by what it says itself: its mtime, in milliseconds since 1970. */
  readonly modified: number;
  /** When it last changed in any way, by the kernel: its ctime, in seconds, for Deno tells no more. */
  readonly changed: number;
}

/** A regular file, as it was when the walk came by. */
export interface FoundFile extends FileState {
  /** Below the folder, with `/`. */
  readonly path: string;
}

/** What a walk found. */
export interface Walk {
  readonly files: FoundFile[];
  /** Files and folders that could not be looked at, or that went while the walk was on. */
  readonly unreadable: number;
}

/** Never entered: nobody's text. */
const SKIPPED: ReadonlySet<string> = new Set([".git", FOLDER_NAME]);

/** The rules of one `.gitignore`, and the folder that holds for: `""` or `"a/b/"`. */
interface Rules {
  readonly folder: string;
  readonly ignore: Ignore;
}

/**
 * The files below `root`, but for what is below the folder `except`.
 *
 * @throws {Error} where `root` is not there, not a folder, or cannot be read.
 */
export function walk(root: string, except: string): Walk {
  checkFolder(root);
  const walker = new Walker(root, resolve(except));
  walker.visit("", []);
  walker.files.sort((a, b) => compareUtf8(a.path, b.path));
  return walker;
}

function checkFolder(root: string): void {
  try {
    if (!statSync(root).isDirectory()) throw new Error("it is not a folder");
    readdirSync(root);
  } catch (error) {
    const reason = codeOf(error) === "ENOENT" ? "there is no such folder" : messageOf(error);
    throw new Error(`cannot index ${root}: ${reason}`, { cause: error });
  }
}

/** The same numbers on every host. */
export function stateOf({ size, mtimeMs, ctimeMs }: Stats): FileState {
  return { size, modified: Math.floor(mtimeMs), changed: Math.floor(ctimeMs / 1000) };
}

/** Whether nothing tells two states apart. */
export function isSameState(a: FileState, b: FileState): boolean {
  return a.size === b.size && a.modified === b.modified && a.changed === b.changed;
}

class Walker implements Walk {
  readonly files: FoundFile[] = [];
  unreadable = 0;
  readonly #root: string;
  readonly #except: string;

  constructor(root: string, except: string) {
    this.#root = root;
    this.#except = except;
  }

  /** Lists `folder`, which is `""` or ends with a slash; the rules above it come first. */
  visit(folder: string, above: readonly Rules[]): void {
    const entries = this.#try(() => readdirSync(join(this.#root, folder), { withFileTypes: true }));
    if (entries === undefined) return;
    const rules = this.#rulesOf(folder, entries, above);
    for (const entry of entries) {
      const path = folder + entry.name;
      if (entry.isDirectory()) {
        const isSkipped = SKIPPED.has(entry.name) || resolve(this.#root, path) === this.#except;
        if (!isSkipped && !isIgnored(`${path}/`, rules)) this.visit(`${path}/`, rules);
      } else if (entry.isFile() && !isIgnored(path, rules)) {
        this.#add(path);
      }
    }
  }

  #add(path: string): void {
    const status = this.#try(() => lstatSync(join(this.#root, path)));
    if (status?.isFile()) this.files.push({ path, ...stateOf(status) });
  }

  #rulesOf(folder: string, entries: readonly Dirent[], above: readonly Rules[]): readonly Rules[] {
    if (!entries.some((entry) => entry.name === ".gitignore" && entry.isFile())) return above;
    const text = this.#try(() => readFileSync(join(this.#root, folder, ".gitignore"), "utf8"));
    if (text === undefined) return above;
    return [...above, { folder, ignore: ignore({ ignorecase: false, allowRelativePaths: true }).add(text) }];
  }

  #try<T>(read: () => T): T | undefined {
    try {
      return read();
    } catch {
      this.unreadable++;
      return undefined;
    }
  }
}

/** The deepest file that has anything to say decides. */
function isIgnored(path: string, rules: readonly Rules[]): boolean {
  for (const { folder, ignore } of rules.toReversed()) {
    const { ignored, unignored } = ignore.test(path.slice(folder.length));
    if (ignored || unignored) return ignored;
  }
  return false;
}

/** In the order of their UTF-8, which is not that of UTF-16 where surrogates are. */
function compareUtf8(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const difference = a.charCodeAt(i) - b.charCodeAt(i);
    if (difference !== 0) return rank(a.charCodeAt(i)) - rank(b.charCodeAt(i));
  }
  return a.length - b.length;
}

function rank(unit: number): number {
  return unit < 0xd800 ? unit : unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}
