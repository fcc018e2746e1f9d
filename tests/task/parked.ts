/** A future that keeps its task waiting. */
import { type Context, Future, Pending, sleep, type Waker } from "../../lib/task/mod.ts";

/** Never there by itself; keeps the waker that it was last polled with. */
export class Parked extends Future<string> {
  waker: Waker | null = null;
  polls = 0;
  value: string | null = null;

  override poll(context: Context): string | Pending {
    this.polls++;
    this.waker = context.waker;
    return this.value ?? Pending;
  }

  finish(value: string): void {
    this.value = value;
    this.waker?.wake();
  }
}

export async function ended(): Promise<void> {
  await sleep(0);
  await sleep(0);
}
