/** What a pool's threads run. It loads little, so that they start soon: the rest comes with the first job that needs it. */
import { enterThread } from "../../../../ffi/worker_thread.ts";
import { currentThread } from "../../../mem/thread.ts";
import { Control } from "../control/control.ts";
import { setCurrentLane } from "../current_lane.ts";
import { Directory } from "../directory.ts";
import { Lane } from "../lane.ts";
import { ARRIVED } from "../messages.ts";
import { Crossings } from "../payload/crossings.ts";
import { Payload } from "../payload/payload.ts";
import { runBare } from "./bare.ts";
import { type Init, isInit } from "./init.ts";
import { Runner } from "./runner.ts";

async function work(init: Init): Promise<void> {
  using control = Control.adopt(init.control, init.lane);
  using crossings = new Crossings(control.runner);
  const payload = new Payload(control, crossings);
  crossings.connect(0, init.port);
  using directory = Directory.adopt(init.directory);
  const lane = new Lane(control, directory, payload);
  const runner = new Runner(lane);
  lane.runs = runner;
  setCurrentLane(lane);
  directory.setThread(init.lane, currentThread());
  lane.tellOpener(ARRIVED);
  await runBare(lane, runner);
  if (!control.parking.isStopping) {
    const { runAll } = await import("./full.ts");
    await runAll(lane, runner);
  }
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
