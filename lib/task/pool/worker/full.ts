import { type Context, Future, Pending, type Waker } from "../../future.ts";
import { currentRuntime } from "../../runtime/current.ts";
import { run } from "../../runtime/run.ts";
import { addSource, removeSource } from "../../runtime/source.ts";
import type { Lane } from "../lane.ts";
import type { Runner } from "./runner.ts";
import { Waiting } from "./waiting.ts";

/** Ends when the pool does. */
class Stopped extends Future<void> {
  readonly #lane: Lane;
  #waker: Waker | null = null;

  constructor(lane: Lane) {
    super();
    this.#lane = lane;
    lane.onStop = () => this.#waker?.wake();
  }

  override poll(context: Context): void | Pending {
    if (this.#lane.control.parking.isStopping) return;
    this.#waker = context.waker;
    return Pending;
  }
}

/** The thread's life on a runtime, from the first job on that is to be waited for. */
export async function runAll(lane: Lane, runner: Runner): Promise<void> {
  addSource(lane);
  await run(() => {
    runner.begin(new Waiting(currentRuntime(), runner));
    return new Stopped(lane);
  }, { slowPoll: false });
  removeSource(lane);
}
