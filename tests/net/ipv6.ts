/** Whether this machine has IPv6, for tests that want it, and for those that want it not. */
import { Socket } from "../../lib/io/mod.ts";
import { SystemError } from "../../ffi/mod.ts";
import { skipping } from "../skip.ts";

/** Whether ::1 can be listened on. */
export function hasIpv6(): boolean {
  try {
    using _ = Socket.listen({ hostname: "::1", port: 0 });
    return true;
  } catch (error) {
    if (error instanceof SystemError) return false;
    throw error;
  }
}

/** Skips what needs IPv6. */
export function unlessIpv6(): string | false {
  return skipping(hasIpv6() ? false : "this machine has no IPv6 loopback address");
}
