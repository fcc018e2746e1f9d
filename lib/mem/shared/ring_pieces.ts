import type { RingConsumer } from "./ring_consumer.ts";
import { PREFIX } from "./ring_layout.ts";
import type { RingProducer } from "./ring_producer.ts";

/** Room in a ring for a message, which others see by `commit()` alone. */
export class RingReservation implements Disposable {
  /** To be written before `commit()`, and not after. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  #producer: RingProducer;
  #index: number;
  #length: number;
  #open = true;

  /** @internal */
  constructor(producer: RingProducer, index: number, length: number) {
    this.bytes = producer.view(index + PREFIX, length);
    this.#producer = producer;
    this.#index = index;
    this.#length = length;
    producer.isOpen = true;
  }

  /** Sends the message, or its first `length` bytes. Throws where it was sent or given up already. */
  commit(length: number = this.#length): void {
    if (!this.#isOpen()) throw new Error("cannot commit to a SharedRing: the reservation is over");
    if (!Number.isInteger(length) || length < 0 || length > this.#length) {
      throw new RangeError(
        `cannot commit to a SharedRing: length is ${length}, and ${this.#length} bytes are reserved`,
      );
    }
    this.#producer.publish(this.#index, length);
    this.#close();
  }

  /** Gives the room back; nothing is sent. Does nothing where it was sent or given up already. */
  abort(): void {
    if (this.#isOpen()) this.#close();
  }

  /** As `abort`. */
  [Symbol.dispose](): void {
    this.abort();
  }

  /** The ring's end closes what it has open. */
  #isOpen(): boolean {
    return this.#open && this.#producer.isOpen;
  }

  #close(): void {
    this.#open = false;
    this.#producer.isOpen = false;
    this.#producer.leave();
  }
}

/** The first message of a ring, where it lies. */
export class RingMessage implements Disposable {
  /** To be read before `release()`: others write there afterwards. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  #consumer: RingConsumer;
  #open = true;

  /** @internal */
  constructor(consumer: RingConsumer, index: number) {
    this.bytes = consumer.view(index + PREFIX, consumer.length);
    this.#consumer = consumer;
    consumer.isOpen = true;
  }

  /** Takes the message away. Does nothing the second time. */
  release(): void {
    if (!this.#open || !this.#consumer.isOpen) return;
    this.#consumer.release();
    this.#close();
  }

  /** Leaves the message in the ring: it is the first again. */
  putBack(): void {
    if (this.#open && this.#consumer.isOpen) this.#close();
  }

  /** As `release`. */
  [Symbol.dispose](): void {
    this.release();
  }

  #close(): void {
    this.#open = false;
    this.#consumer.isOpen = false;
    this.#consumer.leave();
  }
}
