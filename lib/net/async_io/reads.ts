/** What `BufReader` waits for. Each leaves in the reader what it does not give, also where it is dropped or fails. */
import { type Context, type Future, Pending } from "../../task/future.ts";
import { coop, proceed } from "../../task/runtime/coop.ts";
import { roomOf } from "./arguments.ts";
import { LimitExceededError, UnexpectedEndError } from "./errors.ts";
import type { Input } from "./input.ts";
import { Operation } from "./operation.ts";
import { textOf, withoutEnd } from "./text.ts";

const LF = 10;

abstract class Reading<T> extends Operation<T> {
  protected readonly input: Input;
  protected readonly verb: string;

  constructor(input: Input, verb: string) {
    super();
    this.input = input;
    this.verb = verb;
  }

  override describe(): string {
    return this.input.describe(this.verb);
  }

  override poll(context: Context): T | Pending {
    this.input.requireFree(this);
    return super.poll(context);
  }

  protected override abandon(): void {
    this.input.drop(this);
  }
}

/** What is there, or what comes next. */
export class FillBuf extends Reading<Uint8Array> {
  protected override step(context: Context): Uint8Array | Pending {
    const { bytes } = this.input;
    if (!proceed(context)) return Pending;
    if (bytes.length === 0 && this.input.poll(context, this) === Pending) return Pending;
    coop.left--;
    return bytes.view();
  }
}

/** As many bytes as are there. A large read of an empty buffer goes round it. */
export class Read extends Reading<number> {
  #into: Uint8Array;
  #direct: Future<number> | null = null;
  #isDirect: boolean;

  constructor(input: Input, into: Uint8Array, capacity: number) {
    super(input, "read()");
    this.#into = into;
    this.#isDirect = into.byteLength >= capacity;
  }

  protected override step(context: Context): number | Pending {
    const { bytes } = this.input;
    if (!proceed(context)) return Pending;
    if (bytes.length === 0) {
      if (this.#isDirect) return (this.#direct ??= this.input.reader.read(this.#into)).poll(context);
      if (this.input.poll(context, this) === Pending) return Pending;
    }
    coop.left--;
    roomOf(this.#into);
    return bytes.takeInto(this.#into);
  }

  protected override abandon(): void {
    super.abandon();
    this.#direct?.drop();
  }
}

/** The bytes up to a byte and with it, or the last ones. */
export class ReadUntil extends Reading<Uint8Array> {
  #byte: number;
  #limit: number;
  /** How many bytes have been looked at. */
  #seen = 0;

  constructor(input: Input, byte: number, limit: number) {
    super(input, "readUntil()");
    this.#byte = byte;
    this.#limit = limit;
  }

  protected override step(context: Context): Uint8Array | Pending {
    const length = untilByte(context, this.input, this, this.#byte, this.#limit, this.#seen);
    if (length === Pending) {
      this.#seen = this.input.bytes.length;
      return Pending;
    }
    return this.input.bytes.take(length);
  }
}

/** A line without its end, or `null` behind the last. */
export class ReadLine extends Reading<string | null> {
  #limit: number;
  #seen = 0;

  constructor(input: Input, limit: number) {
    super(input, "readLine()");
    this.#limit = limit;
  }

  protected override step(context: Context): string | null | Pending {
    const { bytes } = this.input;
    const length = untilByte(context, this.input, this, LF, this.#limit, this.#seen);
    if (length === Pending) {
      this.#seen = bytes.length;
      return Pending;
    }
    if (length === 0) return null;
    const line = bytes.view(0, length);
    bytes.skip(length);
    return textOf(withoutEnd(line), "a line");
  }
}

/**
 * How many bytes there are up to `byte` and with it, or all at the end. Throws where there are more than `limit`
 * before it.
 */
export function untilByte(
  context: Context,
  input: Input,
  owner: unknown,
  byte: number,
  limit: number,
  seen: number,
): number | Pending {
  if (!proceed(context)) return Pending;
  const { bytes } = input;
  for (;;) {
    const found = bytes.indexOf(byte, seen);
    if (found !== -1 && found <= limit) {
      coop.left--;
      return found + 1;
    }
    seen = bytes.length;
    if (seen > limit) throw new LimitExceededError(`what ends with the byte ${byte}`, limit);
    const count = input.poll(context, owner);
    if (count === Pending) return Pending;
    if (count === 0) return bytes.length;
  }
}

/** All of an array. What it took goes back where it does not get the rest. */
export class ReadExact extends Reading<void> {
  #into: Uint8Array;
  readonly #length: number;
  #filled = 0;
  #capacity: number;
  #direct: Future<number> | null = null;

  constructor(input: Input, into: Uint8Array, capacity: number) {
    super(input, "readExact()");
    this.#into = into;
    this.#length = into.byteLength;
    this.#capacity = capacity;
  }

  protected override step(context: Context): void | Pending {
    if (!proceed(context)) return Pending;
    try {
      while (this.#filled < this.#length) {
        const count = this.#more(context);
        if (count === Pending) return Pending;
        if (count === 0) throw new UnexpectedEndError(this.#length, this.#filled);
      }
    } catch (error) {
      this.abandon();
      throw error;
    }
    coop.left--;
  }

  #more(context: Context): number | Pending {
    const { bytes } = this.input;
    roomOf(this.#into);
    const rest = this.#into.subarray(this.#filled);
    let count: number | Pending;
    if (this.#direct !== null || (bytes.length === 0 && rest.byteLength >= this.#capacity)) {
      count = (this.#direct ??= this.input.reader.read(rest)).poll(context);
      if (count !== Pending) this.#direct = null;
    } else {
      if (bytes.length === 0 && this.input.poll(context, this) === Pending) return Pending;
      count = bytes.takeInto(rest);
    }
    if (count !== Pending) this.#filled += count;
    return count;
  }

  #giveBack(): void {
    // What was transferred away is whoever has it now.
    if (this.#into.byteLength < this.#filled) return;
    this.input.bytes.unshift(this.#into.subarray(0, this.#filled));
    this.#filled = 0;
  }

  protected override abandon(): void {
    super.abandon();
    this.#direct?.drop();
    this.#direct = null;
    this.#giveBack();
  }
}

/** All bytes until the end. */
export class ReadToEnd extends Reading<Uint8Array> {
  #limit: number;

  constructor(input: Input, limit: number) {
    super(input, "readToEnd()");
    this.#limit = limit;
  }

  protected override step(context: Context): Uint8Array | Pending {
    const { bytes } = this.input;
    for (;;) {
      if (bytes.length > this.#limit) throw new LimitExceededError("what is read to its end", this.#limit);
      const count = this.input.poll(context, this);
      if (count === Pending) return Pending;
      if (count === 0) return bytes.takeAll();
    }
  }
}

/** What `read` makes of the next `size` bytes. */
export class ReadNumber<T> extends Reading<T> {
  #size: number;
  #read: (view: DataView) => T;

  constructor(input: Input, size: number, read: (view: DataView) => T) {
    super(input, "readNumber()");
    this.#size = size;
    this.#read = read;
  }

  protected override step(context: Context): T | Pending {
    if (!proceed(context)) return Pending;
    const { bytes } = this.input;
    const size = this.#size;
    while (bytes.length < size) {
      const count = this.input.poll(context, this);
      if (count === Pending) return Pending;
      if (count === 0) throw new UnexpectedEndError(size, bytes.length);
    }
    const { buffer, byteOffset } = bytes.view(0, size);
    const value = this.#read(new DataView(buffer, byteOffset, size));
    bytes.skip(size);
    coop.left--;
    return value;
  }
}
