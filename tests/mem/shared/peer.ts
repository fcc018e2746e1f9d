/**
 * Programs that run beside the test, on the host under test, and can be killed.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { hostName } from "../../../ffi/mod.ts";
import { moduleUrl, writeProgram } from "../../child.ts";

const FLAGS = {
  deno: ["run", "--no-prompt", "--no-config", "--no-lock", "--quiet", "-A"],
  bun: ["run"],
  node: [],
};

/** Every program that a peer runs begins so: `map` is the file's. */
export function preamble(path: string): string {
  return `
    import { closeSync, writeSync } from "node:fs";
    import { Mmap } from "${moduleUrl("lib/mem/mmap.ts")}";
    import * as shared from "${moduleUrl("lib/mem/shared.ts")}";
    const { SharedCondvar, SharedMutex, SharedRing, SharedSemaphore } = shared;
    const map = Mmap.open(${JSON.stringify(path)}, { mode: "r+" });
    function tell(text) { writeSync(1, text + "\\n"); }
    /** Who waits for a test that failed, or was ended, ends by itself. */
    function sleep(ms) {
      if (performance.now() > 600_000) throw new Error("nobody has told this process for ten minutes to go on");
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
    }
    function words(byteOffset, length) { return map.view(Int32Array, byteOffset, length); }
  `;
}

/** A running program. */
export interface Peer {
  /** The next line that it prints. Throws where it ends instead. */
  line(): Promise<string>;
  /** SIGKILL, until it is gone. */
  kill(): Promise<void>;
  /** Its end: throws where it is not the code 0. */
  end(): Promise<void>;
}

/** Starts `source` after the preamble for the map of `path`. */
export function startPeer(path: string, source: string): Peer {
  const folder = mkdtempSync(join(tmpdir(), "oxbow-peer-"));
  const program = writeProgram(folder, "peer", preamble(path) + source);
  const child = spawn(process.execPath, [...FLAGS[hostName], program], {
    env: { ...process.env, NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  let errors = "";
  let isOver = false;
  let awake = (): void => {};
  child.stdout.setEncoding("utf8").on("data", (part: string) => {
    text += part;
    awake();
  });
  child.stderr.setEncoding("utf8").on("data", (part: string) => errors += part);
  const closed = new Promise<number | string>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve(code ?? signal ?? "nothing"));
  }).finally(() => {
    rmSync(folder, { recursive: true });
    isOver = true;
    awake();
  });
  return {
    async line() {
      while (!text.includes("\n")) {
        if (isOver) throw new Error(`the peer ended with ${await closed}, and said nothing more:\n${errors}`);
        await new Promise<void>((resolve) => awake = resolve);
      }
      const end = text.indexOf("\n");
      const line = text.slice(0, end);
      text = text.slice(end + 1);
      return line;
    },
    async kill() {
      child.kill("SIGKILL");
      await closed;
    },
    async end() {
      const code = await closed;
      if (code !== 0) throw new Error(`the peer ended with ${code}:\n${errors}`);
    },
  };
}
