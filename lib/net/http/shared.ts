import type { Fields } from "./fields.ts";
import type { RequestHead } from "./head.ts";
import { type HttpLimits, resolveLimits } from "./limits.ts";
import { Memo } from "./memo.ts";

/** What the parsers with the same limits share. */
export class Shared {
  readonly limits: Required<HttpLimits>;
  readonly heads: Memo<RequestHead> = new Memo<RequestHead>();
  readonly fields: Memo<Fields> = new Memo<Fields>();

  constructor(limits: HttpLimits | undefined) {
    this.limits = resolveLimits(limits);
  }
}

const defaults = new Shared(undefined);
const sharedBy = new WeakMap<HttpLimits, Shared>();

/** The one for `limits`, which are read when they come for the first time. */
export function sharedFor(limits: HttpLimits | undefined): Shared {
  if (limits === undefined) return defaults;
  let shared = sharedBy.get(limits);
  if (shared === undefined) sharedBy.set(limits, shared = new Shared(limits));
  return shared;
}
