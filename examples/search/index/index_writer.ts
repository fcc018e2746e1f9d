/**
 * Puts an index in place, all or nothing: both files are written under other names, the text renamed first,
 * and `index.safetensors` last, which is the moment from which the new index holds.
 *
 * @module
 */
import {
  closeSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { basename, join } from "node:path";
import process from "node:process";
import { SafeTensors, type TensorSource } from "../../../lib/formats/safetensors.ts";
import { codeOf, messageOf } from "../errors.ts";
import { FOLDER_NAME, INDEX_NAME, IndexError, TEXT_NAME } from "./index_file.ts";

const LOCK_NAME = "lock";
/** What a run that was killed leaves, of this module and of `SafeTensors.write`. */
const TEMPORARY_NAME = /^\.oxbow-.*\.tmp$/;

/** Writes one index. Disposing removes whatever did not get its name. */
export class IndexWriter implements Disposable {
  /** When the writing began, by the clock of the folder's file system, in seconds since 1970. */
  readonly start: number;
  readonly #folder: string;
  readonly #text: string;
  readonly #index: string;
  readonly #file: number;
  /** Whether the folder was not there before. */
  readonly #made: boolean;
  #isOpen = true;
  #textBytes = 0;

  /**
   * Makes `folder` where it is not there, and keeps other writers out of it.
   *
   * @throws {IndexError} where it cannot be written to, or another process is writing there.
   */
  constructor(folder: string) {
    this.#folder = folder;
    this.#text = join(folder, `.oxbow-${crypto.randomUUID()}.tmp`);
    this.#index = join(folder, `.oxbow-${crypto.randomUUID()}.tmp`);
    try {
      this.#made = mkdirSync(folder, { recursive: true }) !== undefined;
      lock(join(folder, LOCK_NAME));
    } catch (error) {
      if (error instanceof IndexError) throw error;
      throw new IndexError(
        `cannot write an index to ${folder}: ${messageOf(error)}; name another folder with --out`,
        { cause: error },
      );
    }
    removeOthers(folder, TEMPORARY_NAME, "");
    this.#file = openSync(this.#text, "wx");
    this.start = Math.floor(fstatSync(this.#file).ctimeMs / 1000);
  }

  /** Puts `bytes` after the text so far. */
  appendText(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) at += writeSync(this.#file, bytes, at);
    this.#textBytes += bytes.length;
  }

  /**
   * Puts the index in place, with the text under `textName`. Where `signal` is aborted meanwhile, even by
   * what waits in the host's loop, the old index stays.
   */
  async commit(
    textName: string,
    tensors: Readonly<Record<string, TensorSource>>,
    metadata: Readonly<Record<string, string>>,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    fsyncSync(this.#file);
    this.#close();
    SafeTensors.write(this.#index, tensors, {
      metadata: { ...metadata, text: textName, textBytes: String(this.#textBytes) },
    });
    await turn();
    signal?.throwIfAborted();
    if (basename(this.#folder) === FOLDER_NAME) writeFileSync(join(this.#folder, ".gitignore"), "*\n");
    renameSync(this.#text, join(this.#folder, textName));
    syncFolder(this.#folder);
    renameSync(this.#index, join(this.#folder, INDEX_NAME));
    syncFolder(this.#folder);
    removeOthers(this.#folder, TEXT_NAME, textName);
  }

  [Symbol.dispose](): void {
    this.#close();
    rmSync(this.#text, { force: true });
    rmSync(this.#index, { force: true });
    unlock(join(this.#folder, LOCK_NAME));
    if (this.#made && readdirSync(this.#folder).length === 0) rmdirSync(this.#folder);
  }

  #close(): void {
    if (this.#isOpen) closeSync(this.#file);
    this.#isOpen = false;
  }
}

/** Lets the host's loop turn twice, so that a signal that came during long work is heard. */
export async function turn(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 1));
  await new Promise((resolve) => setTimeout(resolve, 0));
}

/** The locks that this process holds. */
const held = new Set<string>();

function lock(path: string): void {
  try {
    writeFileSync(path, String(process.pid), { flag: "wx" });
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error;
    const owner = Number(readFileSync(path, "utf8"));
    const isHeld = owner === process.pid ? held.has(path) : isRunning(owner);
    if (isHeld) {
      throw new IndexError(`process ${owner} is writing this index: wait, or remove ${path} if it is not so`);
    }
    writeFileSync(path, String(process.pid));
  }
  held.add(path);
}

function unlock(path: string): void {
  rmSync(path, { force: true });
  held.delete(path);
}

function isRunning(pid: number): boolean {
  try {
    return pid > 0 && process.kill(pid, 0);
  } catch (error) {
    return codeOf(error) !== "ESRCH";
  }
}

function removeOthers(folder: string, pattern: RegExp, kept: string): void {
  for (const name of readdirSync(folder)) {
    if (pattern.test(name) && name !== kept) rmSync(join(folder, name), { force: true });
  }
}

/** Renames reach the disk with the folder. */
function syncFolder(folder: string): void {
  const file = openSync(folder, "r");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
