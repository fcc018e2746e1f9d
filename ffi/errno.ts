/** errno(3): a cell of the calling thread, found once and read as memory from then on. */
import { host } from "./host.ts";

let cell: Int32Array | undefined;

/**
 * Finds the thread's errno. Done whenever a library is opened, since the finding itself calls C, and would
 * overwrite the number that the first failed call left.
 */
export function prepareErrno(): Int32Array {
  if (cell === undefined) {
    const locate = host.open("libc.so.6").bind("__errno_location", { parameters: [], result: "usize" });
    cell = new Int32Array(host.bufferAt(BigInt(locate() as bigint), 4));
  }
  return cell;
}

/** The thread's errno. Only the very next thing after a failed call may ask for it. */
export function errno(): number {
  return prepareErrno()[0];
}
