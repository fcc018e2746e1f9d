/** Descriptors to be watched, and what the tests' programs in child processes begin with. */
import { setTimeout as sleep } from "node:timers/promises";
import { assert } from "@std/assert";
import { dlopen } from "../../ffi/mod.ts";
import { moduleUrl } from "../child.ts";

export const { symbols: libc } = dlopen(["libc.so.6"], {
  eventfd: { parameters: ["u32", "i32"], result: "i32" },
  memfd_create: { parameters: ["buffer", "u32"], result: "i32" },
  epoll_create1: { parameters: ["i32"], result: "i32" },
  epoll_ctl: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
  read: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  write: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  close: { parameters: ["i32"], result: "i32" },
  dup2: { parameters: ["i32", "i32"], result: "i32" },
});

const FLAGS = 0o2004000;

/** An eventfd, and an epoll instance that watches it by level. */
export class Source implements Disposable {
  readonly event: number;
  readonly epoll: number;
  #word = new BigUint64Array(1);

  constructor() {
    this.event = libc.eventfd(0, FLAGS);
    this.epoll = libc.epoll_create1(0o2000000);
    libc.epoll_ctl(this.epoll, 1, this.event, new Uint32Array([1, 0, 0]));
  }

  write(): void {
    this.#word[0] = 1n;
    libc.write(this.event, this.#word, 8);
  }

  read(): void {
    libc.read(this.event, this.#word, 8);
  }

  [Symbol.dispose](): void {
    libc.close(this.event);
    libc.close(this.epoll);
  }
}

/** Looks every so many milliseconds. */
export async function until(isDone: () => boolean, every = 5): Promise<void> {
  const end = performance.now() + 60_000;
  while (!isDone()) {
    assert(performance.now() < end, "it did not come about in a minute");
    await sleep(every);
  }
}

export const TOOLS = `
  import process from "node:process";
  import { setTimeout as sleep } from "node:timers/promises";
  import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
  import { readdirSync } from "node:fs";
  import { dlopen } from "${moduleUrl("ffi/mod.ts")}";
  import { Watch } from "${moduleUrl("lib/jit/watch.ts")}";
  const { symbols: c } = dlopen(["libc.so.6"], {
    eventfd: { parameters: ["u32", "i32"], result: "i32" },
    read: { parameters: ["i32", "buffer", "usize"], result: "isize" },
    write: { parameters: ["i32", "buffer", "usize"], result: "isize" },
    close: { parameters: ["i32"], result: "i32" },
  });
  const word = BigUint64Array.of(1n);
  const eventfd = () => c.eventfd(0, ${FLAGS});
  const write = (fd) => c.write(fd, BigUint64Array.of(1n), 8);
  const read = (fd) => c.read(fd, word, 8);
`;
