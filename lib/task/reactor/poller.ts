import type { Fd } from "../../io/fd.ts";

/**
 * Who asks the kernel for the reactor: epoll(7), or poll(2) where there is no epoll; kqueue(2) would be another. It
 * tells of edges: a descriptor is watched for both directions and for what is exceptional, and what was told of once is told of again only after
 * `rearm`, or where more has come. The numbers of the events are epoll's, which are poll's as well.
 */
export interface Poller extends Disposable {
  /** One that is readable when something is ready, for who waits for several pollers; `null` where there is none. */
  readonly descriptor: number | null;
  /** Whether `rearm` is to be called before a direction is told of again, also where it was not hushed. */
  readonly needsRearming: boolean;
  readonly isClosed: boolean;
  /** Watches the descriptor in both directions; `token` comes back with its events. */
  add(fd: Fd, token: number): void;
  /** Has it told of again in those directions, at once where they are ready. */
  rearm(fd: Fd, token: number, events: number): void;
  /** Need not tell of room to write any more, until it is rearmed for that: nobody asks. */
  hush(fd: Fd, token: number): void;
  /** Watches the descriptor no more. */
  delete(fd: Fd, token: number): void;
  /** Blocks up to `timeoutMs`, and returns how many descriptors there is something to tell of. */
  wait(timeoutMs: number): number;
  /** The token of the `i`th of the last wait. */
  token(i: number): number;
  /** What the `i`th of the last wait is ready for. */
  events(i: number): number;
}
