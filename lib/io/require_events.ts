import { shown } from "./arguments.ts";
import {
  EPOLLERR,
  EPOLLET,
  EPOLLEXCLUSIVE,
  EPOLLHUP,
  EPOLLIN,
  EPOLLMSG,
  EPOLLONESHOT,
  EPOLLOUT,
  EPOLLPRI,
  EPOLLRDBAND,
  EPOLLRDHUP,
  EPOLLRDNORM,
  EPOLLWAKEUP,
  EPOLLWRBAND,
  EPOLLWRNORM,
} from "./epoll_flags.ts";

const ALL = EPOLLIN | EPOLLPRI | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLRDNORM | EPOLLRDBAND | EPOLLWRNORM |
  EPOLLWRBAND | EPOLLMSG | EPOLLRDHUP | EPOLLEXCLUSIVE | EPOLLWAKEUP | EPOLLONESHOT | EPOLLET;

const WITH_EXCLUSIVE = EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLET | EPOLLWAKEUP | EPOLLEXCLUSIVE;

/** Throws for what is no set of events, and for one that `EPOLLEXCLUSIVE` does not go with. */
export function requireEvents(what: string, events: number, adds: boolean): void {
  // As a signed or an unsigned number: EPOLLET is the sign.
  if (typeof events !== "number" || ((events | 0) !== events && (events >>> 0) !== events)) {
    throw new RangeError(`${what}: events is ${shown(events)}, not flags in 32 bits`);
  }
  const unknown = events & ~ALL;
  if (unknown !== 0) {
    throw new RangeError(
      `${what}: events has 0x${(unknown >>> 0).toString(16)}, which is no flag of epoll's`,
    );
  }
  if ((events & EPOLLEXCLUSIVE) === 0) return;
  if (!adds) throw new TypeError(`${what}: EPOLLEXCLUSIVE goes with add alone`);
  const others = events & ~WITH_EXCLUSIVE;
  if (others === 0) return;
  const why = (others & EPOLLONESHOT) !== 0
    ? "EPOLLONESHOT, which is armed again by modify"
    : `0x${others.toString(16)}, only with EPOLLIN, EPOLLOUT, EPOLLERR, EPOLLHUP, EPOLLET and EPOLLWAKEUP`;
  throw new TypeError(`${what}: EPOLLEXCLUSIVE does not go with ${why}`);
}
