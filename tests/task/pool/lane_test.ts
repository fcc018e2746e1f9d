/** A thread's part of a pool, with a worker's on the same thread, so that each step is where the test has it. */
import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { FUNCTION } from "../../../lib/task/pool/control/layout.ts";
import { Control } from "../../../lib/task/pool/control/control.ts";
import { AWAKE } from "../../../lib/task/pool/control/parking.ts";
import { Directory } from "../../../lib/task/pool/directory.ts";
import { JobHandle } from "../../../lib/task/pool/job_handle.ts";
import { Lane } from "../../../lib/task/pool/lane.ts";
import { Crossings } from "../../../lib/task/pool/payload/crossings.ts";
import { Payload } from "../../../lib/task/pool/payload/payload.ts";
import { Runner } from "../../../lib/task/pool/worker/runner.ts";

const url = new URL("./work.ts", import.meta.url).href;

/** An opener's lane and a worker's, with two slots each. */
class Two implements Disposable {
  readonly #stack = new DisposableStack();
  readonly opener: Lane;
  readonly worker: Lane;
  readonly runner: Runner;

  constructor() {
    const directory = this.#stack.use(Directory.create());
    const control = this.#stack.use(Control.create({ lanes: 2, slots: 2, arena: 4096 }));
    const other = this.#stack.use(Control.adopt(control.handle, 1));
    this.opener = this.#lane(control, directory);
    this.worker = this.#lane(other, directory);
    this.runner = new Runner(this.worker);
    this.worker.runs = this.runner;
  }

  #lane(control: Control, directory: Directory): Lane {
    const lane = new Lane(control, directory, new Payload(control, new Crossings(control.runner)));
    // The opener's closes the bells of both.
    if (control.lane === 0) this.#stack.use(lane);
    return lane;
  }

  submit(a: number, b: number): JobHandle<unknown> {
    const handle = new JobHandle<unknown>(this.opener);
    this.opener.submit(handle, this.opener.directory.numberOf(url, "add"), [a, b], -1, 0);
    return handle;
  }

  /** The worker's, of a job that it found: begins it, and ends it later. */
  begin(): () => void {
    const { slots, queues, runner } = this.worker.control;
    const slot = queues.find();
    assertEquals(slots.begin(slot, runner, slots.state(slot)), true);
    return () => {
      this.worker.payload.packResult(slot, slots.get(slot, FUNCTION));
      slots.finish(slot, runner, false);
      queues.deliver(slot);
      this.worker.control.parking.wake(0);
    };
  }

  [Symbol.dispose](): void {
    this.#stack.dispose();
  }
}

describe("a job that waits for a slot, while those that are free lie in a worker's inbox", () => {
  /** Both have ended after they were cancelled, which the worker has not been told of. */
  async function lingering(two: Two): Promise<{ waiting: JobHandle<unknown> }> {
    const first = two.submit(1, 2);
    two.runner.poll();
    await two.runner.loading;
    two.runner.poll();
    two.opener.poll();
    assertEquals(first.isFinished, true);
    const handles = [two.submit(1, 2), two.submit(1, 2)];
    const ends = [two.begin(), two.begin()];
    for (const handle of handles) handle.cancel();
    for (const end of ends) end();
    const waiting = two.submit(3, 4);
    two.opener.poll();
    assertEquals([two.opener.inFlight, waiting.slot], [1, -1]);
    return { waiting };
  }

  it("has its lane woken once the worker has passed them", async () => {
    using two = new Two();
    const { waiting } = await lingering(two);
    assertEquals(two.opener.lieDown(), true);
    two.runner.poll();
    assertEquals(two.opener.control.parking.state(0), AWAKE);
    two.opener.getUp();
    two.opener.poll();
    two.runner.poll();
    two.opener.poll();
    assertEquals([waiting.isFinished, waiting.waitSync()], [true, 7]);
  });

  it("does not let its lane sleep where the worker has passed them before", async () => {
    using two = new Two();
    const { waiting } = await lingering(two);
    two.runner.poll();
    assertEquals(two.opener.lieDown(), false);
    two.opener.poll();
    two.runner.poll();
    assertEquals(waiting.waitSync(), 7);
  });
});
