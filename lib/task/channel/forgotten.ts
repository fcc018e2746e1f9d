/** Senders that were collected without having been closed: told on the console where `OXBOW_DEBUG` is 1. */
import { environment } from "../../../ffi/environment.ts";

/** A channel, as one of its senders' end sees it. */
export interface Counted {
  /** One sender is gone. */
  senderGone(): void;
}

interface Remains {
  readonly channel: Counted;
  readonly what: string;
  readonly made: string;
}

let debug: boolean | undefined;

const registry = new FinalizationRegistry<Remains>(({ channel, what, made }) => {
  if (debug) console.warn(`oxbow: ${what} was collected, and never closed: use \`using\` or close()${made}`);
  channel.senderGone();
});

/** Has the channel told once `sender` was collected. The channel must not reach it. */
export function watchSender(sender: WeakKey, what: string, channel: Counted): void {
  debug ??= environment("OXBOW_DEBUG") === "1";
  const stack = debug ? new Error("it was made here").stack ?? "" : "";
  registry.register(sender, { channel, what, made: stack && `\n${stack}` }, sender);
}

/** For a sender that was closed. */
export function unwatchSender(sender: WeakKey): void {
  registry.unregister(sender);
}
