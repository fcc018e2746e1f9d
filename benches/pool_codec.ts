/**
 * Claim: what a job is given and gives costs less to pass to another thread than the host's own structuredClone, and a
 * few small integers cost tens of nanoseconds.
 *
 * Each contender carries the same arguments across and gives what the other thread would have, which is compared with
 * what was sent: by a slot of a pool's control map, as its jobs go; by structuredClone, which copies within the thread;
 * and by v8.serialize and deserialize of `node:v8`. All run in one thread, so that no waking is counted. Where the host's
 * clone need not copy at all, as Bun's of a text, or copies once and not in and out again, as of 16 MiB, ours is slower.
 *
 * @module
 */
import { isDeepStrictEqual } from "node:util";
import { deserialize, serialize } from "node:v8";
import { Control } from "../lib/task/pool/control/control.ts";
import "../lib/task/pool/payload/crossing_classes.ts";
import { Crossings } from "../lib/task/pool/payload/crossings.ts";
import { Payload } from "../lib/task/pool/payload/payload.ts";
import { compare, type Target, timed } from "./compare.ts";

const SLOT = "a slot, packed and unpacked";
const CLONE = "structuredClone";

interface Shape {
  readonly title: string;
  readonly values: readonly unknown[];
  readonly targets: readonly Target[];
}

function below(figure: number): Target[] {
  return [{ name: SLOT, atMost: 1, figuresAtMost: [figure] }];
}

const LESS: readonly Target[] = [{ name: SLOT, atMost: 1 }];

const shapes: readonly Shape[] = [
  { title: "three small integers", values: [1, 2, 3], targets: below(60) },
  { title: "a number", values: [1.5], targets: below(100) },
  {
    title: "a record",
    values: [{ id: 7, name: "seven", size: 1.5, isOk: true, tags: ["a", "b"] }],
    targets: LESS,
  },
  {
    title: "100 records",
    values: [Array.from({ length: 100 }, (_, i) => ({ id: i, name: `n${i}`, x: i * 1.5, ok: i % 2 === 0 }))],
    targets: LESS,
  },
  { title: "1,000 numbers", values: [Array.from({ length: 1000 }, (_, i) => i * 1.5)], targets: LESS },
  { title: "a Float32Array of four", values: [new Float32Array(4).fill(0.5)], targets: LESS },
  { title: "a Float32Array of 64 KiB", values: [new Float32Array(2 ** 14).fill(0.5)], targets: LESS },
  { title: "a Uint8Array of 16 MiB", values: [new Uint8Array(2 ** 24).fill(7)], targets: [] },
  { title: "a text of 10,000 letters", values: ["lorem ipsum ".repeat(833)], targets: [] },
];

async function carry({ title, values, targets }: Shape, payload: Payload, quick: boolean): Promise<void> {
  function contender(name: string, run: () => unknown): ReturnType<typeof timed> {
    const check = (found: unknown): void => {
      if (!isDeepStrictEqual(found, values)) throw new Error(`${name} gave something else than ${title}`);
    };
    return timed({ name, quick, run, check, figure: (ns) => ns });
  }
  await compare({
    title,
    units: ["ns"],
    baseline: CLONE,
    contenders: [
      contender(SLOT, () => {
        payload.packArguments(0, values);
        return payload.unpackArguments(0);
      }),
      contender(CLONE, () => structuredClone(values)),
      contender("v8.serialize", () => deserialize(serialize(values))),
    ],
    quick,
    targets,
  });
}

/** Runs the bench. */
export async function run({ quick }: { quick: boolean }): Promise<void> {
  using control = Control.create({ lanes: 2, slots: 64, arena: 2 ** 24 });
  const payload = new Payload(control, new Crossings(control.runner));
  control.slots.take();
  for (const shape of shapes) await carry(shape, payload, quick);
}
