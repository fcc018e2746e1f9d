/** Passes by itself once descriptors or memory are free: the kernel keeps the connection in its queue. */
export const EXHAUSTED: ReadonlySet<string> = new Set(["EMFILE", "ENFILE", "ENOBUFS", "ENOMEM"]);
/** The connection failed before it was accepted: accept(2) says to go on. */
export const PASSED: ReadonlySet<string> = new Set([
  "ECONNABORTED",
  "EPROTO",
  "ENETDOWN",
  "ENETUNREACH",
  "ENONET",
  "ENOPROTOOPT",
  "EHOSTDOWN",
  "EHOSTUNREACH",
]);
/** How long who accepts waits for them. */
export const EXHAUSTED_PAUSE_MS = 50;
