/** A job that says where it ran. */
import { currentThread } from "../../../lib/mem/thread.ts";

/** The kernel's number of the thread. */
export function threadId(): number {
  return currentThread().id;
}
