/**
 * The signal by which a stream of the web tells its sink that it was aborted, while a write is under way: Bun's types
 * do not know of it.
 */
export function abortSignalOf(controller: object): AbortSignal {
  if ("signal" in controller && controller.signal instanceof AbortSignal) return controller.signal;
  throw new TypeError("cannot write to a stream: its controller has no signal");
}
