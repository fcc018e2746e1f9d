/**
 * What a server has done since it began, as numbers of 64 bits side by side: one thread writes them and any may read,
 * for an aligned one is written as a whole.
 */
export type Tally = Float64Array<ArrayBuffer>;

/** Requests whose head was read. */
export const REQUESTS = 0;
/** Bytes that clients have sent. */
export const RECEIVED = 1;
/** Bytes that were sent to them. */
export const SENT = 2;
/** Errors that `onError` was told of. */
export const ERRORS = 3;
/** Connections that were taken. */
export const ACCEPTED = 4;
export const TALLY_NUMBERS = 5;
