/** What the tests of processes share. */
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { assert } from "@std/assert";
import { Command, type CommandOptions } from "../../../lib/net/process.ts";

const decoder = new TextDecoder();

export function text(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

export function sh(script: string, options: CommandOptions = {}): Command {
  return new Command("sh", { args: ["-c", script], ...options });
}

export async function told(script: string, options: CommandOptions = {}): Promise<string> {
  return text((await sh(script, options).output()).stdout).trimEnd();
}

/** Our children that have ended and were not waited for. */
export function zombies(): number {
  let count = 0;
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "latin1");
      const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      if (state === "Z" && Number(parent) === process.pid) count++;
    } catch {
      // It has gone meanwhile.
    }
  }
  return count;
}

export async function until(condition: () => boolean, what: string): Promise<void> {
  for (let i = 0; !condition(); i++) {
    assert(i < 1000, what);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

export class Folder implements Disposable {
  readonly path: string = realpathSync(mkdtempSync(join(tmpdir(), "oxbow-command-")));

  script(name: string, source: string, mode = 0o755): string {
    const path = join(this.path, name);
    writeFileSync(path, source);
    chmodSync(path, mode);
    return path;
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true });
  }
}
