import type { ScheduledIo } from "../task/reactor/scheduled_io.ts";

/** Whether a call that reads is worth it. Throws where no edge will come any more. */
export function isWorthReading(io: ScheduledIo): boolean {
  if (io.isDeaf) refuse(io);
  return io.isReadable;
}

/** Whether a call that writes is worth it. Throws where no edge will come any more. */
export function isWorthWriting(io: ScheduledIo): boolean {
  if (io.isDeaf) refuse(io);
  return io.isWritable;
}

function refuse(io: ScheduledIo): never {
  throw new Error(`cannot use a socket: ${io.whyDeaf}`);
}
