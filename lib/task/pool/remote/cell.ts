import { check, libc } from "../../../../ffi/mod.ts";
import { createSealed } from "../../../mem/memfd.ts";
import type { Closable } from "../../channel/closed.ts";
import type { Counted } from "../../channel/forgotten.ts";
import type { Waiter } from "../../channel/waiters.ts";
import { type Codec, crosses } from "./codec.ts";
import {
  CELL,
  HALF,
  HALVES,
  RECEIVERS,
  RING_BYTES,
  VALUE_FILE,
  VALUE_LENGTH,
  VALUE_VERSION,
} from "./layout.ts";
import { Memory } from "./memory.ts";
import { Port, RemoteWaiters } from "./port.ts";
import { readFile } from "./records.ts";
import { RECEIVING, SENDER } from "./roster.ts";

const NAME = "oxbow-value";
const NO_FILE = -1;
const BYTES = 2 ** 12;

/** Those who wait for a value, which may have come by the time that they are heard. */
class ChangeWaiters extends RemoteWaiters {
  readonly #isLate: () => boolean;

  constructor(port: Port, isLate: () => boolean) {
    super(port);
    this.#isLate = isLate;
  }

  override push(waiter: Waiter): void {
    super.push(waiter);
    if (this.#isLate()) this.wakeAll();
  }
}

/**
 * A thread's port of a watch. A value lies in the half of the memory that its version tells, so that the one before
 * stays whole until the version is written; a large one lies in a file. Who reads it holds the mutex, and copies.
 */
export class RemoteCell<T> extends Port implements Closable, Counted {
  readonly codec: Codec<T>;
  /** The version that was last looked at in this thread. */
  #seen = 0;
  #last: { version: number; value: T } | null = null;
  readonly awaitingChange: RemoteWaiters = new ChangeWaiters(
    this,
    () => Atomics.load(this.memory.words, VALUE_VERSION) !== this.#seen || this.senders === 0,
  );

  constructor(memory: Memory, codec: Codec<T>) {
    super(memory);
    this.codec = codec;
  }

  /** One with a sender, and its first value. */
  static make<T>(value: T, codec: Codec<T>): RemoteCell<T> {
    const cell = new RemoteCell(Memory.create({ kind: CELL, capacity: 1, ringBytes: BYTES }), codec);
    cell.begin([SENDER]);
    try {
      cell.set(value);
    } catch (error) {
      cell.senderGone();
      throw error;
    }
    return cell;
  }

  get isDeaf(): boolean {
    return this.receivers === 0;
  }

  get receivers(): number {
    return Atomics.load(this.memory.words, RECEIVERS);
  }

  /** A `View` counts itself by it when it is made, and never otherwise. */
  set receivers(_count: number) {
    this.add(RECEIVING);
  }

  get version(): number {
    return this.#seen = Atomics.load(this.memory.words, VALUE_VERSION);
  }

  /** The value that was sent last, cloned once for each version that this thread reads. */
  get value(): T {
    if (this.#last === null || (this.memory.isOpen && this.#last.version !== this.version)) {
      this.#last = this.read();
    }
    return this.#last.value;
  }

  /** A clone of the value that was sent last, which is the caller's. */
  read(): { version: number; value: T } {
    let bytes: Uint8Array<ArrayBuffer>;
    let version: number;
    this.lock();
    try {
      const { words } = this.memory;
      version = words[VALUE_VERSION];
      const half = HALF * (version % HALVES);
      const file = words[VALUE_FILE + half];
      const length = words[VALUE_LENGTH + half];
      const from = (version % HALVES) * (words[RING_BYTES] / HALVES);
      bytes = file === NO_FILE ? this.memory.bytes.slice(from, from + length) : readFile(file, length);
    } finally {
      this.unlock();
    }
    return { version, value: this.codec.decode(bytes) };
  }

  set(value: T): void {
    this.#set(value, null);
  }

  /** Sets the value where it is of that version yet. Whether it was. */
  setAfter(version: number, value: T): boolean {
    return this.#set(value, version);
  }

  #set(value: T, after: number | null): boolean {
    const bytes = this.codec.encode(value);
    if (crosses(bytes)) {
      this.codec.discard(bytes);
      throw new TypeError(
        "cannot set a watch's value: something in it crosses by reference, to one thread alone",
      );
    }
    this.lock();
    try {
      const { words } = this.memory;
      if (after !== null && words[VALUE_VERSION] !== after) return false;
      const next = (words[VALUE_VERSION] + 1) & 0x7fffffff || HALVES;
      const half = HALF * (next % HALVES);
      const size = words[RING_BYTES] / HALVES;
      this.#forget(half);
      words[VALUE_LENGTH + half] = bytes.length;
      if (bytes.length > size) {
        words[VALUE_FILE + half] = createSealed(NAME, new Uint8Array(bytes)).number;
      } else {
        words[VALUE_FILE + half] = NO_FILE;
        this.memory.bytes.set(bytes, (next % HALVES) * size);
      }
      Atomics.store(words, VALUE_VERSION, next);
      this.roster.isRung = true;
      this.roster.ringAll();
    } finally {
      this.unlock();
    }
    return true;
  }

  /** Closes the file of a value that nobody reads any more. */
  #forget(half: number): void {
    const { words } = this.memory;
    if (words[VALUE_LENGTH + half] === 0 || words[VALUE_FILE + half] === NO_FILE) return;
    const file = words[VALUE_FILE + half];
    words[VALUE_FILE + half] = NO_FILE;
    check(libc().close(file), "close");
  }

  protected override get isWaiting(): boolean {
    return this.awaitingChange.length > 0 || this.awaitingDeaf.length > 0;
  }

  protected override mend(): void {}

  protected override settle(): void {
    const { words } = this.memory;
    if (this.senders === 0 || words[RECEIVERS] === 0) this.roster.ringAll();
  }

  override look(): void {
    if (this.isDeaf) this.awaitingDeaf.wakeAll();
    this.awaitingChange.wakeAll();
  }

  protected override discard(): void {}

  protected override forget(): void {
    this.awaitingChange.forget();
    this.awaitingDeaf.forget();
  }

  protected override leaves(): void {
    // Whose end is closed may look at the value yet.
    void this.value;
  }

  protected override ends(): void {
    for (let half = 0; half < HALVES; half++) this.#forget(HALF * half);
  }
}
