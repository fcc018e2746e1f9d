/**
 * What maps have open goes with them: descriptors, and the records of those that are shared. It is closed where the
 * map was forgotten, and where its thread ends; a thread that is terminated closes nothing.
 */
import process from "node:process";
import { isWorker } from "../../ffi/is_worker.ts";

/** Of a worker: they would stay for as long as the process. */
const open = new Set<Disposable>();

const abandoned = new FinalizationRegistry<Disposable>((resource) => {
  open.delete(resource);
  resource[Symbol.dispose]();
});

function closeAll(): void {
  for (const resource of open) resource[Symbol.dispose]();
}

/** Disposes the resource when its owner, which it must not reach, is forgotten, or the thread ends. */
export function disposeWith(owner: object, resource: Disposable): void {
  abandoned.register(owner, resource, resource);
  if (!isWorker) return;
  if (open.size === 0) process.once("exit", closeAll);
  open.add(resource);
}

/** Says that the owner has disposed the resource itself. */
export function disposedWith(resource: Disposable): void {
  abandoned.unregister(resource);
  if (open.delete(resource) && open.size === 0) process.off("exit", closeAll);
}
