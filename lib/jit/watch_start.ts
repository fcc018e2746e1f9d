/** The thread that a watch has, and the functions of C that tell it what to do. */
import {
  check,
  libc,
  type NativeFunctions,
  NULL,
  type Pointer,
  pointerAt,
  type SymbolTable,
  SystemError,
  unsafeBufferAt,
} from "../../ffi/mod.ts";
import { type AlarmMaker, openAlarms } from "../../ffi/alarm.ts";
import { dlopenQuietly } from "../../ffi/dlopen.ts";
import { EpollEvents } from "../../ffi/layout/epoll_events.ts";
import { pathOf, symbolIn } from "../../ffi/loader.ts";
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
const CLOEXEC = 0o2000000;
const F_DUPFD_CLOEXEC = 1030;
const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
const EPOLLIN = 1;
const PROT_READ_WRITE = 3;
const MAP_PRIVATE_ANONYMOUS = 0x22;

/** What a thread of JavaScript opens once for all its watches. */
export interface Watching {
  readonly code: NativeFunctions<typeof CODE>;
  readonly libc: NativeFunctions<typeof LIBC_TABLE>;
  readonly makeAlarm: AlarmMaker;
}

let opened: Watching | undefined;

/** Throws a `NativeUnavailableError` where no machine code, or no addon, can be loaded. */
export function openWatching(): Watching {
  return opened ??= open();
}

function open(): Watching {
  const library = openForProcess(processObjects.watch, CODE);
  return {
    code: library.symbols,
    libc: dlopenQuietly(LIBC, LIBC_TABLE).symbols,
    // A path, since Deno knows no sonames.
    makeAlarm: openAlarms(pathOf(symbolIn(library.path, WATCH.make) ?? NULL)),
  };
}

function mapBlock(): Pointer {
  const address = libc().mmap(null, BLOCK.size, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0);
  check(address === -1n ? -1 : 0, "mmap", { hint: "a watch needs a page" });
  return pointerAt(BigInt(address));
}

/**
 * The block of a watch whose thread waits and whose alarm calls `told`: all of it ends by `close`, or with this thread.
 * Where some of it cannot be had, nothing is left behind.
 */
export function startWatch(descriptor: number, told: () => void): Pointer {
  const { code, libc: c, makeAlarm } = openWatching();
  using made = new DisposableStack();
  function own(fd: number, call: string): number {
    check(fd, call);
    made.defer(() => libc().close(fd));
    return fd;
  }
  const watched = own(libc().fcntl(descriptor, F_DUPFD_CLOEXEC, 0), "fcntl");
  const epoll = own(libc().epoll_create1(CLOEXEC), "epoll_create1");
  const control = own(c.eventfd(0, CLOEXEC), "eventfd");
  const event = new EpollEvents(1);
  event.set(0, EPOLLIN, 0);
  check(libc().epoll_ctl(epoll, EPOLL_CTL_ADD, control, event.pointer), "epoll_ctl");
  // What cannot be polled is refused now, and not when the watch is armed.
  check(libc().epoll_ctl(epoll, EPOLL_CTL_ADD, watched, event.pointer), "epoll_ctl");
  check(libc().epoll_ctl(epoll, EPOLL_CTL_DEL, watched, event.pointer), "epoll_ctl");
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
  if (makeAlarm(told, "oxbow watch", block)) return block;
  code.end(block);
  throw new Error("cannot watch a descriptor: the host makes no thread-safe function");
}
