import type { Coroutine, Future } from "../task/future.ts";
import { toFuture } from "../task/futures/to_future.ts";
import { abortable, type AbortOptions } from "./abortable.ts";
import type { Handle } from "./handle.ts";
import { metadataOf } from "./metadata.ts";
import { openHandle } from "./open.ts";
import { openingOf } from "./open_options.ts";
import { type FilePath, type Path, pathFrom } from "./path.ts";
import { MOST_BYTES } from "./system_call.ts";
import { CURRENT, readFully } from "./transfer.ts";

/** What has no size, such as a pipe or a file of /proc: until it is at its end. */
function* readToEnd(handle: Handle): Coroutine<Uint8Array<ArrayBuffer>> {
  let bytes = new Uint8Array(MOST_BYTES / 4);
  let length = 0;
  for (;;) {
    const count = yield* readFully(handle, bytes.subarray(length), CURRENT);
    length += count;
    if (length < bytes.length) return bytes.slice(0, length);
    const larger = new Uint8Array(4 * bytes.length);
    larger.set(bytes);
    bytes = larger;
  }
}

function* read(path: Path): Coroutine<Uint8Array<ArrayBuffer>> {
  const handle = yield* openHandle(path, openingOf(`cannot read ${path.text}`, {}));
  try {
    const { kind, size } = yield* metadataOf(handle);
    if (kind !== "regular" || size === 0) return yield* readToEnd(handle);
    const bytes = new Uint8Array(size);
    const length = yield* readFully(handle, bytes, CURRENT);
    return length === size ? bytes : bytes.slice(0, length);
  } finally {
    // Nobody waits for that: nothing was written.
    handle.close();
  }
}

/**
 * All bytes of a file: as many as it had when it was opened, or until the end of what has no size. Fails with a
 * `SystemError`, and a `RangeError` where the host has no memory for them.
 *
 * @example
 * ```ts
 * import { readFile } from "@oxbow/oxbow/fs";
 *
 * const bytes = await readFile("/etc/hostname");
 * console.log(bytes.length > 0); // true
 * ```
 */
export function readFile(path: FilePath, options: AbortOptions = {}): Future<Uint8Array<ArrayBuffer>> {
  const name = pathFrom(path, "read");
  return abortable(`cannot read ${name.text}`, options, () => toFuture(read(name)));
}
