import process from "node:process";
import { HandleError } from "../../../mem/mmap.ts";
import type { Port } from "./port.ts";
import { portOf } from "./port.ts";
import { DESCRIPTOR } from "./layout.ts";
import { Memory } from "./memory.ts";
import { type EndKind, requirePlace } from "./roster.ts";

/** Which end of which channel. */
export type RemoteEnd =
  | "sender"
  | "receiver"
  | "weak sender"
  | "bytes sender"
  | "bytes receiver"
  | "oneshot sender"
  | "oneshot receiver"
  | "watch sender"
  | "watch receiver";

/**
 * An end that is on its way to another thread of this process: plain data. It is adopted once. One that is adopted
 * nowhere keeps its channel open: `closeRemoteEnd` takes it back.
 */
export interface RemoteEndHandle {
  readonly kind: "oxbow-remote-end";
  readonly end: RemoteEnd;
  readonly process: number;
  readonly descriptor: number;
  readonly nonce: string;
  readonly place: number;
  readonly secret: number;
}

/** Moves an end of the port's into flight. */
export function launch(port: Port, end: RemoteEnd, kind: EndKind, seen = 0): RemoteEndHandle {
  const { memory, roster } = port;
  port.lock();
  let flight: { place: number; secret: number };
  try {
    flight = roster.launch(kind, seen);
  } finally {
    port.unlock();
  }
  const descriptor = memory.words[DESCRIPTOR];
  const { nonce } = memory;
  port.leaveIfIdle();
  return { kind: "oxbow-remote-end", end, process: process.pid, descriptor, nonce, ...flight };
}

/**
 * Moves an end in flight into this thread. Returns its port, which `make` makes where this thread has none yet, and
 * what it had seen.
 */
export function land<P extends Port>(
  handle: RemoteEndHandle,
  end: RemoteEnd,
  kind: EndKind,
  isPort: (port: Port) => port is P,
  make: (memory: Memory) => P,
): { port: P; seen: number } {
  const { descriptor, nonce, place, secret } = checked(handle, end);
  const known = portOf(nonce);
  if (known !== undefined && !isPort(known)) throw refusal("it is an end of another kind of channel");
  const port = known ?? make(Memory.open(descriptor, nonce));
  try {
    port.lock();
    try {
      if (!port.roster.isInFlight(kind, place, secret)) throw refusal("it was adopted already");
      port.join();
      return { port, seen: port.roster.land(kind, place) };
    } finally {
      port.unlock();
    }
  } catch (error) {
    // Of a map that nothing came of.
    if (port.roster.mine === 0) port.memory.leave(false);
    throw error;
  }
}

function refusal(why: string): HandleError {
  return new HandleError(`cannot adopt an end of a channel: ${why}`);
}

function checked(handle: RemoteEndHandle, end: RemoteEnd): RemoteEndHandle {
  if (typeof handle !== "object" || handle === null || handle.kind !== "oxbow-remote-end") {
    throw refusal("what was given is no handle of one");
  }
  if (handle.end !== end) throw refusal(`it is a ${handle.end}, and no ${end}`);
  if (handle.process !== process.pid) {
    throw refusal(`it is of process ${handle.process}, and this is ${process.pid}`);
  }
  if (!Number.isInteger(handle.descriptor) || handle.descriptor < 0) throw refusal("its descriptor is none");
  requirePlace(handle.place, handle.secret);
  return handle;
}
