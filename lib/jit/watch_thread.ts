/** A watch on a host whose loop takes no descriptor: a thread of machine code waits, and wakes the loop. */
import {
  addressOf,
  check,
  libc,
  type NativeFunctions,
  NULL,
  type Pointer,
  pointerAt,
  pointerTo,
  type SymbolTable,
  SystemError,
  unsafeBufferAt,
} from "../../ffi/mod.ts";
import { dlopenQuietly } from "../../ffi/dlopen.ts";
import type { RawAlarm, RawWatch } from "../../ffi/host.ts";
import { pathOf, symbolIn } from "../../ffi/loader.ts";
import { EpollEvents } from "../../ffi/layout/epoll_events.ts";
import { LIBC } from "../../ffi/soname.ts";
import { openForProcess } from "./library.ts";
import { processObjects } from "./process_objects.ts";
import { BLOCK, WATCH } from "./watch_memory.ts";

const CODE = {
  start: { symbol: WATCH.start, parameters: ["pointer!", "buffer!"], result: "i32" },
  arm: { symbol: WATCH.arm, parameters: ["pointer!", "u32"], result: "i32" },
  disarm: { symbol: WATCH.disarm, parameters: ["pointer!"], result: "i32" },
  fired: { symbol: WATCH.fired, parameters: ["pointer!"], result: "u32" },
  ref: { symbol: WATCH.ref, parameters: ["pointer!"], result: "void" },
  unref: { symbol: WATCH.unref, parameters: ["pointer!"], result: "void" },
  close: { symbol: WATCH.close, parameters: ["pointer!"], result: "void" },
  end: { symbol: WATCH.end, parameters: ["pointer!"], result: "void" },
} as const satisfies SymbolTable;

const LIBC_TABLE = {
  // sys/eventfd.h
  eventfd: { parameters: [/* unsigned int initval */ "u32", /* int flags */ "i32"], result: "i32" },
  // pthread.h
  pthread_attr_init: { parameters: [/* pthread_attr_t *attr */ "buffer!"], result: "i32" },
  pthread_attr_setstacksize: {
    parameters: [/* pthread_attr_t *attr */ "buffer!", /* size_t stacksize */ "usize"],
    result: "i32",
  },
} as const satisfies SymbolTable;

/** More than libc and the host need for their own data of a thread; what is not touched takes no memory. */
const STACK_BYTES = 256 * 1024;
/** `sizeof(pthread_attr_t)`. */
const ATTRIBUTE_BYTES = 56;
const EFD_CLOEXEC = 0o2000000;
const EPOLL_CLOEXEC = 0o2000000;
const EPOLL_CTL_ADD = 1;
const EPOLLIN = 1;
const PROT_READ_WRITE = 3;
const MAP_PRIVATE_ANONYMOUS = 0x22;
const MOST_NUMBERS = 0x7fffffff;

/** What this thread of JavaScript has opened. */
export interface Opened {
  readonly code: NativeFunctions<typeof CODE>;
  readonly libc: NativeFunctions<typeof LIBC_TABLE>;
  readonly alarm: RawAlarm;
}

let opened: Opened | undefined;

/** Loads the code, and the addon by `load`; once. */
export function openThreads(load: (path: string) => RawAlarm): Opened {
  return opened ??= open(load);
}

function open(load: (path: string) => RawAlarm): Opened {
  const library = openForProcess(processObjects.watch, CODE);
  return {
    code: library.symbols,
    libc: dlopenQuietly(LIBC, LIBC_TABLE).symbols,
    // A path, since Deno knows no sonames.
    alarm: load(pathOf(symbolIn(library.path, WATCH.make) ?? NULL)),
  };
}

function mapBlock(): Pointer {
  const address = libc().mmap(null, BLOCK.size, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0);
  check(address === -1n ? -1 : 0, "mmap", { hint: "a watch needs a page" });
  return pointerAt(BigInt(address));
}

/** The block of a watch whose thread waits. All of it is given back where some of it cannot be had. */
function startThread({ code, libc: c }: Opened, watched: number): Pointer {
  using made = new DisposableStack();
  function own(fd: number, call: string): number {
    check(fd, call);
    made.defer(() => libc().close(fd));
    return fd;
  }
  const epoll = own(libc().epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
  const control = own(c.eventfd(0, EFD_CLOEXEC), "eventfd");
  const event = new EpollEvents(1);
  event.set(0, EPOLLIN, 0);
  check(libc().epoll_ctl(epoll, EPOLL_CTL_ADD, control, event.pointer), "epoll_ctl");
  const block = mapBlock();
  made.defer(() => libc().munmap(block, BLOCK.size));
  // SAFETY: the page was mapped just now, and this buffer is used here alone.
  const words = new Int32Array(unsafeBufferAt(block, BLOCK.size));
  words[BLOCK.epoll / 4] = epoll;
  words[BLOCK.control / 4] = control;
  words[BLOCK.watched / 4] = watched;
  const attributes = new Uint8Array(ATTRIBUTE_BYTES);
  c.pthread_attr_init(attributes);
  c.pthread_attr_setstacksize(attributes, STACK_BYTES);
  const failure = code.start(block, attributes);
  if (failure !== 0) throw new SystemError(failure, "pthread_create");
  made.move();
  return block;
}

/** A thread for the descriptor, which the watch has for itself. */
export function watchByThread(opened: Opened, watched: number, fire: () => void): RawWatch {
  const { code, alarm } = opened;
  const block = startThread(opened, watched);
  let number = 0;
  let armed = 0;
  let refs = true;
  let closed = false;
  function told(): void {
    if (closed || armed === 0 || code.fired(block) !== armed) return;
    armed = 0;
    if (refs) code.unref(block);
    try {
      fire();
    } catch (error) {
      // Deno tells on stderr what a thread-safe function throws, and goes on.
      queueMicrotask(() => {
        throw error;
      });
    }
  }
  const failure = alarm(told, "oxbow watch", Number(addressOf(block)));
  if (failure !== undefined) {
    code.end(block);
    throw new Error("cannot watch a descriptor: the host makes no thread-safe function");
  }
  return {
    arm() {
      if (armed !== 0) return 0;
      number = number === MOST_NUMBERS ? 1 : number + 1;
      const result = code.arm(block, number);
      if (result < 0) return result;
      armed = number;
      if (refs) code.ref(block);
      return 0;
    },
    disarm() {
      if (armed === 0) return;
      armed = 0;
      if (refs) code.unref(block);
      code.disarm(block);
    },
    ref() {
      if (!refs && armed !== 0) code.ref(block);
      refs = true;
    },
    unref() {
      if (refs && armed !== 0) code.unref(block);
      refs = false;
    },
    close() {
      closed = true;
      if (refs && armed !== 0) code.unref(block);
      code.close(block);
    },
  };
}
