import { stat } from "./linux.ts";

/** `S_IFMT`'s values: inode(7). */
export const FileType = {
  socket: 0o140000,
  symlink: 0o120000,
  regular: 0o100000,
  block: 0o060000,
  directory: 0o040000,
  character: 0o020000,
  fifo: 0o010000,
} as const;

/** A `struct stat` to be filled in by the kernel. */
export class Stat {
  readonly bytes: Uint8Array<ArrayBuffer> = new Uint8Array(stat.size);
  #fields: ReturnType<typeof stat.view> = stat.view(this.bytes);

  get device(): bigint {
    return this.#fields.st_dev;
  }

  get inode(): bigint {
    return this.#fields.st_ino;
  }

  /** The file's type: `S_IFMT` of `st_mode`. */
  get type(): number {
    return this.#fields.st_mode & 0o170000;
  }

  get size(): number {
    return this.#fields.st_size;
  }

  /** How many names the file has: none once it was removed or replaced. */
  get links(): number {
    return this.#fields.st_nlink;
  }

  /** Whole seconds since 1970 at which its bytes were last said to be changed. */
  get modified(): number {
    return this.#fields.st_mtim.tv_sec;
  }

  /** When anything of it was changed, which nobody can set: seconds, and the nanoseconds after them. */
  get changed(): readonly [seconds: number, nanoseconds: number] {
    const { tv_sec, tv_nsec } = this.#fields.st_ctim;
    return [tv_sec, tv_nsec];
  }
}
