/**
 * Jobs that are given ends of channels, and give some.
 *
 * @module
 */
import { remoteMpsc, type RemoteReceiver, type RemoteSender } from "../../../../lib/task/pool/remote.ts";

/** Sends the numbers up to `count`. */
export async function produce(tx: RemoteSender<number>, count: number): Promise<void> {
  using _ = tx;
  for (let i = 0; i < count; i++) await tx.send(i);
}

/** A receiver of what the job has sent before it ends. */
export function prepared(messages: readonly string[]): RemoteReceiver<string> {
  const [tx, rx] = remoteMpsc<string>(messages.length);
  for (const message of messages) tx.trySend(message);
  tx.close();
  return rx;
}
