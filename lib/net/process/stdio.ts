import { check, libc } from "../../../ffi/mod.ts";
import type { ChildDescriptor } from "../../../ffi/spawn.ts";
import { shown } from "../../io/arguments.ts";
import { Fd, numberOf } from "../../io/fd.ts";
import { PipeReader, PipeWriter, rawPipe } from "../pipe.ts";

const F_DUPFD_CLOEXEC = 1030;
/** Copies go above the child's own three, so that none is overwritten before it was copied. */
const FIRST_FREE = 3;

/**
 * What a child has for a descriptor: ours, /dev/null, a pipe to us, a descriptor of ours that stays ours, or a pipe's end
 * that becomes the child's.
 */
export type Stdio = "inherit" | "null" | "piped" | Fd | PipeReader | PipeWriter;

/** The three of a child that is to be started. */
export class StdioPlan {
  readonly child: ChildDescriptor[] = [];
  stdin: PipeWriter | null = null;
  stdout: PipeReader | null = null;
  stderr: PipeReader | null = null;
  /** What is the child's alone once it was started. */
  #theirs: Fd[] = [];

  /** Opens what is asked for, and nothing where one of them cannot be had. */
  constructor(stdin: Stdio, stdout: Stdio, stderr: Stdio) {
    try {
      this.stdin = this.#planStdin(stdin);
      this.stdout = this.#planOutput(1, stdout);
      this.stderr = this.#planOutput(2, stderr);
    } catch (error) {
      this.abandon();
      throw error;
    }
  }

  #planStdin(stdio: Stdio): PipeWriter | null {
    if (stdio !== "piped") {
      this.child[0] = this.#given(0, stdio);
      return null;
    }
    const [theirs, ours] = rawPipe();
    this.#theirs.push(theirs);
    const end = watched(ours, PipeWriter.from);
    this.child[0] = this.#placed(0, theirs);
    return end;
  }

  #planOutput(place: number, stdio: Stdio): PipeReader | null {
    if (stdio !== "piped") {
      this.child[place] = this.#given(place, stdio);
      return null;
    }
    const [ours, theirs] = rawPipe();
    this.#theirs.push(theirs);
    const end = watched(ours, PipeReader.from);
    if (place === 1) this.stdout = end;
    else this.stderr = end;
    this.child[place] = this.#placed(place, theirs);
    return end;
  }

  #given(place: number, stdio: Exclude<Stdio, "piped">): ChildDescriptor {
    if (stdio === "inherit" || stdio === "null") return stdio;
    if (Fd.isFd(stdio)) return this.#placed(place, stdio);
    const fd = stdio.intoFd();
    this.#theirs.push(fd);
    // Programs take their streams to wait.
    fd.setBlocking(true);
    return this.#placed(place, fd);
  }

  #placed(place: number, fd: Fd): number {
    const number = numberOf(fd);
    if (number >= FIRST_FREE || number === place) return number;
    const copy = Fd.unsafeOwn(check(libc().fcntl(number, F_DUPFD_CLOEXEC, FIRST_FREE), "fcntl"));
    this.#theirs.push(copy);
    return numberOf(copy);
  }

  /** The child has copies of its own. */
  started(): void {
    for (const fd of this.#theirs) fd.close();
  }

  /** There is no child. */
  abandon(): void {
    this.started();
    this.stdin?.close();
    this.stdout?.close();
    this.stderr?.close();
  }
}

function watched<T>(fd: Fd, from: (fd: Fd) => T): T {
  try {
    return from(fd);
  } catch (error) {
    fd.close();
    throw error;
  }
}

/** Throws for what no child can have. */
export function requireStdio(what: string, name: string, stdio: unknown): void {
  if (stdio === undefined || stdio === "inherit" || stdio === "null" || stdio === "piped") return;
  const isEnd = name === "stdin" ? stdio instanceof PipeReader : stdio instanceof PipeWriter;
  if (isEnd || Fd.isFd(stdio)) return;
  const end = name === "stdin" ? "PipeReader" : "PipeWriter";
  throw new TypeError(
    `${what}: ${name} is ${shown(stdio)}, none of "inherit", "null", "piped", an Fd and a ${end}`,
  );
}
