import { requireBytes } from "../../io/arguments.ts";
import { type Context, type Future, Pending } from "../../task/future.ts";
import { coop, proceed } from "../../task/runtime/coop.ts";
import { requireByte, requireInto } from "./arguments.ts";
import { Operation } from "./operation.ts";
import type { AsyncRead, AsyncWrite } from "./traits.ts";

/** There at once, as soon as the task's turn allows for it. */
class Immediate<T> extends Operation<T> {
  #act: () => T;

  constructor(act: () => T) {
    super();
    this.#act = act;
  }

  protected override step(context: Context): T | Pending {
    if (!proceed(context)) return Pending;
    coop.left--;
    return this.#act();
  }
}

/** A reader that is at its end. */
export function empty(): AsyncRead {
  return {
    read(into: Uint8Array): Future<number> {
      requireInto(into);
      return new Immediate(() => 0);
    },
  };
}

/** A reader of the same byte for ever. */
export function repeat(byte: number): AsyncRead {
  requireByte("cannot repeat", "byte", byte);
  return {
    read(into: Uint8Array): Future<number> {
      requireInto(into);
      return new Immediate(() => into.fill(byte).byteLength);
    },
  };
}

/** A writer that takes all bytes and keeps none. */
export function sink(): AsyncWrite {
  return {
    write(bytes: Uint8Array): Future<number> {
      requireBytes("cannot write", "bytes", bytes);
      return new Immediate(() => bytes.byteLength);
    },
    writeAll(bytes: Uint8Array): Future<void> {
      requireBytes("cannot write", "bytes", bytes);
      return new Immediate(nothing);
    },
    shutdown(): Future<void> {
      return new Immediate(nothing);
    },
  };
}

function nothing(): void {}
