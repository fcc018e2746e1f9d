/** What is sent to a lane like a job that is pinned to it, and is none: numbers below those of functions. */

/** A job's report, to its submitter: the job's slot, its sequence number, the value. */
export const PROGRESS = 1;
/** A worker's wish for one more thread, to the opener. */
export const WANT_THREAD = 2;
/** A worker is there: to the opener. */
export const ARRIVED = 3;
