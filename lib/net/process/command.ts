import { SystemError } from "../../../ffi/mod.ts";
import type { Program } from "../../../ffi/spawn.ts";
import { spawning } from "../../../ffi/spawn.ts";
import { requireRun } from "../../../ffi/permissions.ts";
import { requireFlag, requireNames, shown } from "../../io/arguments.ts";
import { EventFd } from "../../io/event_fd.ts";
import { toPath } from "../../io/fd.ts";
import { PidFd } from "../../io/pid_fd.ts";
import type { Coroutine, Future } from "../../task/future.ts";
import { toFuture } from "../../task/futures/to_future.ts";
import { Child, type Output, type OutputOptions } from "./child.ts";
import { type EnvironmentChanges, environmentOf, pathOf } from "./environment.ts";
import type { ExitStatus } from "./exit_status.ts";
import { reap } from "./orphans.ts";
import { Running } from "./running.ts";
import { startSought } from "./search.ts";
import { requireStdio, type Stdio, StdioPlan } from "./stdio.ts";

const SIGKILL = 9;
const LARGEST_ID = 0xfffffffe;
const LARGEST_GROUP = 0x7fffffff;

/** How a program is started. */
export interface CommandOptions {
  args?: readonly string[];
  /** What the program is told to be called: its name where nothing is said. */
  argv0?: string;
  /** The folder that it begins in: ours where nothing is said. */
  cwd?: string | URL;
  /** Variables that it has beside ours, or instead; `undefined` takes one away. */
  env?: EnvironmentChanges;
  /** It has the variables of `env` alone. */
  clearEnv?: boolean;
  /** `"inherit"` where nothing is said, and `"null"` for `output`. */
  stdin?: Stdio;
  /** `"inherit"` where nothing is said, and `"piped"` for `output`. */
  stdout?: Stdio;
  /** `"inherit"` where nothing is said, and `"piped"` for `output`. */
  stderr?: Stdio;
  /** The user that it runs as; root has it leave root's groups, too. */
  uid?: number;
  gid?: number;
  /** A session of its own, which no terminal's signals reach: setsid(2). */
  detached?: boolean;
  /** The group of processes that it joins, 0 for one of its own: setpgid(2). */
  processGroup?: number;
  /** It is killed where its `Child` is disposed of or forgotten before its end. */
  killOnDrop?: boolean;
}

const NAMES: readonly string[] = [
  "args",
  "argv0",
  "cwd",
  "env",
  "clearEnv",
  "stdin",
  "stdout",
  "stderr",
  "uid",
  "gid",
  "detached",
  "processGroup",
  "killOnDrop",
] satisfies (keyof CommandOptions)[];

function requireText(what: string, name: string, value: unknown): void {
  if (typeof value !== "string") throw new TypeError(`${what}: ${name} is ${shown(value)}, and no string`);
  if (value.includes("\0")) throw new TypeError(`${what}: ${name} holds a NUL, where C would end it`);
}

function requireNumber(what: string, name: string, value: number | undefined, largest: number): void {
  if (value === undefined || (Number.isInteger(value) && value >= 0 && value <= largest)) return;
  throw new RangeError(`${what}: ${name} is ${shown(value)}, not an integer from 0 to ${largest}`);
}

function copied(what: string, env: EnvironmentChanges = {}): EnvironmentChanges {
  if (typeof env !== "object" || env === null) throw new TypeError(`${what}: env is no object`);
  const own = { ...env };
  for (const [name, value] of Object.entries(own)) {
    requireText(what, "a variable's name", name);
    if (name === "" || name.includes("=")) {
      throw new TypeError(`${what}: env has ${shown(name)}, which can be no variable's name`);
    }
    if (value !== undefined) requireText(what, `the variable ${name}`, value);
  }
  return own;
}

/** A program and how it is started, any number of times. */
export class Command {
  readonly program: string;
  #options: CommandOptions;
  #args: readonly string[];
  #cwd: string | undefined;

  /**
   * A program by its path, or by a name that is sought in the child's `PATH`. Nothing is started yet. Throws a
   * `TypeError` or `RangeError` for an option that is wrong.
   */
  constructor(program: string | URL, options: CommandOptions = {}) {
    this.program = toPath(program, "run");
    const what = `cannot run ${this.program}`;
    requireNames(what, "options are", options, NAMES);
    // Copies: what was looked at is what the child gets.
    const own = { ...options, env: copied(what, options.env) };
    const { args = [], argv0, cwd, uid, gid, processGroup } = own;
    if (!Array.isArray(args)) throw new TypeError(`${what}: args is ${shown(args)}, and no list`);
    const list: readonly string[] = Array.from(args);
    list.forEach((argument, i) => requireText(what, `argument ${i + 1}`, argument));
    if (argv0 !== undefined) requireText(what, "argv0", argv0);
    for (const name of ["clearEnv", "detached", "killOnDrop"] as const) {
      requireFlag(what, name, own[name]);
    }
    for (const name of ["stdin", "stdout", "stderr"] as const) requireStdio(what, name, own[name]);
    requireNumber(what, "uid", uid, LARGEST_ID);
    requireNumber(what, "gid", gid, LARGEST_ID);
    requireNumber(what, "processGroup", processGroup, LARGEST_GROUP);
    this.#options = own;
    this.#args = [argv0 ?? this.program, ...list];
    this.#cwd = cwd === undefined ? undefined : toPath(cwd, "begin in");
  }

  /**
   * Starts it. The thread waits for as long as the kernel takes to begin the program, some 100s of microseconds. Throws
   * a `SystemError` that names what could not be had: `ENOENT`, `EACCES`, `E2BIG` where arguments and environment are
   * too large, `EMFILE`; Deno's `NotCapable` without `--allow-run`.
   */
  spawn(): Child {
    return this.#start("inherit", "inherit");
  }

  /** Starts it and waits for its end. Dropped, the child is disposed of. */
  status(): Future<ExitStatus> {
    return toFuture(this.#status());
  }

  *#status(): Coroutine<ExitStatus> {
    using child = this.spawn();
    return yield* child.wait();
  }

  /** Starts it and reads all that it writes. Dropped, the child is disposed of. */
  output(options: OutputOptions = {}): Future<Output> {
    return toFuture(this.#output(options));
  }

  *#output(options: OutputOptions): Coroutine<Output> {
    using child = this.#start("null", "piped");
    return yield* child.waitWithOutput(options);
  }

  #start(input: Stdio, output: Stdio): Child {
    requireRun();
    reap();
    const { stdin = input, stdout = output, stderr = output, killOnDrop = false } = this.#options;
    const plan = new StdioPlan(stdin, stdout, stderr);
    try {
      const child = new Child(this.#run(plan.child, killOnDrop), plan);
      plan.started();
      return child;
    } catch (error) {
      plan.abandon();
      throw error;
    }
  }

  #run(stdio: Program["stdio"], killOnDrop: boolean): Running {
    const { env = {}, clearEnv = false, detached = false, processGroup, uid, gid } = this.#options;
    room ??= new EventFd();
    const pid = startSought(this.program, {
      args: this.#args,
      env: environmentOf(env, clearEnv),
      stdio,
      cwd: this.#cwd,
      session: detached,
      processGroup,
      uid,
      gid,
    }, this.program.includes("/") ? undefined : pathOf(env));
    return new Running(pid, opened(pid), killOnDrop);
  }
}

/**
 * Given up for a process's own descriptor where there are as many as may be: once it runs it cannot be taken back. Made
 * anew for the next one.
 */
let room: EventFd | null = null;

/** A child that cannot be waited for is ended at once. */
function opened(pid: number): PidFd {
  try {
    return openedWithin(pid);
  } catch (error) {
    spawning().kill(pid, SIGKILL);
    spawning().waitpid(pid, null, 0);
    throw error;
  }
}

function openedWithin(pid: number): PidFd {
  try {
    return PidFd.open(pid);
  } catch (error) {
    if (room === null || !(error instanceof SystemError && error.code === "EMFILE")) throw error;
    room.fd.close();
    room = null;
    return PidFd.open(pid);
  }
}
