/** Says who is right where llhttp, in its strict mode, does not read a case as we do, and by what. */
type Differs = string;

/** Bytes that a client sends, and what a server may make of them. Characters stand for bytes. */
export interface Case {
  readonly name: string;
  /** Of RFC 9112, unless it says another. */
  readonly section: string;
  readonly bytes: string;
  /** The requests that were read to their end: method, target and body, with a space between. */
  readonly seen: readonly string[];
  /** What the request after those is refused with; 0 where none is. */
  readonly status: number;
  /** Empty where llhttp reads the same requests, and refuses where we do. */
  readonly differs: Differs;
}

/** Bytes that are read as these requests. */
export function reads(
  section: string,
  name: string,
  bytes: string,
  seen: readonly string[],
  differs: Differs = "",
): Case {
  return { name, section, bytes, seen, status: 0, differs };
}

/** Bytes that are refused with `status`, once these requests were read. */
export function refuses(
  section: string,
  name: string,
  bytes: string,
  status = 400,
  differs: Differs = "",
  seen: readonly string[] = [],
): Case {
  return { name, section, bytes, seen, status, differs };
}

/** The field that each request must have. */
export const HOST = "Host: a\r\n";
/** What ends the head of a request with nothing else to say. */
export const END = `${HOST}\r\n`;
