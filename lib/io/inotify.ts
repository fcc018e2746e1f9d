import { errno, SystemError } from "../../ffi/mod.ts";
import { descriptors } from "../../ffi/descriptors.ts";
import { inotify_event } from "../../ffi/layout/linux.ts";
import { NativeBuffer } from "../../ffi/native_buffer.ts";
import { requireRead } from "../../ffi/permissions.ts";
import { shown } from "./arguments.ts";
import { Fd, numberOf, toPath, WouldBlock } from "./fd.ts";
import {
  IN_ALL_EVENTS,
  IN_DONT_FOLLOW,
  IN_EXCL_UNLINK,
  IN_MASK_ADD,
  IN_MASK_CREATE,
  IN_ONESHOT,
  IN_ONLYDIR,
} from "./inotify_flags.ts";
import { withPath } from "./open.ts";

export * from "./inotify_flags.ts";

const IN_NONBLOCK = 0o4000;
const IN_CLOEXEC = 0o2000000;
const ASKED = IN_ALL_EVENTS | IN_ONLYDIR | IN_DONT_FOLLOW | IN_EXCL_UNLINK | IN_MASK_CREATE | IN_MASK_ADD |
  IN_ONESHOT;

const ENOENT = 2;
const EINVAL = 22;
const EMFILE = 24;
const ENOSPC = 28;

/** An event takes 16 bytes and its name's, which are 256 at most. */
const BUFFER_BYTES = 16384;

const { offsets: at, size: HEAD } = inotify_event;

/** What has happened. */
export interface InotifyEvent {
  /** What `watch` returned for what it happened to; -1 of an overflow. */
  readonly watch: number;
  /** One of `IN_ACCESS` to `IN_MOVE_SELF`, or what is told unasked, with `IN_ISDIR`. */
  readonly mask: number;
  /** The same of `IN_MOVED_FROM` and its `IN_MOVED_TO`; else 0. */
  readonly cookie: number;
  /** In a folder that is watched; what is no UTF-8 of it reads as U+FFFD. `undefined` where it is the watched itself. */
  readonly name: string | undefined;
}

/**
 * What happens to files and in folders, as a queue in the kernel that is readable while something is in it: inotify(7),
 * non-blocking. A folder is watched with what is directly in it, and not with its subfolders. Events that are the same
 * as the last of the queue are dropped; of a full queue the rest is lost, which `IN_Q_OVERFLOW` tells.
 *
 * @example
 * ```ts
 * import { IN_CREATE, IN_DELETE, Inotify, WouldBlock } from "@oxbow/oxbow/io";
 * import { mkdtempSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
 *
 * const folder = mkdtempSync("/tmp/watched-");
 * using inotify = new Inotify();
 * inotify.watch(folder, IN_CREATE | IN_DELETE);
 * writeFileSync(`${folder}/ox`, "");
 * rmSync(`${folder}/ox`);
 * const events = inotify.read();
 * if (events !== WouldBlock) {
 *   for (const { mask, name } of events) {
 *     console.log(mask === IN_CREATE ? "made" : "deleted", name); // made ox, deleted ox
 *   }
 * }
 * rmdirSync(folder);
 * ```
 */
export class Inotify implements Disposable {
  readonly fd: Fd;
  #buffer: NativeBuffer = new NativeBuffer(BUFFER_BYTES);
  #data: DataView<ArrayBuffer> = new DataView(this.#buffer.bytes.buffer);

  /** Throws a `SystemError`: `EMFILE` where this user has as many as /proc/sys/fs/inotify/max_user_instances says. */
  constructor() {
    const number = descriptors().inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (number === -1) {
      const failure = errno();
      const hint = failure === EMFILE
        ? "raise `ulimit -n`, or /proc/sys/fs/inotify/max_user_instances"
        : undefined;
      throw new SystemError(failure, "inotify_init1", { hint });
    }
    this.fd = Fd.unsafeOwn(number);
  }

  /**
   * Watches a file or a folder, and returns the number that its events carry. What was watched already, by whatever
   * path, keeps its number, and is watched for `mask` in place of what it was. In Deno it asks for `--allow-read` of
   * the path. Throws a `SystemError`: `ENOENT`, `EACCES`, `ENOSPC` where as much is watched as may be, `ENOTDIR` with
   * `IN_ONLYDIR`, `EEXIST` with `IN_MASK_CREATE`.
   */
  watch(path: string | URL, mask: number): number {
    const name = toPath(path, "watch");
    const what = `cannot watch ${name}`;
    // As a signed or an unsigned number: IN_ONESHOT is the sign.
    if (typeof mask !== "number" || ((mask | 0) !== mask && (mask >>> 0) !== mask)) {
      throw new RangeError(`${what}: mask is ${shown(mask)}, not flags in 32 bits`);
    }
    const wanted = mask >>> 0;
    const unknown = (wanted & ~ASKED) >>> 0;
    if (unknown !== 0) {
      throw new RangeError(`${what}: mask has 0x${unknown.toString(16)}, which is nothing to be asked for`);
    }
    if ((wanted & IN_ALL_EVENTS) === 0) throw new RangeError(`${what}: mask asks for no event`);
    if ((wanted & IN_MASK_ADD) !== 0 && (wanted & IN_MASK_CREATE) !== 0) {
      throw new TypeError(`${what}: IN_MASK_ADD does not go with IN_MASK_CREATE`);
    }
    const fd = numberOf(this.fd);
    requireRead(name);
    const follows = (wanted & IN_DONT_FOLLOW) === 0;
    const watch = withPath(name, follows, (found) => {
      // Where it is another path, that of a descriptor, what it leads to is what was found, a link or not.
      const number = descriptors().inotify_add_watch(
        fd,
        found,
        found === name ? wanted : wanted & ~IN_DONT_FOLLOW,
      );
      return number === -1 ? -errno() : number;
    });
    if (watch < 0) throw new SystemError(-watch, "inotify_add_watch", { path: name, hint: hintFor(-watch) });
    return watch;
  }

  /**
   * Ends a watch; `IN_IGNORED` is told once, after what has happened until then. Throws a `SystemError`: `EINVAL` where
   * it has ended already.
   */
  remove(watch: number): void {
    if (typeof watch !== "number" || (watch | 0) !== watch) {
      throw new RangeError(`cannot end a watch: watch is ${shown(watch)}, no watch's`);
    }
    if (descriptors().inotify_rm_watch(numberOf(this.fd), watch) !== -1) return;
    const failure = errno();
    const hint = failure === EINVAL ? `watch ${watch} has ended, or never was` : undefined;
    throw new SystemError(failure, "inotify_rm_watch", { hint });
  }

  /** What has happened, the earliest first, as much as 16 KiB hold; `WouldBlock` where nothing more has. */
  read(): InotifyEvent[] | typeof WouldBlock {
    const count = this.fd.read(this.#buffer);
    if (count === WouldBlock) return WouldBlock;
    const events: InotifyEvent[] = [];
    const data = this.#data;
    for (let offset = 0; offset < count;) {
      const length = data.getUint32(offset + at.len, true);
      events.push({
        watch: data.getInt32(offset + at.wd, true),
        mask: data.getUint32(offset + at.mask, true),
        cookie: data.getUint32(offset + at.cookie, true),
        name: length === 0
          ? undefined
          : nameIn(this.#buffer.bytes.subarray(offset + HEAD, offset + HEAD + length)),
      });
      offset += HEAD + length;
    }
    return events;
  }

  close(): void {
    this.fd.close();
  }

  [Symbol.dispose](): void {
    this.fd.close();
  }
}

/** A name is filled up with NULs. */
function nameIn(bytes: Uint8Array<ArrayBuffer>): string {
  return new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(0)));
}

function hintFor(failure: number): string | undefined {
  switch (failure) {
    case ENOENT:
      return "watch the folder that it is to come to";
    case ENOSPC:
      return "this user watches as much as /proc/sys/fs/inotify/max_user_watches says";
    default:
      return undefined;
  }
}
