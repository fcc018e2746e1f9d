/** Programs that are started: spawn.h, and whose they are. */
import process from "node:process";
import { dlopenQuietly } from "./dlopen.ts";
import { fromPointer } from "./host.ts";
import { errno } from "./errno.ts";
import { NULL, pointerAt, pointerTo, unsafeBufferAt, unsafeStringAt } from "./pointer.ts";
import { LIBC } from "./soname.ts";
import { check, SystemError } from "./system_error.ts";
import type { NativeFunctions, Pointer, SymbolTable } from "./types.ts";

const table = {
  // spawn.h. They give the number of what failed, and set no errno.
  posix_spawn: {
    parameters: [
      /* pid_t *pid */ "buffer!",
      /* const char *path */ "cstring!",
      /* const posix_spawn_file_actions_t *file_actions */ "buffer!",
      /* const posix_spawnattr_t *attrp */ "buffer!",
      /* char *const argv[] */ "buffer!",
      /* char *const envp[] */ "buffer!",
    ],
    result: "i32",
  },
  // With the environment where C has it.
  posix_spawn_inheriting: {
    symbol: "posix_spawn",
    parameters: [
      /* pid_t *pid */ "buffer!",
      /* const char *path */ "cstring!",
      /* const posix_spawn_file_actions_t *file_actions */ "buffer!",
      /* const posix_spawnattr_t *attrp */ "buffer!",
      /* char *const argv[] */ "buffer!",
      /* char *const envp[] */ "pointer!",
    ],
    result: "i32",
  },
  posix_spawn_file_actions_init: {
    parameters: [/* posix_spawn_file_actions_t *fa */ "buffer!"],
    result: "i32",
  },
  posix_spawn_file_actions_destroy: {
    parameters: [/* posix_spawn_file_actions_t *fa */ "buffer!"],
    result: "i32",
  },
  posix_spawn_file_actions_adddup2: {
    parameters: [/* posix_spawn_file_actions_t *fa */ "buffer!", /* int fd */ "i32", /* int newfd */ "i32"],
    result: "i32",
  },
  posix_spawn_file_actions_addopen: {
    parameters: [
      /* posix_spawn_file_actions_t *fa */ "buffer!",
      /* int fd */ "i32",
      /* const char *path */ "cstring!",
      /* int oflag */ "i32",
      /* mode_t mode */ "u32",
    ],
    result: "i32",
  },
  // glibc 2.29.
  posix_spawn_file_actions_addchdir_np: {
    parameters: [/* posix_spawn_file_actions_t *fa */ "buffer!", /* const char *path */ "cstring!"],
    result: "i32",
  },
  // glibc 2.34.
  posix_spawn_file_actions_addclosefrom_np: {
    parameters: [/* posix_spawn_file_actions_t *fa */ "buffer!", /* int from */ "i32"],
    result: "i32",
    optional: true,
  },
  posix_spawnattr_init: { parameters: [/* posix_spawnattr_t *attr */ "buffer!"], result: "i32" },
  posix_spawnattr_destroy: { parameters: [/* posix_spawnattr_t *attr */ "buffer!"], result: "i32" },
  posix_spawnattr_setflags: {
    parameters: [/* posix_spawnattr_t *attr */ "buffer!", /* short flags */ "i16"],
    result: "i32",
  },
  posix_spawnattr_setpgroup: {
    parameters: [/* posix_spawnattr_t *attr */ "buffer!", /* pid_t pgroup */ "i32"],
    result: "i32",
  },
  posix_spawnattr_setsigdefault: {
    parameters: [/* posix_spawnattr_t *attr */ "buffer!", /* const sigset_t *sigdefault */ "buffer!"],
    result: "i32",
  },
  posix_spawnattr_setsigmask: {
    parameters: [/* posix_spawnattr_t *attr */ "buffer!", /* const sigset_t *sigmask */ "buffer!"],
    result: "i32",
  },

  // dlfcn.h
  dlsym: {
    parameters: [/* void *handle */ "pointer", /* const char *symbol */ "cstring!"],
    result: "pointer",
  },

  // stdlib.h
  getenv: { parameters: [/* const char *name */ "cstring!"], result: "pointer" },
  // unistd.h
  access: { parameters: [/* const char *pathname */ "cstring!", /* int mode */ "i32"], result: "i32" },
  geteuid: { parameters: [], result: "u32" },
  getegid: { parameters: [], result: "u32" },
  getgroups: { parameters: [/* int size */ "i32", /* gid_t list[] */ "buffer"], result: "i32" },
  // The thread's own: glibc's functions of the same names change those of all threads.
  setres: {
    symbol: "syscall",
    parameters: [
      /* long number */ "i64",
      /* uid_t ruid */ "u32",
      /* uid_t euid */ "u32",
      /* uid_t suid */ "u32",
    ],
    result: "isize",
    variadic: 1,
  },
  setgroups: {
    symbol: "syscall",
    parameters: [/* long number */ "i64", /* size_t size */ "usize", /* const gid_t *list */ "buffer"],
    result: "isize",
    variadic: 1,
  },
  prctl: {
    parameters: [/* int option */ "i32", /* unsigned long arg2 */ "u64"],
    result: "i32",
    variadic: 1,
  },

  // sys/wait.h
  waitpid: {
    parameters: [/* pid_t pid */ "i32", /* int *wstatus */ "buffer", /* int options */ "i32"],
    result: "i32",
  },
  // signal.h
  kill: { parameters: [/* pid_t pid */ "i32", /* int sig */ "i32"], result: "i32" },
} as const satisfies SymbolTable;

let symbols: NativeFunctions<typeof table> | undefined;

/** Opened at its first use and never closed. */
export function spawning(): NativeFunctions<typeof table> {
  return symbols ??= dlopenQuietly(LIBC, table).symbols;
}

const [SYS_SETGROUPS, SYS_SETRESUID, SYS_SETRESGID] = process.arch === "x64"
  ? [116, 117, 119]
  : [159, 147, 149];
const PR_GET_DUMPABLE = 3;
const PR_SET_DUMPABLE = 4;
const KEEP = 0xffffffff;

const POSIX_SPAWN_SETPGROUP = 0x02;
const POSIX_SPAWN_SETSIGDEF = 0x04;
const POSIX_SPAWN_SETSIGMASK = 0x08;
const POSIX_SPAWN_SETSID = 0x80;
const O_RDWR = 2;

/** What C sees of both is opaque: 80 and 336 bytes with glibc on 64 bits. */
const ACTIONS_BYTES = 512;
const ATTRIBUTES_BYTES = 1024;
/** `sigset_t`: none, and all. */
const noSignals = new Uint8Array(128);
const allSignals = new Uint8Array(128).fill(255);
const pid = new Int32Array(1);
const encoder = new TextEncoder();

/** `char **environ`, as the whole process has it: environ(7). */
let environ: BigUint64Array<ArrayBuffer> | undefined;

/** Where the environment lies now: each change may move it. */
function environment(): Pointer {
  if (environ === undefined) {
    // The program's own, where it has taken the library's over.
    const variable = spawning().dlsym(NULL, "environ");
    if (variable === null) throw new Error("cannot find the environment: C has no variable environ");
    environ = new BigUint64Array(unsafeBufferAt(variable, 8));
  }
  return pointerAt(environ[0]);
}

/** A variable of the environment that C has, whatever the host lets be read. */
export function variable(name: string): string | undefined {
  const value = spawning().getenv(name);
  return value === null ? undefined : unsafeStringAt(value);
}

/** C's `char *const []`, with the text that it points into. */
interface Strings {
  readonly pointers: BigUint64Array<ArrayBuffer>;
  readonly text: Uint8Array<ArrayBuffer>;
}

function stringsOf(list: readonly string[]): Strings {
  const text = encoder.encode(list.length === 0 ? "\0" : `${list.join("\0")}\0`);
  const pointers = new BigUint64Array(list.length + 1);
  const start = fromPointer(pointerTo(text));
  let at = 0;
  for (let i = 0; i < list.length; i++) {
    pointers[i] = start + BigInt(at);
    at = text.indexOf(0, at) + 1;
  }
  return { pointers, text };
}

/** What becomes of a child's descriptor: opened on /dev/null, a copy of ours, or what it is here. */
export type ChildDescriptor = "null" | "inherit" | number;

/** A program to be started. No text holds a NUL. */
export interface Program {
  readonly path: string;
  readonly args: readonly string[];
  /** `NAME=value`, or all that C has. */
  readonly env: readonly string[] | "inherit";
  /** 0, 1 and 2. A number is its own place, or 3 and more. */
  readonly stdio: readonly ChildDescriptor[];
  readonly cwd: string | undefined;
  /** A session of its own: setsid(2). */
  readonly session: boolean;
  /** The group to be in, 0 for one of its own. */
  readonly processGroup: number | undefined;
  readonly uid: number | undefined;
  readonly gid: number | undefined;
}

/** Memory, as far as these can fail. */
function must(failure: number, name: string): void {
  if (failure !== 0) throw new SystemError(failure, name);
}

/** Starts it by posix_spawn(3), with no signal blocked or ignored: its id, or the negative number of what failed. */
export function startProgram(program: Program): number {
  const c = spawning();
  const isPlain = program.cwd === undefined && program.stdio.every((source) => typeof source === "string");
  const actions = isPlain ? plainActions(program) : actionsOf(program);
  try {
    const hasGroup = program.session || program.processGroup !== undefined;
    const attributes = hasGroup ? attributesOf(program) : plainAttributes ??= attributesOf(program);
    try {
      const args = stringsOf(program.args);
      const env = program.env === "inherit" ? null : stringsOf(program.env);
      const { path, uid, gid } = program;
      const start = (): number =>
        env === null
          ? c.posix_spawn_inheriting(pid, path, actions, attributes, args.pointers, environment())
          : c.posix_spawn(pid, path, actions, attributes, args.pointers, env.pointers);
      const failure = uid === undefined && gid === undefined ? start() : asOther(uid, gid, start);
      // Both are what C has read: held up to here.
      return failure === 0 && args.text.length > 0 && env?.text.length !== 0 ? pid[0] : -failure;
    } finally {
      if (hasGroup) c.posix_spawnattr_destroy(attributes);
    }
  } finally {
    if (!isPlain) c.posix_spawn_file_actions_destroy(actions);
  }
}

/** Of all programs with no session and no group of their own: C only reads them. */
let plainAttributes: Uint8Array<ArrayBuffer> | undefined;
/** By the words, of all programs that have no other descriptors and begin here. */
const plain: Map<string, Uint8Array<ArrayBuffer>> = new Map();

function plainActions(program: Program): Uint8Array<ArrayBuffer> {
  const words = program.stdio.join();
  const known = plain.get(words);
  if (known !== undefined) return known;
  const actions = actionsOf(program);
  plain.set(words, actions);
  return actions;
}

function actionsOf({ stdio, cwd }: Program): Uint8Array<ArrayBuffer> {
  const c = spawning();
  const actions = new Uint8Array(ACTIONS_BYTES);
  must(c.posix_spawn_file_actions_init(actions), "posix_spawn_file_actions_init");
  try {
    for (let fd = 0; fd < stdio.length; fd++) {
      const source = stdio[fd];
      if (source === "inherit") continue;
      must(
        source === "null"
          ? c.posix_spawn_file_actions_addopen(actions, fd, "/dev/null", O_RDWR, 0)
          : c.posix_spawn_file_actions_adddup2(actions, source, fd),
        "posix_spawn_file_actions",
      );
    }
    // What our own parent has left open to us, no host closes in its children.
    must(
      c.posix_spawn_file_actions_addclosefrom_np?.(actions, stdio.length) ?? 0,
      "posix_spawn_file_actions_addclosefrom_np",
    );
    if (cwd !== undefined) {
      must(c.posix_spawn_file_actions_addchdir_np(actions, cwd), "posix_spawn_file_actions_addchdir_np");
    }
    return actions;
  } catch (error) {
    c.posix_spawn_file_actions_destroy(actions);
    throw error;
  }
}

function attributesOf({ session, processGroup }: Program): Uint8Array<ArrayBuffer> {
  const c = spawning();
  const attributes = new Uint8Array(ATTRIBUTES_BYTES);
  must(c.posix_spawnattr_init(attributes), "posix_spawnattr_init");
  let flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK;
  must(c.posix_spawnattr_setsigdefault(attributes, allSignals), "posix_spawnattr_setsigdefault");
  must(c.posix_spawnattr_setsigmask(attributes, noSignals), "posix_spawnattr_setsigmask");
  if (session) flags |= POSIX_SPAWN_SETSID;
  if (processGroup !== undefined) {
    flags |= POSIX_SPAWN_SETPGROUP;
    must(c.posix_spawnattr_setpgroup(attributes, processGroup), "posix_spawnattr_setpgroup");
  }
  must(c.posix_spawnattr_setflags(attributes, flags), "posix_spawnattr_setflags");
  return attributes;
}

/**
 * Calls `start` with this thread being another user: the kernel's credentials are each thread's own, and a child has
 * those of the thread that started it. What it was is saved in the third of the three ids, from which the thread comes
 * back; exec overwrites that one in the child, which cannot. Other threads see nothing of it.
 */
function asOther(uid: number | undefined, gid: number | undefined, start: () => number): number {
  const c = spawning();
  const [ownUid, ownGid] = [c.geteuid(), c.getegid()];
  const count = check(c.getgroups(0, null), "getgroups");
  const groups = new Uint32Array(count);
  if (count > 0) check(c.getgroups(count, groups), "getgroups");
  const dumpable = c.prctl(PR_GET_DUMPABLE, 0);
  const changesGroups = uid !== undefined && ownUid === 0;
  let failure = 0;
  if (changesGroups) failure = failed(c.setgroups(SYS_SETGROUPS, 0, null));
  if (failure === 0 && gid !== undefined) failure = failed(c.setres(SYS_SETRESGID, gid, gid, ownGid));
  if (failure === 0 && uid !== undefined) failure = failed(c.setres(SYS_SETRESUID, uid, uid, ownUid));
  try {
    return failure === 0 ? start() : failure;
  } finally {
    // The user first: the groups are root's to change.
    restored(
      c.setres(SYS_SETRESUID, uid === undefined ? KEEP : ownUid, uid === undefined ? KEEP : ownUid, KEEP),
    );
    restored(
      c.setres(SYS_SETRESGID, gid === undefined ? KEEP : ownGid, gid === undefined ? KEEP : ownGid, KEEP),
    );
    if (changesGroups) restored(c.setgroups(SYS_SETGROUPS, count, count === 0 ? null : groups));
    // The kernel takes it away from a process whose credentials change.
    c.prctl(PR_SET_DUMPABLE, dumpable);
  }
}

function failed(result: number | bigint): number {
  return Number(result) === -1 ? errno() : 0;
}

function restored(result: number | bigint): void {
  check(Number(result), "setresuid", { hint: "the thread is another user's still: end the process" });
}
