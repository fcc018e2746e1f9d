/** Ends cross in messages and jobs by being moved. */
import { type CrossingClass, registerCrossing } from "../../../mem/crossing.ts";
import type { RemoteEnd, RemoteEndHandle } from "./handle.ts";

interface Movable {
  intoHandle(): RemoteEndHandle;
}

/** Lets a class of ends cross. `adopt` makes one of a handle. */
export function registerEnd<E extends Movable & Disposable>(
  type: CrossingClass<E> & { readonly name: string },
  ends: readonly RemoteEnd[],
  adopt: (handle: RemoteEndHandle) => E,
): void {
  registerCrossing<E, RemoteEndHandle>({
    name: type.name,
    type,
    give: (end) => end.intoHandle(),
    isData(data): data is RemoteEndHandle {
      return typeof data === "object" && data !== null && "kind" in data &&
        data.kind === "oxbow-remote-end" && "end" in data && ends.some((end) => end === data.end);
    },
    take: adopt,
    drop: (handle) => adopt(handle)[Symbol.dispose](),
  });
  for (const end of ends) adopters.set(end, adopt);
}

const adopters: Map<RemoteEnd, (handle: RemoteEndHandle) => Disposable> = new Map();

/**
 * Takes back an end that was made a handle of and will be adopted by nobody: it counts no more. Throws a `HandleError`
 * where it was adopted.
 */
export function closeRemoteEnd(handle: RemoteEndHandle): void {
  const adopt = typeof handle === "object" && handle !== null ? adopters.get(handle.end) : undefined;
  if (adopt === undefined) throw new TypeError("cannot close an end: what was given is no handle of one");
  adopt(handle)[Symbol.dispose]();
}
