import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { Histogram } from "../../../examples/load/histogram.ts";

/** The value that `share` of them do not exceed. */
function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}

describe("Histogram", () => {
  it("gives each percentile to 0.8 % or 0.1 µs, as sorting them all would", () => {
    const latency = fc.oneof(
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.double({ min: 0, max: 100_000, noNaN: true }),
      fc.constantFrom(0, 0.0001, 0.0128, 0.0255, 0.0256, 0.0257, 6.5535, 6.5536),
    );
    fc.assert(fc.property(fc.array(latency, { minLength: 1, maxLength: 200 }), (latencies) => {
      const histogram = new Histogram();
      for (const ms of latencies) histogram.record(ms);
      const sorted = latencies.toSorted((a, b) => a - b);
      for (const share of [0, 0.01, 0.5, 0.9, 0.99, 1]) {
        const [found, right] = [histogram.percentile(share), percentile(sorted, share)];
        assert(
          Math.abs(found - right) <= right * 0.008 + 0.0001,
          `${share}: ${found}, and ${right} is right`,
        );
      }
      assertEquals([histogram.total, histogram.max], [latencies.length, sorted.at(-1)]);
      assert(Math.abs(histogram.mean - latencies.reduce((a, b) => a + b) / latencies.length) < 1e-6);
    }));
  });

  it("keeps what is out of its range at its ends, and nothing once it was cleared", () => {
    const histogram = new Histogram();
    histogram.record(-1);
    histogram.record(1e9);
    assertEquals([histogram.percentile(0.5), histogram.max, histogram.total], [0.00005, 1e9, 2]);
    assert(histogram.percentile(1) > 200_000);
    histogram.clear();
    assertEquals([histogram.percentile(0.5), histogram.max, histogram.mean, histogram.total], [0, 0, 0, 0]);
  });
});
