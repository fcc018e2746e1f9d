/**
 * In what state the files of an index were when they were read, so that a later run need not read what has
 * not changed. It lies beside the index and not in it, for that hangs on contents alone; and it can be done
 * without: then all files are read.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { SafeTensors, SafeTensorsError } from "../../../lib/formats/safetensors.ts";
import { type FileState, isSameState } from "./walk.ts";

const SEEN_NAME = "seen.safetensors";
/** Numbers of a state: size, modified, changed. */
const FIELDS = 3;
/** Of a file that changed so few seconds before it was read, a change after might not show. */
const GRAIN = 3;

/** The states of files, in the order of an index. */
export class SeenFiles {
  readonly #states: Float64Array;

  private constructor(states: Float64Array) {
    this.#states = states;
  }

  /** What is known of the `count` files of the index in `folder` whose text is `textName`: in doubt, nothing. */
  static read(folder: string, textName: string, count: number): SeenFiles {
    const path = join(folder, SEEN_NAME);
    const unknown = new SeenFiles(new Float64Array(FIELDS * count).fill(NaN));
    if (!existsSync(path)) return unknown;
    try {
      using tensors = SafeTensors.open(path);
      if (tensors.metadata.text !== textName) return unknown;
      const { dtype, data } = tensors.tensor("states");
      return dtype === "F64" && data.length === FIELDS * count ? new SeenFiles(data.slice()) : unknown;
    } catch (error) {
      if (error instanceof SafeTensorsError || error instanceof RangeError) return unknown;
      throw error;
    }
  }

  /** Writes what was found, in the order of the index, by a run that began at `start`, in seconds. */
  static write(folder: string, textName: string, found: readonly FileState[], start: number): void {
    const states = found.flatMap((file) =>
      file.changed < start - GRAIN
        ? [file.size, file.modified, file.changed]
        : new Array<number>(FIELDS).fill(NaN)
    );
    SafeTensors.write(join(folder, SEEN_NAME), {
      states: { dtype: "F64", shape: [found.length, FIELDS], data: Float64Array.from(states) },
    }, { metadata: { text: textName } });
  }

  /** Whether file number `file` is as it was. */
  isUnchanged(file: number, found: FileState): boolean {
    const [size, modified, changed] = this.#states.subarray(FIELDS * file, FIELDS * (file + 1));
    return isSameState({ size, modified, changed }, found);
  }
}
