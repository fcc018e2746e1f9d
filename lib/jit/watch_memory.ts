/** What a watch and its thread know of each other, in a page that is nobody else's. */

/** What is at which byte. */
export const BLOCK = {
  /** The epoll instance that the thread waits in: of the watched descriptor, and of the eventfd that ends it. */
  epoll: 0,
  control: 4,
  watched: 8,
  /** The number of the arming that fired last. */
  fired: 12,
  thread: 16,
  /** Node-API's: of the thread that made the watch, and how any other wakes it. */
  env: 24,
  alarm: 32,
  /** What is written to the eventfd. */
  one: 40,
  /** `struct epoll_event`: what epoll_ctl(2) is told, and what epoll_wait(2) tells. */
  change: 64,
  event: 80,
  size: 4096,
} as const;

/** The symbols of the code. */
export const WATCH = {
  start: "watch_start",
  make: "watch_make",
  arm: "watch_arm",
  disarm: "watch_disarm",
  fired: "watch_fired",
  ref: "watch_ref",
  unref: "watch_unref",
  close: "watch_close",
  end: "watch_end",
  thread: "watch_thread",
} as const;
