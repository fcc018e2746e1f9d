import { areCrossingsWanted } from "../../../mem/crossing.ts";

/** Loads the classes whose objects cross by reference once one may have to: most jobs have none. */
export class CrossingLoader {
  #areLoaded = false;
  #loading: Promise<unknown> | null = null;
  /** Slots of jobs that wait until they are loaded. */
  readonly waiting: number[] = [];

  get areLoaded(): boolean {
    return this.#areLoaded;
  }

  async load(): Promise<void> {
    await (this.#loading ??= import("../payload/crossing_classes.ts"));
    this.#areLoaded = true;
  }

  /** Where a module was loaded that has such objects. */
  async loadWhereWanted(): Promise<void> {
    if (!this.#areLoaded && areCrossingsWanted()) await this.load();
  }
}

/** This thread's. */
export const crossingLoader: CrossingLoader = new CrossingLoader();
