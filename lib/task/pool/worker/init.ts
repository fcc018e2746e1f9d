import type { MapHandle } from "../../../mem/mmap.ts";
import type { Thread } from "../../../mem/thread.ts";

/** What a pool's thread is given. */
export interface Init {
  readonly control: MapHandle;
  readonly functions: MapHandle;
  readonly lane: number;
}

/** What it says once it is there. */
export interface Ready {
  readonly thread: Thread;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** Whether a message is what a pool's thread is given. */
export function isInit(value: unknown): value is Init {
  return isObject(value) && "control" in value && "functions" in value && "lane" in value;
}

/** Whether a message is the first one of a pool's thread. */
export function isReady(value: unknown): value is Ready {
  return isObject(value) && "thread" in value;
}
