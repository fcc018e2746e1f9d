/**
 * In what state the files of an index were when they were read, so that a later run need not read what has
 * not changed. It lies beside the index and not in it, for that hangs on contents alone; and it can be done
 * without: then all files are read.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { SafeTensors, SafeTensorsError } from "../../lib/formats/safetensors.ts";
import type { FoundFile } from "./walk.ts";

const SEEN_NAME = "seen.safetensors";
/** Of a file that changed so few milliseconds before it was read, a change after might not show. */
const GRAIN = 2000;

/** Sizes and times of change, file by file in the order of an index. */
export class SeenFiles {
  readonly #sizes: Float64Array;
  readonly #changed: Float64Array;

  private constructor(sizes: Float64Array, changed: Float64Array) {
    this.#sizes = sizes;
    this.#changed = changed;
  }

  /** What is known of the `count` files of the index in `folder` whose text is `textName`; if in doubt, nothing. */
  static read(folder: string, textName: string, count: number): SeenFiles {
    const sizes = new Float64Array(count);
    const changed = new Float64Array(count).fill(NaN);
    const path = join(folder, SEEN_NAME);
    if (existsSync(path)) {
      try {
        using tensors = SafeTensors.open(path);
        const size = tensors.tensor("size");
        const change = tensors.tensor("changed");
        const fits = tensors.metadata.text === textName && size.data.length === count &&
          change.data.length === count;
        if (fits && size.dtype === "F64" && change.dtype === "F64") {
          sizes.set(size.data);
          changed.set(change.data);
        }
      } catch (error) {
        if (!(error instanceof SafeTensorsError || error instanceof RangeError)) throw error;
      }
    }
    return new SeenFiles(sizes, changed);
  }

  /** Writes what was found, in the order of the index, by a run that began at `start` on the folder's clock. */
  static write(folder: string, textName: string, found: readonly FoundFile[], start: number): void {
    const size = Float64Array.from(found, (file) => file.size);
    const changed = Float64Array.from(found, (file) => file.changed < start - GRAIN ? file.changed : NaN);
    SafeTensors.write(join(folder, SEEN_NAME), {
      size: { dtype: "F64", shape: [size.length], data: size },
      changed: { dtype: "F64", shape: [changed.length], data: changed },
    }, { metadata: { text: textName } });
  }

  /** Whether file number `file` is as it was. */
  isUnchanged(file: number, found: FoundFile): boolean {
    return this.#sizes[file] === found.size && this.#changed[file] === found.changed;
  }
}
