/** What the scanner of request heads and its caller tell each other, in one table. */

/** The fields that decide how a request is read, by their places in the table. */
export const DECIDING = ["host", "expect", "connection", "content-length", "transfer-encoding"] as const;
export const HOST = 0;
export const EXPECT = 1;
export const CONNECTION = 2;
export const CONTENT_LENGTH = 3;
export const TRANSFER_ENCODING = 4;

export const MOST_FIELDS = 128;

/** Words of 32 bits. Positions count from the head's first byte. */
export const WORD = {
  methodEnd: 0,
  targetEnd: 1,
  minor: 2,
  fieldsStart: 3,
  fields: 4,
  /** A bit for each of {@linkcode DECIDING} that came, and for each that came again. */
  seen: 5,
  repeated: 6,
  /** Two for each of {@linkcode DECIDING}: where its last value begins and ends. */
  values: 7,
  /** Whether the last `Host` is the known one. */
  isKnownHost: 17,
  /** Where the method begins: not 0 for the scanner in TypeScript alone, which allows empty lines before it. */
  start: 20,
  /** Whether the method is GET. */
  isGet: 21,
  /** Whether the bytes are the remembered ones: nothing else is written then. */
  isRemembered: 22,
  /** The caller's: how many of the bytes that were copied at the last yes are the remembered head; 0 after each other yes. */
  rememberedLength: 23,
  /** The caller's: how many fields there may be, and the bytes of the known host. */
  mostFields: 18,
  knownHostLength: 19,
  /** How many lines of fields are kept that may come again: those of the last head that was found. */
  keptLines: 26,
  /** Whether the lines of the fields are the kept ones, and as many. */
  isSameFields: 27,
  /** Where the head lies that was copied last, counted from {@linkcode AT}`.heads`. */
  kept: 152,
  /** The caller's: where the next one is copied to. */
  room: 153,
  /** Four for each field: where its name begins and ends, and its value without the blanks around it. */
  spans: 156,
  /** A word for each field. */
  lines: 156 + 4 * (MOST_FIELDS + 1),
} as const;

/** What is in a field's word: its place among {@linkcode DECIDING} from 1 on, or 0, in the lowest byte. */
export const LINE = {
  deciding: 0xff,
  /** The caller's: it has the field's name and value as strings. Gone where the line is another. */
  isRead: 0x100,
} as const;

/** The caller's too, by bytes: the address of what is scanned, vectors of sixteen times the same, and tables. */
export const AT = {
  address: 96,
  vectors: 112,
  /** Not 0 for each byte that may be in a token. */
  tokens: 256,
  knownHost: 512,
  /** Where heads are copied to. */
  heads: 4 * (WORD.lines + MOST_FIELDS),
} as const;

/** What is in the vectors. */
export const VECTORS = [0x20, 0x7f, 0x23, 0x1f, 0x61, 25, 0x30, 9, 0x2d] as const;

export const SHORTEST_HOST = 8;
export const LONGEST_HOST = 4 * WORD.kept - AT.knownHost;
/** Longer heads are not copied. */
export const MOST_COPIED = 1024;
/** Bytes of copies that become text together. */
export const PAGE_BYTES = 4096;
/** One page is filled while the other one's last head may be met again. */
export const TABLE_BYTES = AT.heads + 2 * PAGE_BYTES;
