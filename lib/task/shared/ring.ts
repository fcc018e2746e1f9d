import { type Future, Pending } from "../future.ts";
import { Retry } from "./retry.ts";

/** What is known of the other side of a ring. */
type Peer = "none" | "alive" | "left" | "died";

/** Waits for so long. */
interface Timeout {
  timeout: number;
}

/** As `SharedRing`, for who receives. */
export interface Receiving<B, M> {
  readonly kind: "spsc" | "mpmc";
  readonly isEnded: boolean;
  readonly producer: Peer;
  tryRecv(): B | undefined;
  recvSync(options: Timeout): B | undefined;
  peek(): M | undefined;
  peekSync(options: Timeout): M | undefined;
}

/** As `SharedRing`, for who sends. */
export interface Sending<R> {
  readonly kind: "spsc" | "mpmc";
  readonly consumer: Peer;
  trySend(message: Uint8Array): boolean;
  sendSync(message: Uint8Array, options: Timeout): void;
  reserve(length: number): R | undefined;
  reserveSync(length: number, options: Timeout): R;
}

const AT_ONCE: Timeout = { timeout: 0 };

/** What the form that waits says where it may not wait: its verdict, or that there is none yet. */
function verdict<T>(call: () => T): T | Pending {
  try {
    return call();
  } catch (error) {
    if (error instanceof DOMException && error.name === "TimeoutError") return Pending;
    throw error;
  }
}

/** Whether nothing may come any more, so that it is to be asked why. */
function isDrying(ring: Receiving<unknown, unknown>): boolean {
  if (ring.isEnded) return true;
  return ring.kind === "spsc" && (ring.producer === "left" || ring.producer === "died");
}

class Recv<B> extends Retry<B | undefined> {
  readonly #ring: Receiving<B, unknown>;

  constructor(ring: Receiving<B, unknown>) {
    super();
    this.#ring = ring;
  }

  protected override attempt(): B | undefined | Pending {
    const ring = this.#ring;
    const message = ring.tryRecv();
    if (message !== undefined) return message;
    return isDrying(ring) ? verdict(() => ring.recvSync(AT_ONCE)) : Pending;
  }

  protected override call(): string {
    return "recvShared()";
  }
}

/**
 * A copy of the first message of a `SharedRing`, which is taken away, without blocking the thread; as late as
 * `lockShared` where none is there. Gives nothing, and fails, as `recvSync` does. Dropped, it has taken nothing.
 */
export function recvShared<B>(ring: Receiving<B, unknown>): Future<B | undefined> {
  return new Recv(ring);
}

class Peek<M> extends Retry<M | undefined> {
  readonly #ring: Receiving<unknown, M>;

  constructor(ring: Receiving<unknown, M>) {
    super();
    this.#ring = ring;
  }

  protected override attempt(): M | undefined | Pending {
    const ring = this.#ring;
    const message = ring.peek();
    if (message !== undefined) return message;
    return isDrying(ring) ? verdict(() => ring.peekSync(AT_ONCE)) : Pending;
  }

  protected override call(): string {
    return "peekShared()";
  }
}

/** As `recvShared`, but gives the message where it lies, as `peek` does. */
export function peekShared<M>(ring: Receiving<unknown, M>): Future<M | undefined> {
  return new Peek(ring);
}

function mayBeFullForGood(ring: Sending<unknown>): boolean {
  return ring.kind === "spsc" && ring.consumer === "died";
}

class Send extends Retry<void> {
  readonly #ring: Sending<unknown>;
  readonly #message: Uint8Array;

  constructor(ring: Sending<unknown>, message: Uint8Array) {
    super();
    this.#ring = ring;
    this.#message = message;
  }

  protected override attempt(): void | Pending {
    const ring = this.#ring;
    const message = this.#message;
    if (ring.trySend(message)) return;
    return mayBeFullForGood(ring) ? verdict(() => ring.sendSync(message, AT_ONCE)) : Pending;
  }

  protected override call(): string {
    return "sendShared()";
  }
}

/**
 * Sends a copy of the message to a `SharedRing` once there is room, without blocking the thread; as late as
 * `lockShared` where there is none. The message is to stay as it is until then. Fails as `sendSync` throws. Dropped,
 * it has sent nothing.
 */
export function sendShared(ring: Sending<unknown>, message: Uint8Array): Future<void> {
  return new Send(ring, message);
}

class Reserve<R> extends Retry<R> {
  readonly #ring: Sending<R>;
  readonly #length: number;

  constructor(ring: Sending<R>, length: number) {
    super();
    this.#ring = ring;
    this.#length = length;
  }

  protected override attempt(): R | Pending {
    const ring = this.#ring;
    const place = ring.reserve(this.#length);
    if (place !== undefined) return place;
    return mayBeFullForGood(ring) ? verdict(() => ring.reserveSync(this.#length, AT_ONCE)) : Pending;
  }

  protected override call(): string {
    return "reserveShared()";
  }
}

/** As `sendShared`, but gives the room, as `reserve` does. */
export function reserveShared<R>(ring: Sending<R>, length: number): Future<R> {
  return new Reserve(ring, length);
}
