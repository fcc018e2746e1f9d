/**
 * Streams: values that come one after another and that tasks wait for.
 *
 * A `Stream` is to an async iterator what a `Future` is to a promise. Nothing happens before it is polled; its
 * operators are objects that poll each other, without a promise or any other allocation for an item; and one that is
 * left is dropped, at once and with all that it waits for. It asks its source for an item only where one is wanted,
 * which is all the backpressure there is. `for await`, coroutines and WHATWG streams read it.
 *
 * @example
 * ```ts
 * import { run, sleep } from "@oxbow/oxbow/task";
 * import { Stream } from "@oxbow/oxbow/stream";
 *
 * await run(async () => {
 *   const squares = Stream.from([4, 3, 2, 1]).map((n) => sleep(n).map(() => n * n)).buffered(2);
 *   for await (const square of squares.filter((n) => n > 1)) console.log(square); // 16, 9, 4
 * });
 * ```
 *
 * Follows the crates futures-rs (`StreamExt`) and tokio-stream.
 *
 * @module
 */
import "./runtime/attach.ts";
import "./stream/methods.ts";

export { Ended } from "./stream/ended.ts";
export type { Receiving, Streamable, Ticking, Watching } from "./stream/from.ts";
export type { Emit } from "./stream/generate.ts";
export type { Peekable } from "./stream/peekable.ts";
export { Stream } from "./stream/stream.ts";
