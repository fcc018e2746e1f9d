import { Buffer } from "node:buffer";
import { isThenable } from "../../../task/promise.ts";

/** What is used of the package's own WebSocket. */
export interface PackageWebSocket {
  binaryType: string;
  readonly readyState: number;
  readonly bufferedAmount: number;
  readonly isPaused: boolean;
  readonly protocol: string;
  readonly extensions: string;
  on(event: "message", listener: (data: unknown, isBinary: boolean) => void): unknown;
  on(event: "close", listener: (code: number, reason: Buffer) => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
  on(event: "pong", listener: (data: Buffer) => void): unknown;
  send(data: string | Uint8Array | ArrayBuffer, done?: (error?: Error) => void): void;
  close(code?: number, reason?: string): void;
  ping(): void;
  terminate(): void;
  pause(): void;
  resume(): void;
}

/** The events of a {@linkcode ServerWebSocket}: what the standard's have, as plain objects. */
export interface ServerWebSocketEvents {
  open: { readonly type: "open" };
  message: { readonly type: "message"; readonly data: string | ArrayBuffer };
  /** The client has answered a `ping`. */
  pong: { readonly type: "pong" };
  /** What was wrong with what the client sent, or with the connection; `close` follows. */
  error: { readonly type: "error"; readonly error: Error };
  close: {
    readonly type: "close";
    /** What the client said, or 1005 where it said nothing, or 1006 where the connection broke off. */
    readonly code: number;
    readonly reason: string;
    readonly wasClean: boolean;
  };
}

type Listener<K extends keyof ServerWebSocketEvents> = (event: ServerWebSocketEvents[K]) => void;

/** A listener has failed. */
const FAILED = 1011;

const CONNECTING = 0;
const OPEN = 1;
const MAX_REASON_BYTES = 123;
/** What is never sent, but only told: RFC 6455, section 7.4.1. */
const UNSENDABLE: readonly number[] = [1004, 1005, 1006];

/**
 * The server's end of a WebSocket, which reads as the standard's `WebSocket` does. It is open once the answer to its
 * handshake was sent; what was sent before leaves right after that.
 */
export class ServerWebSocket {
  readonly #socket: PackageWebSocket;
  readonly #listeners: { [K in keyof ServerWebSocketEvents]: Set<Listener<K>> } = {
    open: new Set(),
    message: new Set(),
    pong: new Set(),
    error: new Set(),
    close: new Set(),
  };
  #isOpened = false;
  #hasFailed = false;
  #failed: (error: unknown) => void = console.error;

  onopen: Listener<"open"> | null = null;
  onmessage: Listener<"message"> | null = null;
  onerror: Listener<"error"> | null = null;
  onclose: Listener<"close"> | null = null;

  /** Made by `upgradeWebSocket`. */
  constructor(socket: PackageWebSocket) {
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    socket.on("message", (message, isBinary) => {
      const data = isBinary && message instanceof ArrayBuffer ? message : String(message);
      this.#tell("message", this.onmessage, { type: "message", data });
    });
    socket.on("pong", () => this.#tell("pong", null, { type: "pong" }));
    socket.on("error", (error) => this.#tell("error", this.onerror, { type: "error", error }));
    socket.on("close", (code, reason) => {
      this.#tell("close", this.onclose, {
        type: "close",
        code,
        reason: String(reason),
        wasClean: code !== 1006,
      });
    });
  }

  /** The connection is there, and `failed` is told what listeners throw: `upgradeWebSocket`'s. */
  static open(socket: ServerWebSocket, failed: (error: unknown) => void): void {
    socket.#failed = failed;
    socket.#isOpened = true;
    if (socket.readyState === OPEN) socket.#tell("open", socket.onopen, { type: "open" });
  }

  /** 0 before the answer was sent, 1 while it is open, 2 while it closes, 3 after that. */
  get readyState(): number {
    const { readyState } = this.#socket;
    return readyState === OPEN && !this.#isOpened ? CONNECTING : readyState;
  }

  /** The subprotocol that was agreed on, or the empty text. */
  get protocol(): string {
    return this.#socket.protocol;
  }

  /** The extensions that were agreed on, or the empty text. */
  get extensions(): string {
    return this.#socket.extensions;
  }

  /** Bytes that were sent here and have not left: who sends more than a client reads looks at it. */
  get bufferedAmount(): number {
    return this.#socket.bufferedAmount;
  }

  /**
   * Has `listener` called with each event of the type, until it is removed. What a listener throws, or rejects with, is
   * the server's `onError`'s; the others are called all the same, and the socket closes by 1011.
   */
  addEventListener<K extends keyof ServerWebSocketEvents>(type: K, listener: Listener<K>): void {
    this.#listeners[type].add(listener);
  }

  /** Ends what `addEventListener` began. */
  removeEventListener<K extends keyof ServerWebSocketEvents>(type: K, listener: Listener<K>): void {
    this.#listeners[type].delete(listener);
  }

  #tell<K extends keyof ServerWebSocketEvents>(
    type: K,
    handler: Listener<K> | null,
    event: ServerWebSocketEvents[K],
  ): void {
    // What a client still sends is no listener's that could not bear what came before.
    if (this.#hasFailed && (type === "message" || type === "pong")) return;
    if (handler !== null) this.#call(handler, event);
    for (const listener of this.#listeners[type]) this.#call(listener, event);
  }

  #call<E>(listener: (event: E) => unknown, event: E): void {
    try {
      const given = listener(event);
      if (isThenable(given)) given.then(undefined, (error) => this.#fail(error));
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Nobody knows what the listener has done of its work, and the client cannot wait for the rest. */
  #fail(error: unknown): void {
    this.#hasFailed = true;
    this.#failed(error);
    this.#socket.close(FAILED, "the server failed");
  }

  /**
   * Sends a message, whose bytes must not change before they have left. Resolves when the kernel has them: who waits
   * for it never has more than one on the way. Rejects where they were not sent, which nobody has to heed.
   */
  send(data: string | ArrayBuffer | ArrayBufferView<ArrayBuffer>): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    promise.catch(() => undefined);
    this.#socket.send(messageOf(data), (error) => error ? reject(error) : resolve());
    return promise;
  }

  /**
   * Begins to close, by a code (1000 where nothing but a reason is said, 3000 to 4999 for one's own) and a reason of up
   * to 123 bytes. Throws a `RangeError` for others.
   */
  close(code?: number, reason: string = ""): void {
    if (code !== undefined && !isSendable(code)) {
      throw new RangeError(`cannot close a WebSocket: code is ${code}, which is not to be sent`);
    }
    if (Buffer.byteLength(reason) > MAX_REASON_BYTES) {
      throw new RangeError(`cannot close a WebSocket: reason is longer than ${MAX_REASON_BYTES} bytes`);
    }
    this.#socket.close(code ?? (reason === "" ? undefined : 1000), reason);
  }

  /** Asks the client whether it is there; a `pong` is its answer. Does nothing where it is not open. */
  ping(): void {
    if (this.readyState === OPEN) this.#socket.ping();
  }

  /** Cuts the connection. */
  terminate(): void {
    this.#socket.terminate();
  }

  /** Has the client wait: what it sends is read no more until `resume`, but for what was read already. */
  pause(): void {
    this.#socket.pause();
  }

  /** Ends a `pause`. */
  resume(): void {
    this.#socket.resume();
  }
}

function isSendable(code: number): boolean {
  if (!Number.isInteger(code) || UNSENDABLE.includes(code)) return false;
  return code >= 1000 && code <= 1014 || code >= 3000 && code <= 4999;
}

function messageOf(data: unknown): string | Uint8Array | ArrayBuffer {
  if (typeof data === "string" || data instanceof ArrayBuffer || data instanceof Uint8Array) return data;
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  throw new TypeError("cannot send a message: data is no string, no ArrayBuffer and no view of one");
}
