import { forgetHostsRuntime, hostsRuntime, provideDefault } from "./current.ts";
import { HostLoop } from "./host_loop.ts";
import { Runtime } from "./runtime.ts";

/** Bursts of tasks in one turn of the host's loop. */
const BURSTS = 16;

/** Gives a runtime its turns in the host's loop: as a microtask first, and where there is more, after the host's own. */
class HostDriver implements Disposable {
  readonly runtime: Runtime = new Runtime(undefined, undefined, true);
  #loop: HostLoop = new HostLoop(this.runtime, () => queueMicrotask(this.#turn), { foreground: false });
  #isDisposed = false;

  constructor() {
    this.#loop.sleep();
  }

  #turn: () => void = () => {
    if (this.#isDisposed) return;
    const { feed } = this.runtime;
    for (let burst = 0; burst < BURSTS; burst++) {
      this.runtime.look(0);
      // By one of its own tasks, or by what the look has woken.
      if (!this.#isDisposed) this.runtime.poll();
      if (this.#isDisposed) return;
      if (this.runtime.isIdle && !(feed.isAwaited && feed.spin())) {
        if (this.runtime.mayStep) setImmediate(this.#step);
        else this.#loop.sleep();
        return;
      }
    }
    setImmediate(this.#turn);
  };

  /** A clock that is paused moves once the host has had its turn, and what its promises have woken. */
  #step: () => void = () => {
    if (this.#isDisposed) return;
    this.runtime.look(1);
    this.#turn();
  };

  [Symbol.dispose](): void {
    this.#isDisposed = true;
    this.#loop[Symbol.dispose]();
    this.runtime[Symbol.dispose]();
  }
}

let driver: HostDriver | null = null;

provideDefault(() => {
  driver = new HostDriver();
  return driver.runtime;
});

/**
 * Has the thread's tasks live inside the host's own loop, beside its timers and servers: `spawn`, `await` and
 * whatever else wants a runtime find it there. Idle it costs nothing, and it keeps the process alive for as long as
 * a timer runs or a descriptor is watched. It is attached by itself where a future is awaited and none runs; disposing
 * of it drops every task.
 *
 * `run` is faster: it owns the thread, and asks the kernel itself.
 */
export function attach(): Disposable {
  hostsRuntime();
  const own = driver;
  return {
    [Symbol.dispose]() {
      // Disposed already, the next one is not its.
      if (driver !== own) return;
      driver?.[Symbol.dispose]();
      driver = null;
      forgetHostsRuntime();
    },
  };
}
