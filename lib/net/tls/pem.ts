import { Buffer } from "node:buffer";
import { shown } from "../../io/arguments.ts";

/** A key or a certificate: PEM, as text or bytes. */
export type Pem = string | Uint8Array;

/** As `node:tls` takes it. */
export function pemOf(pem: Pem): string | Buffer {
  return typeof pem === "string" ? pem : Buffer.from(pem);
}

/** Throws a `TypeError` for what is none. */
export function requirePem(what: string, name: string, pem: unknown): void {
  if (typeof pem !== "string" && !(pem instanceof Uint8Array)) {
    throw new TypeError(`${what}: ${name} is ${shown(pem)}, neither text nor bytes`);
  }
  // What is wrong inside, some hosts tell only in the handshake.
  if (!pemOf(pem).includes("-----BEGIN ")) throw new TypeError(`${what}: ${name} is no PEM`);
}
