import { readFileSync } from "node:fs";

/** Of the clock that /proc/PID/stat counts by: USER_HZ. */
const TICKS_A_SECOND = 100;

/** The CPU that a process has used so far: proc(5). */
export interface Cpu {
  readonly userSeconds: number;
  readonly systemSeconds: number;
}

/** Throws where there is no such process. */
export function cpuOf(pid: number): Cpu {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The second field is the program's name in parentheses, and may hold anything.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return {
    userSeconds: Number(fields[11]) / TICKS_A_SECOND,
    systemSeconds: Number(fields[12]) / TICKS_A_SECOND,
  };
}

function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return 1024 * Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]);
}

/** What a process has used while it was measured. */
export interface Used extends Cpu {
  /** Before the first connection, and at the end. */
  readonly residentBytes: readonly [number, number];
}

/** A process that is looked at. */
export class Watched {
  readonly #pid: number;
  readonly #resident: number;
  #before: Cpu;

  /** To be made before the first connection. Throws where there is no such process. */
  constructor(pid: number) {
    this.#pid = pid;
    this.#resident = residentBytes(pid);
    this.#before = cpuOf(pid);
  }

  /** Its CPU counts from here on. */
  begin(): void {
    this.#before = cpuOf(this.#pid);
  }

  used(): Used {
    const { userSeconds, systemSeconds } = cpuOf(this.#pid);
    return {
      userSeconds: userSeconds - this.#before.userSeconds,
      systemSeconds: systemSeconds - this.#before.systemSeconds,
      residentBytes: [this.#resident, residentBytes(this.#pid)],
    };
  }
}
