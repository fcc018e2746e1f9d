import { NativeBuffer } from "../../../ffi/native_buffer.ts";
import { WouldBlock } from "../../io/socket.ts";
import { consumeBudget, type Coroutine, spawn } from "../../task/mod.ts";
import type { TcpStream } from "../tcp_stream.ts";
import type { RequestHead } from "./head.ts";
import type { HttpLimits } from "./limits.ts";
import { Output } from "./output.ts";
import { RequestParser } from "./parser.ts";
import type { BodySource } from "./request.ts";
import { trySendFile } from "./send_file.ts";
import type { FilePart } from "./special_response.ts";

/** What a connection is doing, by which its deadline is chosen. */
export type Phase = "idle" | "head" | "body" | "handler" | "writing" | "closing";

/** Both directions' buffers: larger than most requests and answers, which then take one call each. */
const BUFFER_BYTES = 65536;
/** A part that a slow reader must have taken before its deadline. */
const WRITE_BYTES = 65536;
/** What a refused client may still send, lest the connection's reset overtakes the answer. */
const LINGER_BYTES = 1 << 22;
/** What a handler left unread of a body is read, up to this, to keep the connection. */
const SKIPPED_BYTES = 1 << 18;
const CONTINUE: Uint8Array = new TextEncoder().encode("HTTP/1.1 100 Continue\r\n\r\n");

/**
 * The buffers of a server's connections, of which no task holds one across a wait: what was received is
 * parsed, or kept by its parser, and what could not be sent is copied, before another has its turn.
 */
export class Buffers {
  readonly received: NativeBuffer = new NativeBuffer(BUFFER_BYTES);
  readonly sending: NativeBuffer = new NativeBuffer(BUFFER_BYTES);
  readonly output: Output = new Output(this.sending.bytes);
}

/** One connection: what it is doing, and how it receives and sends. */
export class Connection {
  readonly stream: TcpStream;
  readonly parser: RequestParser;
  phase: Phase = "idle";
  /** Whether the response has begun: from then on nothing else can be said. */
  isAnswering = false;
  /** Whether the stream is somebody else's now. */
  isUpgraded = false;
  /** Turns of the server's sweeper since the phase began, or last got on. */
  age = 0;
  #buffers: Buffers;
  #unsent: Uint8Array[] = [];
  #owesContinue = false;

  constructor(stream: TcpStream, buffers: Buffers, limits: HttpLimits | undefined) {
    this.stream = stream;
    this.#buffers = buffers;
    this.parser = new RequestParser(limits);
  }

  /** Enters a phase, whose deadline starts anew. */
  enter(phase: Phase): void {
    this.phase = phase;
    this.age = 0;
  }

  /** Feeds the parser with what has come: `false` at the end of what the client sends. */
  receive(): boolean | typeof WouldBlock {
    const buffer = this.#buffers.received;
    const count = this.stream.tryRead(buffer);
    if (count === WouldBlock) return WouldBlock;
    if (count === 0) return false;
    this.parser.feed(buffer.bytes, 0, count);
    return true;
  }

  /** Sends what the output holds. False where not all of it left: what is left is `flush`'s. */
  send(): boolean {
    const { output, sending } = this.#buffers;
    try {
      const sent = output.length === 0 ? 0 : Math.max(0, this.stream.tryWrite(sending, 0, output.length));
      const isSent = sent === output.length && output.rest.length === 0;
      if (!isSent) this.#unsent = [output.bytes.slice(sent, output.length), ...output.rest];
      return isSent;
    } finally {
      // Whatever happened, no other connection sends these bytes.
      output.clear();
    }
  }

  /** Sends a part of a file, waiting for room. */
  *sendFile({ fd, offset = 0, length }: FilePart): Coroutine<void> {
    this.enter("writing");
    for (let sent = 0; sent < length;) {
      const count = trySendFile(this.stream, fd, offset + sent, length - sent);
      if (count === WouldBlock) {
        yield* this.stream.whenWritable();
      } else {
        sent += count;
        this.enter("writing");
        yield* consumeBudget();
      }
    }
  }

  /** Waits for room until the rest is sent. */
  *flush(): Coroutine<void> {
    this.enter("writing");
    for (const part of this.#unsent) {
      const { length } = part;
      for (let at = 0; at < length; at += WRITE_BYTES) {
        yield* this.stream.writeAll(part.subarray(at, at + WRITE_BYTES));
        if (part.length !== length) throw new Error("a response's bytes were detached before they were sent");
        this.enter("writing");
      }
    }
    this.#unsent = [];
  }

  /** The body of the request that was parsed last, for its handler. */
  openBody(head: RequestHead): RequestBody {
    this.isAnswering = false;
    this.#owesContinue = head.expectContinue;
    // The handler may wait, and the buffer is every connection's.
    this.parser.keep();
    return new RequestBody(this);
  }

  /** Whether the client still waits to be told to send its body. */
  takeContinue(): boolean {
    const owes = this.#owesContinue;
    this.#owesContinue = false;
    return owes;
  }

  /** Reads over what a handler left of a body. False where that is too much, or will not come unasked. */
  *skipBody(): Coroutine<boolean> {
    for (let skipped = 0; skipped <= SKIPPED_BYTES;) {
      const bytes = this.parser.read();
      if (bytes === null) return true;
      if (this.#owesContinue) return false;
      if (bytes !== undefined) {
        skipped += bytes.length;
        continue;
      }
      const more = this.receive();
      if (more === false) return false;
      if (more === WouldBlock) {
        this.enter("body");
        yield* this.stream.whenReadable();
      }
    }
    return false;
  }

  /** Says that nothing more will come, and reads on until the client has heard it: else it would be reset. */
  *linger(): Coroutine<void> {
    this.enter("closing");
    this.stream.socket.shutdown("write");
    for (let left = LINGER_BYTES; left > 0;) {
      const count = this.stream.tryRead(this.#buffers.received);
      if (count === 0) return;
      if (count === WouldBlock) yield* this.stream.whenReadable();
      else left -= count;
    }
  }
}

/** The body of one request: what its handler reads of it, until the request was answered. */
export class RequestBody implements BodySource {
  readonly connection: Connection;
  isOver = false;

  constructor(connection: Connection) {
    this.connection = connection;
  }

  /** A body's next bytes, which stay as they are; null at its end. */
  read(): PromiseLike<Uint8Array | null> {
    if (this.isOver) return Promise.reject(tooLate());
    return spawn(readBody, this);
  }
}

function tooLate(): TypeError {
  return new TypeError("cannot read the body: the request was answered");
}

function* readBody(body: RequestBody): Coroutine<Uint8Array | null> {
  const { connection } = body;
  if (connection.takeContinue()) yield* connection.stream.writeAll(CONTINUE);
  for (;;) {
    // The next request may have begun meanwhile, and its body is another's.
    if (body.isOver) throw tooLate();
    const bytes = connection.parser.read();
    if (bytes !== undefined) {
      connection.enter("handler");
      return bytes === null ? null : bytes.slice();
    }
    const more = connection.receive();
    if (more === false) throw new TypeError("the client closed the connection inside a request's body");
    if (more === WouldBlock) {
      connection.enter("body");
      yield* connection.stream.whenReadable();
    }
  }
}
