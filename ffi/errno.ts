/** errno(3): a cell of the calling thread, found once and read as memory from then on. */
import { host, type RawLibrary, word } from "./host.ts";
import { LIBC } from "./soname.ts";
import { NativeUnavailableError } from "./unavailable.ts";

let read: (() => number) | undefined;

/** By the host itself: the typed `dlopen` asks for errno before it opens anything. */
function openLibc(): RawLibrary {
  const failures: unknown[] = [];
  for (const name of LIBC) {
    try {
      return host.open(name);
    } catch (error) {
      failures.push(error);
    }
  }
  throw failures[0];
}

function reader(): () => number {
  const libc = openLibc();
  const address = BigInt(libc.bind("__errno_location", { parameters: [], result: "usize" })() as bigint);
  try {
    const cell = new Int32Array(host.bufferAt(address, 4));
    return () => cell[0];
  } catch (error) {
    if (!(error instanceof NativeUnavailableError)) throw error;
    // Where Deno lets C be called and no memory be viewed, C brings the number. memcpy(3) sets none.
    const memcpy = libc.bind("memcpy", { parameters: ["buffer", "u64", "usize"], result: "void" });
    const copy = new Int32Array(1);
    const [from, length] = [word(address), word(copy.byteLength)];
    return () => {
      memcpy(copy, from, length);
      return copy[0];
    };
  }
}

/**
 * Finds the thread's errno. Done whenever a library is opened, since the finding itself calls C, and would
 * overwrite the number that the first failed call left.
 */
export function prepareErrno(): void {
  try {
    read ??= reader();
  } catch (error) {
    // Where libc is not among the libraries that are permitted, those that are can be used without it.
    if (!(error instanceof NativeUnavailableError)) throw error;
  }
}

/** The thread's errno. Only the very next thing after a failed call may ask for it. */
export function errno(): number {
  read ??= reader();
  return read();
}
