import { isSandboxed } from "../../ffi/permissions.ts";
import { requireRead, requireWrite } from "../../ffi/permissions.ts";
import { libc } from "../../ffi/mod.ts";
import { openFile } from "../io/open.ts";
import type { Future } from "../task/future.ts";
import { lazy } from "../task/futures/ready.ts";
import { Handle } from "./handle.ts";
import type { Opening } from "./open_options.ts";
import type { Path } from "./path.ts";
import { systemCall } from "./system_call.ts";

const O_CREAT = 0o100;

/**
 * Opens a file on another thread: a pipe's open waits for the other end. In Deno's sandbox on this one, for what is
 * permitted must be what is opened.
 */
export function openHandle(path: Path, opening: Opening, discarded?: () => void): Future<Handle> {
  const { flags, mode, reads, writes } = opening;
  const { text, bytes } = path;
  if (reads) requireRead(text);
  if (writes) requireWrite(text);
  if (isSandboxed()) return lazy(() => new Handle(openFile(text, flags, mode), text));
  const hint = writes && (flags & O_CREAT) === 0
    ? { hint: "`create: true` makes a file that is not there" }
    : {};
  return systemCall({
    name: "open",
    arguments: [bytes, flags, mode],
    context: { path: text, ...hint },
    value: (number) => new Handle(number, text),
    discard: (number) => {
      libc().close(number);
      discarded?.();
    },
  });
}
