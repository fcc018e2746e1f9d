/**
 * Messages between two workers: by a channel in shared memory, and by the host's own ports.
 *
 * @module
 */
import { compare } from "../compare.ts";
import { buildCrate } from "../peers.ts";
import { onEach, type Options, ours, oursBy, peer, printed } from "./contenders.ts";
import { hostName } from "../../ffi/mod.ts";

const PORT = "MessagePort";

export async function channels(options: Options): Promise<void> {
  const { quick } = options;
  const [count, fewer] = quick ? [20_000, 5_000] : [2_000_000, 200_000];
  const programs = [
    ...oursBy([PORT], "channel.ts", [fewer], options),
    ...oursBy(["remoteMpsc", "recvMany"], "channel.ts", [count], options),
    ...peer("tokio", buildCrate("tokio_pool"), "messages", count),
  ];
  await compare({
    title: "messages from a worker to another, a number each",
    units: ["µs", "messages/s"],
    baseline: ours(PORT, hostName),
    contenders: printed(programs, { figures: ([rate]) => [1e6 / rate, rate] }),
    quick,
    targets: onEach("remoteMpsc", { atMost: 1 }),
  });
}
