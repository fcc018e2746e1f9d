/** Turns of the host's loop after which a socket that has told nothing tells no more. */
export const QUIET_TURNS = 10;

/** One turn of it. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
