import { check } from "../../ffi/mod.ts";
import { descriptors } from "../../ffi/descriptors.ts";
import { Fd } from "./fd.ts";

const O_NONBLOCK = 0o4000;
const O_CLOEXEC = 0o2000000;

/**
 * The two ends of a pipe, non-blocking: pipe2(2). What is written to the second is read from the first. Throws a
 * `SystemError`: `EMFILE` where there are as many descriptors as may be.
 *
 * @example
 * ```ts
 * import { pipe } from "@oxbow/oxbow/io";
 *
 * const [reader, writer] = pipe();
 * writer.write(Uint8Array.of(111, 120));
 * const bytes = new Uint8Array(8);
 * console.log(reader.read(bytes), bytes[0]); // 2 111
 * writer.close();
 * console.log(reader.read(bytes)); // 0
 * reader.close();
 * ```
 */
export function pipe(): [reader: Fd, writer: Fd] {
  const ends = new Int32Array(2);
  check(descriptors().pipe2(ends, O_NONBLOCK | O_CLOEXEC), "pipe2");
  return [Fd.unsafeOwn(ends[0]), Fd.unsafeOwn(ends[1])];
}
