import { check, NULL } from "../../ffi/mod.ts";
import { descriptors } from "../../ffi/descriptors.ts";
import { siginfo } from "../../ffi/layout/linux.ts";
import { requireRun } from "../../ffi/permissions.ts";
import { shown } from "./arguments.ts";
import { Fd, numberOf, WouldBlock } from "./fd.ts";
import { type Signal, signalNumber, signalOf } from "./signals.ts";

/** Linux has had one table of numbers for all machines since 424. */
const SYS_PIDFD_SEND_SIGNAL = 424;
const SYS_PIDFD_OPEN = 434;
const P_PIDFD = 3;
const WNOHANG = 1;
const WEXITED = 4;
const WNOWAIT = 0x1000000;
const CLD_EXITED = 1;
const CLD_DUMPED = 3;
const LARGEST_PID = 0x3fffff;

/** How a process ended: by itself, or by a signal. */
export type ExitStatus =
  | { readonly code: number; readonly signal?: undefined }
  | { readonly code?: undefined; readonly signal: Signal; readonly dumpedCore: boolean };

/** What waitid(2) has said last. */
const found = new Uint8Array(siginfo.size);
const fields = siginfo.view(found);

/**
 * A process by a descriptor, which never means another one that was given its number later: pidfd_open(2). It is
 * readable once the process has ended. The process may be anybody's; only a child's end can be asked for.
 *
 * The hosts wait for the children that they start themselves (`node:child_process`, `Deno.Command`, `Bun.spawn`) at a
 * turn of their loop, and then nobody else can. So ask with `exitStatus`, which leaves the child to the host, before
 * that turn; `wait` is for children that no host knows of.
 *
 * @example
 * ```ts
 * import { Epoll, EPOLLIN, PidFd } from "@oxbow/oxbow/io";
 * import { spawn } from "node:child_process";
 *
 * const child = spawn("sleep", ["60"]);
 * using process = PidFd.open(child.pid ?? 0);
 * using epoll = new Epoll();
 * epoll.add(process.fd, EPOLLIN, 0);
 * console.log(epoll.wait(0)); // 0
 * process.sendSignal("SIGTERM");
 * while (epoll.wait(1000) === 0);
 * console.log(process.exitStatus()); // { signal: "SIGTERM", dumpedCore: false }
 * ```
 */
export class PidFd implements Disposable {
  readonly fd: Fd;

  private constructor(fd: Fd) {
    this.fd = fd;
  }

  /**
   * Throws a `SystemError`: `ESRCH` where there is no such process. In Deno it asks for `--allow-run`, as `Deno.kill`
   * does, since the descriptor lets the process be ended.
   */
  static open(pid: number): PidFd {
    if (!(Number.isInteger(pid) && pid >= 1 && pid <= LARGEST_PID)) {
      throw new RangeError(
        `cannot open a process: pid is ${shown(pid)}, not an integer from 1 to ${LARGEST_PID}`,
      );
    }
    requireRun();
    const number = Number(descriptors().pidfd_open(SYS_PIDFD_OPEN, pid, 0));
    return new PidFd(Fd.unsafeOwn(check(number, "pidfd_open", { path: `process ${pid}` })));
  }

  /**
   * Sends it a signal: to it alone, and never to one that has its number since. Throws a `SystemError`: `ESRCH` where it
   * has ended and was waited for, `EPERM` where it is another user's.
   */
  sendSignal(signal: Signal): void {
    const number = signalNumber("cannot send a signal", signal);
    const fd = numberOf(this.fd);
    const result = descriptors().pidfd_send_signal(SYS_PIDFD_SEND_SIGNAL, fd, number, NULL, 0);
    check(Number(result), "pidfd_send_signal");
  }

  /**
   * How a child has ended, or `WouldBlock` where it runs. The host, or who else waits for it, is told of it still.
   * Throws a `SystemError`: `ECHILD` where it is no child, or was waited for.
   */
  exitStatus(): ExitStatus | typeof WouldBlock {
    return waitFor(this.fd, WEXITED | WNOHANG | WNOWAIT);
  }

  /**
   * As `exitStatus`, and the process is gone for good then: waitid(2). Not for a child of the host's own, which
   * would never hear of its end.
   */
  wait(): ExitStatus | typeof WouldBlock {
    return waitFor(this.fd, WEXITED | WNOHANG);
  }

  close(): void {
    this.fd.close();
  }

  [Symbol.dispose](): void {
    this.fd.close();
  }
}

function waitFor(fd: Fd, options: number): ExitStatus | typeof WouldBlock {
  fields.si_pid = 0;
  check(descriptors().waitid(P_PIDFD, numberOf(fd), found, options), "waitid", {
    hint: "it is no child of this process, or the host has waited for it",
  });
  if (fields.si_pid === 0) return WouldBlock;
  if (fields.si_code === CLD_EXITED) return { code: fields.si_status };
  return { signal: signalOf(fields.si_status), dumpedCore: fields.si_code === CLD_DUMPED };
}
