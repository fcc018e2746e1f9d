/** What a pool's threads run. */
import { enterThread } from "../../../../ffi/worker_thread.ts";
import { currentThread } from "../../../mem/thread.ts";
import { type Context, Future, Pending, type Waker } from "../../future.ts";
import { run } from "../../runtime/run.ts";
import { addSource, removeSource } from "../../runtime/source.ts";
import { Control } from "../control/control.ts";
import { setCurrentPool } from "../current_pool.ts";
import { Directory } from "../directory.ts";
import { Lane } from "../lane.ts";
import { ARRIVED } from "../messages.ts";
import "../payload/crossing_classes.ts";
import { Crossings } from "../payload/crossings.ts";
import { Payload } from "../payload/payload.ts";
import { type Init, isInit } from "./init.ts";
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

async function work(init: Init): Promise<void> {
  using control = Control.adopt(init.control, init.lane);
  using crossings = new Crossings(control.runner);
  const payload = new Payload(control, crossings);
  crossings.connect(0, init.port);
  using directory = Directory.adopt(init.directory);
  const lane = new Lane(control, directory, payload);
  lane.runs = new Runner(lane);
  setCurrentPool(lane);
  directory.setThread(init.lane, currentThread());
  lane.tellOpener(ARRIVED);
  addSource(lane);
  await run(() => new Stopped(lane), { slowPoll: false });
  removeSource(lane);
  control.parking.leave();
}

enterThread((init, scope) => {
  if (!isInit(init)) {
    throw new TypeError("cannot work for a pool: this module is for the pool's threads alone");
  }
  work(init).then(() => scope.close(), (error) => {
    setTimeout(() => {
      throw error;
    });
  });
});
