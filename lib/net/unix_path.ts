import { lstatSync, rmSync, type Stats } from "node:fs";
import { resolve } from "node:path";
import { requireFlag } from "../io/arguments.ts";
import type { UnixAddress } from "../io/unix_address.ts";
import { isSameFile, type UnixBindOptions } from "../io/unix_bind.ts";

/** How a socket gets its path, and what becomes of it. */
export interface UnixPathOptions extends UnixBindOptions {
  /** Closing removes the file, where it is still this socket's: `true` where nothing is said. */
  unlink?: boolean;
}

/** The file of a socket that was bound just now, wherever the process goes from here. */
export class SocketFile {
  readonly #path: string;
  readonly #file: Stats;

  /** `null` where the address is no path, or the file is to stay. */
  static of(address: UnixAddress, unlink: boolean | undefined): SocketFile | null {
    return "path" in address && (unlink ?? true) ? new SocketFile(address.path) : null;
  }

  private constructor(path: string) {
    this.#path = resolve(path);
    this.#file = lstatSync(path);
  }

  /** Removes it, where no other has taken its place. */
  remove(): void {
    const found = lstatSync(this.#path, { throwIfNoEntry: false });
    if (found !== undefined && isSameFile(found, this.#file)) rmSync(this.#path, { force: true });
  }
}

/** What is for `unix_bind.ts` of it; `unlink` is checked here. */
export function bindOptionsOf(what: string, { unlink, ...options }: UnixPathOptions): UnixBindOptions {
  requireFlag(what, "unlink", unlink);
  return options;
}
