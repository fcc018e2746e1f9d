/** What can be abandoned: a future, a stream. */
export interface Droppable {
  drop(): void;
}

/** Why they are dropped. */
interface Cause {
  readonly error: unknown;
}

/**
 * Drops them all, and takes them out of the array, also where dropping one throws. Then throws why they are dropped, or what dropping threw: both
 * in a `SuppressedError`, as `using` does.
 */
export function dropAll(futures: (Droppable | null)[], cause: Cause): never;
export function dropAll(futures: (Droppable | null)[], cause?: Cause): void;
export function dropAll(futures: (Droppable | null)[], cause?: Cause): void {
  let thrown = cause;
  for (let i = 0; i < futures.length; i++) {
    const future = futures[i];
    futures[i] = null;
    try {
      future?.drop();
    } catch (error) {
      thrown = { error: thrown === undefined ? error : new SuppressedError(error, thrown.error) };
    }
  }
  if (thrown !== undefined) throw thrown.error;
}
