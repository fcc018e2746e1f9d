/**
 * In what state the files of an index were when they were read, so that a later run need not read what has
 * not changed, and the checksum of that index, so that nothing is taken over from a damaged one. It lies
 * beside the index and not in it, for that hangs on contents alone; and it can be done without: then the
 * index is made anew.
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
  /** Of the index that they are the files of. */
  readonly checksum: string;
  readonly #states: Float64Array;

  private constructor(checksum: string, states: Float64Array) {
    this.checksum = checksum;
    this.#states = states;
  }

  /** What is known of the `count` files of the index in `folder`; `undefined` in doubt. */
  static read(folder: string, count: number): SeenFiles | undefined {
    const path = join(folder, SEEN_NAME);
    if (!existsSync(path)) return undefined;
    try {
      using tensors = SafeTensors.open(path);
      const { dtype, data } = tensors.tensor("states");
      if (dtype !== "F64" || data.length !== FIELDS * count) return undefined;
      return new SeenFiles(tensors.metadata.checksum, data.slice());
    } catch (error) {
      if (error instanceof SafeTensorsError || error instanceof RangeError) return undefined;
      throw error;
    }
  }

  /** Writes what was found, in the order of the index, by a run that began at `start`, in seconds. */
  static write(folder: string, checksum: string, found: readonly FileState[], start: number): void {
    const states = found.flatMap((file) =>
      file.changed < start - GRAIN
        ? [file.size, file.modified, file.changed]
        : new Array<number>(FIELDS).fill(NaN)
    );
    SafeTensors.write(join(folder, SEEN_NAME), {
      states: { dtype: "F64", shape: [found.length, FIELDS], data: Float64Array.from(states) },
    }, { metadata: { checksum } });
  }

  /** Whether file number `file` is as it was. */
  isUnchanged(file: number, found: FileState): boolean {
    const [size, modified, changed] = this.#states.subarray(FIELDS * file, FIELDS * (file + 1));
    return isSameState({ size, modified, changed }, found);
  }
}
