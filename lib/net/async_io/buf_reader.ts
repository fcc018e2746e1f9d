import { requireBytes, requireNames, shown } from "../../io/arguments.ts";
import type { Future } from "../../task/future.ts";
import type { Stream } from "../../task/stream.ts";
import {
  limitOf,
  type LimitOptions,
  requireByte,
  requireCount,
  requireInto,
  requireReader,
} from "./arguments.ts";
import { Input } from "./input.ts";
import { Lines } from "./lines.ts";
import { type BigIntFormat, BIGINTS, type NumberFormat, NUMBERS } from "./number_format.ts";
import { FillBuf, Read, ReadExact, ReadLine, ReadNumber, ReadToEnd, ReadUntil } from "./reads.ts";
import { Split } from "./split.ts";
import type { AsyncRead } from "./traits.ts";

/** How much a buffered reader or writer keeps. */
export interface BufferOptions {
  /** In bytes: 16 KiB where nothing is said. It grows only for what is asked for in one piece. */
  capacity?: number;
}

const CAPACITY = 16384;

/** The capacity that the options set. */
export function capacityOf(what: string, options: BufferOptions): number {
  requireNames(what, "options are", options, ["capacity"]);
  const { capacity = CAPACITY } = options;
  requireCount(what, "capacity", capacity, 1);
  return capacity;
}

function isOwn<K extends string>(names: Readonly<Record<K, unknown>>, name: string): name is K {
  return Object.hasOwn(names, name);
}

/**
 * A reader with a buffer: what is asked for in small pieces is read in large ones. Every future of it is safe to drop,
 * and leaves in the reader what it would have given; so does one that fails. One read at a time. The buffer is made at
 * the first read.
 *
 * @example
 * ```ts
 * import { BufReader, duplex } from "@oxbow/oxbow/async_io";
 * import { run } from "@oxbow/oxbow/task";
 *
 * await run(async () => {
 *   const [here, there] = duplex(64);
 *   await there.writeAll(new TextEncoder().encode("GET /\r\nHost: ox\r\n\r\n"));
 *   const reader = new BufReader(here);
 *   console.log(await reader.readLine({ limit: 1000 })); // GET /
 *   console.log(await reader.readLine({ limit: 1000 })); // Host: ox
 * });
 * ```
 */
export class BufReader implements AsyncRead {
  /** What it reads from. What is read there directly has jumped the buffer. */
  readonly reader: AsyncRead;
  #input: Input;
  #capacity: number;

  constructor(reader: AsyncRead, options: BufferOptions = {}) {
    requireReader("cannot buffer", reader);
    this.#capacity = capacityOf("cannot buffer", options);
    this.reader = reader;
    this.#input = new Input(reader, this.#capacity);
  }

  /** The bytes that were read and not taken yet, as they lie there: until the next read. */
  get buffered(): Uint8Array {
    return this.#input.bytes.view();
  }

  /** The buffered bytes, once there are any: none at the end. They stay until `consume` takes them. */
  fillBuf(): Future<Uint8Array> {
    return new FillBuf(this.#input, "fillBuf()");
  }

  /** Takes the first `count` of the buffered bytes. Throws a `RangeError` where there are fewer. */
  consume(count: number): void {
    this.#input.requireFree(this);
    this.#input.bytes.skip(count);
  }

  /** What is buffered, or else one read: 0 at the end. */
  read(into: Uint8Array): Future<number> {
    requireInto(into);
    return new Read(this.#input, into, this.#capacity);
  }

  /**
   * Fills all of `into`. Fails with an `UnexpectedEndError` where the end comes before, and the bytes that there are
   * can be read still.
   */
  readExact(into: Uint8Array): Future<void> {
    requireBytes("cannot read", "into", into);
    return new ReadExact(this.#input, into, this.#capacity);
  }

  /** All bytes until the end. Fails with a `LimitExceededError` where there are more. */
  readToEnd(options: LimitOptions = {}): Future<Uint8Array> {
    return new ReadToEnd(this.#input, limitOf("cannot read to the end", options));
  }

  /**
   * The bytes up to `byte` and with it; the last ones may lack it, and behind them are none. Fails with a
   * `LimitExceededError` where more than `limit` come before it.
   */
  readUntil(byte: number, options: LimitOptions = {}): Future<Uint8Array> {
    requireByte("cannot read until a byte", "byte", byte);
    return new ReadUntil(this.#input, byte, limitOf("cannot read until a byte", options));
  }

  /**
   * The next line without its end, LF or CRLF; `null` behind the last, which need not have one. `limit` counts bytes,
   * a CR among them. Fails with a `LimitExceededError`, or, having taken the line, with an `InvalidTextError` where it
   * is no UTF-8.
   */
  readLine(options: LimitOptions = {}): Future<string | null> {
    return new ReadLine(this.#input, limitOf("cannot read a line", options));
  }

  /**
   * All lines from here on, as `readLine` gives them, and far faster: many are decoded at once, so that one that is kept
   * may keep a buffer's worth of text with it. The stream has the reader until it has ended or is dropped: what comes
   * next is then read behind the last line that it gave.
   */
  lines(options: LimitOptions = {}): Stream<string> {
    return new Lines(this.#input, limitOf("cannot read lines", options));
  }

  /** What lies between the bytes that are `byte`, from here on. Behind the last one, what there is, if anything. */
  split(byte: number, options: LimitOptions = {}): Stream<Uint8Array> {
    requireByte("cannot split", "byte", byte);
    return new Split(this.#input, byte, limitOf("cannot split", options));
  }

  /** The next number. Fails with an `UnexpectedEndError` where the end comes before it is whole. */
  readNumber(format: NumberFormat): Future<number>;
  readNumber(format: BigIntFormat): Future<bigint>;
  readNumber(format: NumberFormat | BigIntFormat): Future<number> | Future<bigint> {
    if (isOwn(NUMBERS, format)) {
      const { size, read } = NUMBERS[format];
      return new ReadNumber(this.#input, size, read);
    }
    if (isOwn(BIGINTS, format)) {
      const { size, read } = BIGINTS[format];
      return new ReadNumber(this.#input, size, read);
    }
    throw new TypeError(`cannot read a number: format is ${shown(format)}, none such as u8, i16le or f64be`);
  }
}
