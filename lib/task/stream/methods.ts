import * as methods from "./methods.ts";
import { provideMethods } from "./stream.ts";

export { andThen } from "./and_then.ts";
export { toReadable } from "./async_iterable.ts";
export { buffered, bufferedUnordered } from "./buffered.ts";
export { chain } from "./chain.ts";
export { chunks, chunksTimeout } from "./chunks.ts";
export { filter, filterMap } from "./filter.ts";
export { flatMap } from "./flat_map.ts";
export { collect, fold, forEach } from "./fold.ts";
export { changes, from, ticks } from "./from.ts";
export { generate, unfold } from "./generate.ts";
export { repeat } from "./iterable.ts";
export { enumerate, inspect, map, scan } from "./map.ts";
export { merge } from "./merge.ts";
export { peekable } from "./peekable.ts";
export { fromPoll, once } from "./poll.ts";
export { skip, skipWhile } from "./skip.ts";
export { mapWhile, take, takeWhile } from "./take.ts";
export { debounce, throttle, timeout } from "./timeout.ts";
export { abortable, takeUntil } from "./until.ts";
export { zip } from "./zip.ts";

provideMethods(methods);
