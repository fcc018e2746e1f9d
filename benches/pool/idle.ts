/**
 * What an open pool costs that has nothing to do: context switches of its threads.
 *
 * @module
 */
import { compare } from "../compare.ts";
import { buildCrate } from "../peers.ts";
import { librariesBy, onEach, type Options, oursBy, peer, printed } from "./contenders.ts";

const NONE = "none";

export async function idle(options: Options): Promise<void> {
  const { quick } = options;
  const ms = quick ? 200 : 5000;
  const programs = [
    ...oursBy([NONE, "await"], "idle.ts", [ms], options),
    ...librariesBy("idle.ts", [ms], options),
    ...peer("tokio", buildCrate("tokio_pool"), "idle", ms),
  ];
  await compare({
    title: `context switches in ${ms / 1000} s of an idle pool of 2`,
    units: ["of the process", "of the pool's"],
    baseline: programs[0].name,
    contenders: printed(programs, { figures: ([own, all = own]) => [all, own] }),
    quick,
    targets: onEach("await", { figuresAtMost: [Infinity, 0] }),
  });
}
