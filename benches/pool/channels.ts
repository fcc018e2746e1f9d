/**
 * Messages between two workers: by a channel in shared memory, and by the same host's own ports.
 *
 * @module
 */
import { compare } from "../compare.ts";
import { buildCrate } from "../peers.ts";
import { type Options, oursBy, peer, printed } from "./contenders.ts";

const PORT = "MessagePort";

export async function channels(options: Options): Promise<void> {
  const { quick } = options;
  const [count, fewer] = quick ? [20_000, 5_000] : [2_000_000, 200_000];
  const ports = oursBy([PORT], "channel.ts", [fewer], options);
  for (const [i, { name: baseline }] of ports.entries()) {
    // Ours come host by host, as the ports do.
    const channels = ["remoteMpsc", "recvMany"].map((way) =>
      oursBy([way], "channel.ts", [count], options)[i]
    );
    const programs = [ports[i], ...channels, ...peer("tokio", buildCrate("tokio_pool"), "messages", count)];
    await compare({
      title: "messages from a worker to another, a number each",
      units: ["µs", "messages/s"],
      baseline,
      contenders: printed(programs, { figures: ([rate]) => [1e6 / rate, rate] }),
      quick,
      targets: [{ name: channels[0].name, atMost: 1 }],
    });
  }
}
