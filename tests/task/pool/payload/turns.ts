/** Words that two threads take turns by: a slot plus 1 where the worker's turn is, and whether it has failed. */
export const TURN = 0;
export const FAILED = 1;
export const STOPPED = -1;
/** What a slot's message is. */
export const EMPTY = 0;
export const WRITTEN = 1;
export const READ = 2;
export const BROKEN = 3;
