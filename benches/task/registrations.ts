import { type Context, Future, Pending, sleep } from "../../lib/task/mod.ts";
import { cancelMs } from "./rounds.ts";

/** Registers `n` sleeps with the timers by their first poll, and drops them. */
export class Registrations extends Future<void> {
  readonly #n: number;

  constructor(n: number) {
    super();
    this.#n = n;
  }

  override poll(context: Context): void {
    const sleeps: Future<void>[] = [];
    for (let i = 0; i < this.#n; i++) {
      const future = sleep(cancelMs(i));
      if (future.poll(context) !== Pending) throw new Error(`a sleep of ${cancelMs(i)} ms did not wait`);
      sleeps.push(future);
    }
    for (let i = 0; i < sleeps.length; i++) sleeps[i].drop();
  }
}
