import { NativeBuffer, type NetAddress, Socket, WouldBlock } from "../../lib/io/mod.ts";
import { type Answers, WrongAnswer } from "./answers.ts";

/** Requests are sent from a row of them, so that some at once take one call. */
const ROW_BYTES = 65536;

/** The request, as often as one call may send it. */
export class RequestRow {
  readonly length: number;
  readonly size: number;
  readonly buffer: NativeBuffer;

  constructor(request: Uint8Array, pipeline: number) {
    this.length = request.length;
    // One more than is sent at a time, for a part of one may be owed.
    const copies = 1 + Math.max(1, Math.min(pipeline, Math.floor(ROW_BYTES / request.length)));
    this.size = copies * request.length;
    this.buffer = new NativeBuffer(this.size);
    for (let i = 0; i < copies; i++) this.buffer.bytes.set(request, i * request.length);
  }
}

/** A connection to the server: what it owes, and what it is owed. */
export class Connection {
  /** Its number; a connection that takes its place has it again. */
  readonly token: number;
  readonly socket: Socket;
  readonly answers: Answers;
  isConnected = false;
  /** Whether it is in the queue of those that may send. */
  isQueued = false;
  answered = 0;
  /** When it was opened, asked something, or heard, whichever came last. */
  since: number;
  #row: RequestRow;
  /** Bytes of requests that are still to be sent, and where in the request the first of them stands. */
  #owed = 0;
  #offset = 0;
  /** When the requests were due that are not answered yet: a ring. */
  #due: Float64Array;
  #first = 0;
  #inFlight = 0;

  /** Throws a `SystemError` where the kernel refuses at once. */
  constructor(token: number, address: NetAddress, answers: Answers, row: RequestRow, pipeline: number) {
    this.token = token;
    this.answers = answers;
    this.since = performance.now();
    this.#row = row;
    this.#due = new Float64Array(pipeline);
    this.socket = Socket.connect(address);
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** Whether it may have another request in flight. */
  get hasRoom(): boolean {
    return this.#inFlight < this.#due.length;
  }

  /** Puts a request in flight, which `flush` sends. */
  ask(due: number): void {
    let last = this.#first + this.#inFlight;
    if (last >= this.#due.length) last -= this.#due.length;
    this.#due[last] = due;
    this.#inFlight++;
    this.#owed += this.#row.length;
  }

  /** The request that was first in flight has its answer. Returns when it was due. Throws where there is none. */
  answer(): number {
    if (this.#inFlight === 0) throw new WrongAnswer("an answer that was not asked for");
    const due = this.#due[this.#first];
    if (++this.#first === this.#due.length) this.#first = 0;
    this.#inFlight--;
    this.answered++;
    return due;
  }

  /** Sends what the kernel takes. Throws a `SystemError`. */
  flush(): void {
    const { buffer, length, size } = this.#row;
    while (this.#owed > 0) {
      const count = this.socket.write(buffer, this.#offset, Math.min(this.#owed, size - this.#offset));
      if (count === WouldBlock) return;
      this.#owed -= count;
      this.#offset = (this.#offset + count) % length;
    }
  }
}
