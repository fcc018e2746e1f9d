/**
 * The words of a hub's cells: the eventfd's number; who uses it now, and whether it is closed; how often the hub has
 * looked at its places, and at which of these times it was last rung; its nonce; then the places. A place holds the
 * generation of who has it, and in the lowest bit whether it was notified, so that a stale handle changes nothing.
 *
 * A notifier notes the notification, reads the count of looks, rings where nobody has rung at that count, and notes the
 * count last. The hub takes the ring, counts, and looks. So a ring that is left out was another's that is still to be
 * answered; and a thread that dies in between has the next one ring once more, and holds nobody up.
 */
export const DESCRIPTOR = 0;
export const USERS = 1;
export const LOOKS = 2;
export const RUNG = 3;
export const NONCE = 4;
export const FIRST = 5;
export const PLACES = 1024;
export const CLOSED = 0x4000_0000;
export const GIVEN = 1;
export const GENERATIONS = 2 ** 30;

/** What goes to another thread by `postMessage`. */
export interface RemoteNotifyHandle {
  readonly cells: SharedArrayBuffer;
  readonly place: number;
  readonly generation: number;
}
