/** What goes wrong with a map that was opened. */

/**
 * A buffer of the map was transferred away, or the host holds on to it: its memory reads zero from now on,
 * and stays mapped for as long as somebody has it.
 */
export class MapTransferredError extends Error {
  override readonly name = "MapTransferredError";
}

/** Somebody has retained the map, which therefore stays where it is. */
export class MapInUseError extends Error {
  override readonly name = "MapInUseError";
}

/**
 * Pages of the map could not be had when they were read or written, and are zeros since: what was written to
 * them is lost. The disk is full under a sparse file, or fails; or the file was cut short (`MapTruncatedError`).
 */
export class MapFaultError extends Error {
  override readonly name: string = "MapFaultError";
  readonly path: string;
  /** The first byte that is a zero now, counted from the map's start. */
  readonly offset: number;
  /** To the last one, in bytes. */
  readonly length: number;

  constructor(message: string, path: string, offset: number, length: number) {
    super(message);
    this.path = path;
    this.offset = offset;
    this.length = length;
  }
}

/** The file was cut short under the map, and what lay behind its new end was read or written: it is zeros. */
export class MapTruncatedError extends MapFaultError {
  override readonly name = "MapTruncatedError";
}

/** A handle that names no map of this process: it is stale, forged, or another process's. */
export class HandleError extends Error {
  override readonly name = "HandleError";
}
