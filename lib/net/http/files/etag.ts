/** An entity tag at `lastIndex`, and what separates it from the next: `W/"…"` (RFC 9110, section 8.8.3). */
const MEMBER = /[ \t,]*(W\/)?("[\x21\x23-\x7e\x80-\xff]*")[ \t]*(?=,|$)/y;

/** Whether an entity tag is strong: of two that are equal, each byte is. */
export function isStrong(etag: string): boolean {
  return etag.startsWith('"');
}

/**
 * Whether `etag` is among the entity tags of `list`, or this is `*`. Weakly, the opaque parts alone are compared;
 * strongly, a weak tag equals none (RFC 9110, section 8.8.3.2). What comes after something that is no tag is not read.
 */
export function includesETag(list: string, etag: string, strongly: boolean): boolean {
  if (list.trim() === "*") return true;
  if (strongly && !isStrong(etag)) return false;
  const opaque = isStrong(etag) ? etag : etag.slice(2);
  MEMBER.lastIndex = 0;
  for (let match = MEMBER.exec(list); match !== null; match = MEMBER.exec(list)) {
    if (match[2] === opaque && !(strongly && match[1] !== undefined)) return true;
  }
  return false;
}
