/**
 * Programs that are started, their pipes and their ends: std's and tokio's `process`.
 *
 * A child is started by posix_spawn(3) and watched by a descriptor of its own (pidfd_open(2)), so that its end is an
 * event of the reactor's like any other: no signal is handled, no thread waits, and the children that the host starts
 * itself are left to it. A child has no signal blocked or ignored, and no descriptor but its three.
 *
 * @example
 * ```ts
 * import { Command } from "@oxbow/oxbow/process";
 *
 * const { status, stdout } = await new Command("echo", { args: ["hello"] }).output();
 * console.log(status.success, new TextDecoder().decode(stdout)); // true "hello\n"
 *
 * using child = new Command("cat", { stdin: "piped", stdout: "piped" }).spawn();
 * await child.stdin.writeAll(new TextEncoder().encode("there and back"));
 * await child.stdin.shutdown();
 * console.log((await child.waitWithOutput()).stdout.byteLength); // 14
 * ```
 *
 * Follows tokio's `process` and `net::unix::pipe`, posix_spawn(3), pidfd_open(2) and waitid(2). In Deno it asks for
 * `--allow-ffi` and `--allow-run`.
 *
 * @module
 */
export { Child, type Output, type OutputOptions } from "./process/child.ts";
export { Command, type CommandOptions } from "./process/command.ts";
export type { EnvironmentChanges } from "./process/environment.ts";
export type { ExitStatus } from "./process/exit_status.ts";
export type { Stdio } from "./process/stdio.ts";
export { type FifoOptions, openFifo } from "./process/open_fifo.ts";
export { pipe, PipeReader, PipeWriter } from "./pipe.ts";
