/**
 * The format of a message: a binary structured clone, little-endian, whose parts lie at multiples of their size from
 * its beginning.
 *
 *     values     one after the other, each a tag and what belongs to it
 *     late       the insides of what lay deeper than a hundred levels, in the order in which they were met
 *     table      of each buffer: flags, bytes, where they begin in its original, its largest length
 *     u32 u32    where the table begins, and how many buffers it has
 *     bytes      of the buffers, each at a multiple of 16
 *
 * The last three are there only where the message has buffers. Each object takes the next number when it is met; met
 * again, it is a REFERENCE to that number. An object's keys are a shape, and the shapes that are met first are
 * numbered as well, so that a list of alike records names its fields once.
 *
 * A tag from 128 is an integer from -32 to 95 by itself.
 */
export const HOLE = 0;
export const UNDEFINED = 1;
export const NULL = 2;
export const FALSE = 3;
export const TRUE = 4;
export const INT16 = 5;
export const INT32 = 6;
export const DOUBLE = 7;
/** 64 bits. */
export const BIGINT = 8;
/** A sign, and hexadecimal digits. */
export const LARGE_BIGINT = 9;
/** A count, and a byte for each unit. */
export const LATIN1 = 10;
/** A count of units of two bytes each. */
export const UTF16 = 11;
/** A word, and that many bytes. */
export const UTF8 = 12;
/** A word, and that many bytes, of which none is over 127. */
export const ASCII = 13;
/** Whether a tag is a string's. */
export function isText(tag: number): boolean {
  return tag >= LATIN1 && tag <= ASCII;
}
export const REFERENCE = 20;
/** The tag of what is inside follows, and its body comes with the late ones. */
export const LATE = 14;
/** A count and the elements. */
export const ARRAY = 15;
/** As ARRAY, and then fields. */
export const ARRAY_WITH_FIELDS = 16;
/** In the place of an element: a count, and that many indices and elements, which are the rest. */
export const SPARSE = 17;
/** A count, and that many numbers, at a multiple of their width. */
export const INT32S = 18;
export const DOUBLES = 19;
/** A count and that many keys, then the values. */
export const OBJECT = 22;
/** A shape's number, then the values. */
export const SHAPED = 23;
/** Keys and values in turn, up to a HOLE. */
export const MAP = 24;
/** Elements, up to a HOLE. */
export const SET = 25;
export const DATE = 26;
export const REGEXP = 27;
/** A primitive value. */
export const BOXED = 28;
/** A class by number, then fields up to a HOLE, each a key, 1 where it is enumerable, and its value. */
export const ERROR = 29;
/** The number of a buffer in the table. */
export const BUFFER = 30;
/** A class by number, a BUFFER, BUFFER_OF or SHARED, an offset in its original, and one more than the length, or 0 where it follows the buffer's. */
export const VIEW = 31;
/** The name of a crossing, then its data. */
export const CROSSING = 32;
/** A number that the lanes know. */
export const SHARED = 33;
/** A class by number, a count of elements, and these, at a multiple of their width: of a view of all of its buffer. */
export const TYPED = 34;
/** The number of a TYPED view, whose buffer it is. */
export const BUFFER_OF = 35;

/** Tags from here are integers by themselves. */
export const INTEGERS = 128;
export const LEAST_INTEGER = -32;

/** So many shapes have numbers. */
export const SHAPES = 32;
/** Views of no more bytes go among the values. */
export const SHORT_VIEW = 2 ** 12;
/** What lies deeper is written late, so that no depth overflows the stack. */
export const DEPTH = 100;
/** Where the bytes of a buffer begin. */
export const ALIGNMENT = 16;
/** At the end of what has buffers, before their bytes. */
export const TRAILER = 8;

/** Flags of a buffer. */
export const RESIZABLE = 1;

/** Of the classes of views by their numbers. */
export const VIEWS = [
  "Int8Array",
  "Uint8Array",
  "Uint8ClampedArray",
  "Int16Array",
  "Uint16Array",
  "Int32Array",
  "Uint32Array",
  "Float16Array",
  "Float32Array",
  "Float64Array",
  "BigInt64Array",
  "BigUint64Array",
  "DataView",
] as const;

/** Of the classes of errors by their numbers. */
export const ERRORS = [
  "Error",
  "EvalError",
  "RangeError",
  "ReferenceError",
  "SyntaxError",
  "TypeError",
  "URIError",
  "AggregateError",
  "SuppressedError",
  "DOMException",
] as const;
