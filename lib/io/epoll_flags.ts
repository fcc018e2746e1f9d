/** The events of epoll_ctl(2), to be or-ed. */

/** There is something to read, a connection to accept, or the end of what the peer sends. */
export const EPOLLIN = 0x001;
/** Something exceptional: TCP's out-of-band byte, a pseudoterminal's packet, a change of a cgroup's file. */
export const EPOLLPRI = 0x002;
/** There is room to write. */
export const EPOLLOUT = 0x004;
/** An error on the descriptor, or nobody reads the pipe any more; always told. */
export const EPOLLERR = 0x008;
/** The peer hung up in both directions; always told. */
export const EPOLLHUP = 0x010;
/** With sockets, as `EPOLLIN`. */
export const EPOLLRDNORM = 0x040;
/** Data of a priority of their own: hardly anything on Linux tells it. */
export const EPOLLRDBAND = 0x080;
/** With sockets, as `EPOLLOUT`. */
export const EPOLLWRNORM = 0x100;
/** There is room to write data of a priority of their own: with sockets of UDP and of this machine, as `EPOLLOUT`. */
export const EPOLLWRBAND = 0x200;
/** Nothing on Linux tells it. */
export const EPOLLMSG = 0x400;
/** The peer will send no more. */
export const EPOLLRDHUP = 0x2000;
/**
 * Wakes one or a few of the epoll instances that watch the descriptor, and not all. It goes with `add` alone, and with
 * `EPOLLIN`, `EPOLLOUT`, `EPOLLERR`, `EPOLLHUP`, `EPOLLET` and `EPOLLWAKEUP`.
 */
export const EPOLLEXCLUSIVE = 1 << 28;
/** Keeps the machine awake until the next wait; passed over without `CAP_BLOCK_SUSPEND`. */
export const EPOLLWAKEUP = 1 << 29;
/** Told once, then not again before `modify`. */
export const EPOLLONESHOT = 1 << 30;
/** Told at each edge, and not for as long as it lasts. */
export const EPOLLET = 1 << 31;
