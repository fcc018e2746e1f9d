/** The words of a model, behind those of the map. */
export interface Ghosts {
  /** For each slot, how often it was run. */
  readonly ran: number;
  /** For each slot, how often it came to an end in its owner's eyes. */
  readonly ended: number;
  /** For each lane, its eventfd's count. */
  readonly events: number;
  /** 1 once the victim is dead. */
  readonly died: number;
  /** 1 once its lane is sealed. */
  readonly sealed: number;
  /** Jobs that a lane began which were not for it. */
  readonly strays: number;
  /** How many jobs there are to be run. */
  readonly pushed: number;
}

/** How many units the range has that the threads of a scenario claim. */
export const RANGE_UNITS = 5;

/** Nobody reads them: the model has words of its own in their places. */
export const RANGE_WORDS: Int32Array<ArrayBuffer> = new Int32Array(0);
