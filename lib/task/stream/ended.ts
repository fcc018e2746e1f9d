/** What `pollNext` and `next()` give where there are no items any more. */
export const Ended: unique symbol = Symbol("ended");
/** What `pollNext` and `next()` give where there are no items any more. */
export type Ended = typeof Ended;
