import type { MessagePort } from "node:worker_threads";
import type { PlainMapHandle } from "../../../mem/plain_map.ts";

/** What a pool's thread is given. */
export interface Init {
  readonly control: PlainMapHandle;
  readonly directory: PlainMapHandle;
  readonly lane: number;
  /** For what goes neither by bytes nor by reference. */
  readonly port: MessagePort;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** Whether a message is what a pool's thread is given. */
export function isInit(value: unknown): value is Init {
  return isObject(value) && "control" in value && "directory" in value && "lane" in value && "port" in value;
}
