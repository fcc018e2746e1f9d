/** What a pool's threads run. */
import { enterThread, type ThreadScope } from "../../../../ffi/worker_thread.ts";
import { currentThread } from "../../../mem/thread.ts";
import { type Context, Future, Pending, type Waker } from "../../future.ts";
import { run } from "../../runtime/run.ts";
import { addSource, removeSource } from "../../runtime/source.ts";
import { Control } from "../control/control.ts";
import { setCurrentPool } from "../current_pool.ts";
import { FunctionTable } from "../function_table.ts";
import { Lane } from "../lane.ts";
import { Payload } from "../payload_for_now.ts";
import { type Init, isInit, type Ready } from "./init.ts";
import { Runner } from "./runner.ts";

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

async function work({ control: handle, functions, lane: number }: Init, scope: ThreadScope): Promise<void> {
  using control = Control.adopt(handle, number);
  using table = FunctionTable.adopt(functions);
  using lane = new Lane(control, table, new Payload(control));
  lane.runs = new Runner(lane);
  setCurrentPool(lane);
  scope.say({ thread: currentThread() } satisfies Ready);
  addSource(lane);
  await run(() => new Stopped(lane), { slowPoll: false });
  removeSource(lane);
  control.parking.leave();
}

enterThread((init, scope) => {
  if (!isInit(init)) throw new TypeError("cannot work for a pool: this module is for the pool's threads alone");
  work(init, scope).then(() => scope.close(), (error) => {
    setTimeout(() => {
      throw error;
    });
  });
});
