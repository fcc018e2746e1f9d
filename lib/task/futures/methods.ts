import { provideMethods } from "./future.ts";
import * as methods from "./methods.ts";

export { abortable } from "./abortable.ts";
export { andThen, orElse } from "./and_then.ts";
export { chained } from "./chained.ts";
export { borrow } from "./borrow.ts";
export { atEnd } from "./finally.ts";
export { fuse } from "./fuse.ts";
export { inspect, map } from "./map.ts";
export { settled } from "./settled.ts";
export { shared } from "./shared.ts";
export { timeout } from "../time/timeout.ts";

provideMethods(methods);
