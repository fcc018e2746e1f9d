import { requireFlag, requireNames, shown } from "../../io/arguments.ts";
import { Fd } from "../../io/fd.ts";
import { PipeReader, PipeWriter } from "../pipe.ts";

/** How `openFifo` opens a named pipe. */
export interface FifoOptions {
  end: "read" | "write";
  /**
   * Opens it for both, so that the pipe never lacks the other end: a reader finds no end while writers come and go, and
   * a writer needs no reader to begin. fifo(7): Linux alone allows it.
   */
  keepOpen?: boolean;
}

/**
 * Opens an end of a named pipe: fifo(7). A reader that opens it before any writer reads the end at once, unless it is
 * kept open. Throws a `SystemError`: `ENXIO` for a writer where nobody reads; a `TypeError` for what is no named pipe.
 */
export function openFifo(path: string | URL, options: FifoOptions & { end: "read" }): PipeReader;
export function openFifo(path: string | URL, options: FifoOptions & { end: "write" }): PipeWriter;
export function openFifo(path: string | URL, options: FifoOptions): PipeReader | PipeWriter {
  const what = "cannot open a named pipe";
  requireNames(what, "options are", options, ["end", "keepOpen"]);
  const { end, keepOpen = false } = options;
  if (end !== "read" && end !== "write") {
    throw new TypeError(`${what}: end is ${shown(end)}, neither "read" nor "write"`);
  }
  requireFlag(what, "keepOpen", keepOpen);
  const isReader = end === "read";
  const fd = Fd.open(path, { read: isReader || keepOpen, write: !isReader || keepOpen });
  try {
    return isReader ? PipeReader.from(fd) : PipeWriter.from(fd);
  } catch (error) {
    fd.close();
    throw error;
  }
}
