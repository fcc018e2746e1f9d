import { describe, it } from "node:test";
import { assert } from "@std/assert";
import process from "node:process";
import { hostName } from "../../../ffi/mod.ts";
import { Future } from "../../../lib/task/mod.ts";
import { Ended, Stream } from "../../../lib/task/stream.ts";
import { BUDGET, coop } from "../../../lib/task/runtime/coop.ts";
import { skipping } from "../../skip.ts";
import { tiered } from "../../tier.ts";
import { Probe } from "../probe.ts";

const ITEMS = tiered({ quick: 1_000_000, full: 10_000_000, soak: 1_000_000_000 });
const PART = 10_000;

/** The median of what the heap grew by, over parts short enough to hold no collection: a few bytes an item show. */
function growth(stream: Stream<unknown>): number {
  const probe = new Probe();
  const grown: number[] = [];
  for (let items = 0; items < ITEMS + PART; items += PART) {
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < PART; i++) {
      coop.left = BUDGET;
      if (stream.pollNext(probe) === Ended) throw new Error("it has ended");
    }
    if (items > 0) grown.push(process.memoryUsage().heapUsed - before);
  }
  return grown.sort((a, b) => a - b)[grown.length >> 1];
}

/** Has its value whenever it is asked. */
class Always extends Future<number> {
  override poll(): number {
    return 1;
  }
}

const skip = skipping(hostName === "bun" && "JSC tells the size of its heap only after a collection");

describe("a million items allocate nothing", { skip }, () => {
  const always = new Always();
  const pipelines: Record<string, (source: Stream<number>) => Stream<unknown>> = {
    "through map and filter": (source) => source.map((n) => n + 1).filter((n) => n > 1),
    "through five operators": (source) =>
      source.inspect(() => {}).skip(1).scan(0, (_, n) => n).takeWhile((n) => n > 0).filterMap((n) => n),
    "through a merge and a chain": (source) => source.merge(Stream.repeat(2)).chain([]),
    "through andThen": (source) => source.andThen(() => always),
    "through buffered": (source) => source.map(() => always).buffered(8),
    "through bufferedUnordered": (source) => source.map(() => always).bufferedUnordered(8),
    "through timeout, throttle and abortable": (source) =>
      source.timeout(1000).throttle(0).abortable(new AbortController().signal),
  };
  for (const [name, pipeline] of Object.entries(pipelines)) {
    it(name, () => {
      const bytes = growth(pipeline(Stream.repeat(1)));
      assert(bytes < PART, `${bytes} bytes in ${PART} items`);
    });
  }
});

describe("the measure of the heap", { skip }, () => {
  it("sees an item that allocates", () => {
    const bytes = growth(Stream.repeat(1).enumerate());
    assert(bytes > PART, `${bytes} bytes in ${PART} items`);
  });
});
