/**
 * The load: coroutines over our own TCP in this process, so that nothing has to be installed. Each keeps one
 * connection, asks, checks the answer's every byte of body, and only then asks again.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { TcpStream } from "../../lib/net/tcp_stream.ts";
import { type Coroutine, run, sleep, spawn } from "../../lib/task/mod.ts";

export const CONNECTIONS = 64;
const HOSTNAME = "127.0.0.1";
/** Of the clock that /proc/PID/stat counts by: USER_HZ. */
const TICKS_A_SECOND = 100;
const LF = 0x0a;
const CR = 0x0d;
const COLON = 0x3a;

const encoder = new TextEncoder();
const REQUEST = encoder.encode(`GET / HTTP/1.1\r\nHost: ${HOSTNAME}\r\n\r\n`);
const STATUS = encoder.encode("HTTP/1.1 200 ");
const CONTENT_LENGTH = encoder.encode("content-length");
const BODY = encoder.encode("hello");

/** A server under load. */
export interface Load {
  readonly port: number;
  readonly pid: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
}

/** What a server did while it was measured. */
export interface Served {
  readonly requests: number;
  readonly seconds: number;
  /** Of the server's CPU. */
  readonly userSeconds: number;
  readonly systemSeconds: number;
}

function startsWith(bytes: Uint8Array, from: number, expected: Uint8Array): boolean {
  for (let i = 0; i < expected.length; i++) {
    // Letters in lower case; what else is expected has that bit set already.
    if ((bytes[from + i] | 0x20) !== (expected[i] | 0x20)) return false;
  }
  return true;
}

/** The length of the head in the first `end` bytes, 0 where it has not ended. */
function headLength(bytes: Uint8Array, end: number): number {
  for (let i = 3; i < end; i++) {
    if (bytes[i] === LF && bytes[i - 1] === CR && bytes[i - 2] === LF) return i + 1;
  }
  return 0;
}

/** Throws where the head does not say that `BODY.length` bytes follow it. */
function checkHead(bytes: Uint8Array, head: number): void {
  let right = startsWith(bytes, 0, STATUS);
  let length = -1;
  for (let i = 0; i < head && right; i++) {
    if (bytes[i] !== LF || !startsWith(bytes, i + 1, CONTENT_LENGTH)) continue;
    i += CONTENT_LENGTH.length + 1;
    right = bytes[i] === COLON && length === -1;
    length = 0;
    while (bytes[++i] !== CR) if (bytes[i] !== 0x20) length = 10 * length + bytes[i] - 0x30;
  }
  if (right && length === BODY.length) return;
  throw new Error(`a wrong head: ${JSON.stringify(new TextDecoder().decode(bytes.subarray(0, head)))}`);
}

function checkBody(bytes: Uint8Array, head: number, end: number): void {
  let right = end === head + BODY.length;
  for (let i = 0; i < BODY.length && right; i++) right = bytes[head + i] === BODY[i];
  if (right) return;
  throw new Error(`a wrong body: ${JSON.stringify(new TextDecoder().decode(bytes.subarray(head, end)))}`);
}

interface Count {
  answered: number;
}

function* converse(port: number, count: Count): Coroutine<void> {
  using stream = yield* TcpStream.connect({ hostname: HOSTNAME, port });
  const bytes = new Uint8Array(4096);
  for (;;) {
    yield* stream.writeAll(REQUEST);
    let end = 0;
    let head = 0;
    while (head === 0 || end < head + BODY.length) {
      const read = yield* stream.read(bytes.subarray(end));
      if (read === 0) throw new Error("the server closed a connection");
      end += read;
      head ||= headLength(bytes, end);
    }
    checkHead(bytes, head);
    checkBody(bytes, head, end);
    count.answered++;
  }
}

function cpuSeconds(pid: number): { user: number; system: number } {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The second field is the program's name in parentheses, and may hold anything.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return { user: Number(fields[11]) / TICKS_A_SECOND, system: Number(fields[12]) / TICKS_A_SECOND };
}

function* measure({ port, pid, warmUpMs, measureMs }: Load): Coroutine<Served> {
  const count = { answered: 0 };
  const conversations = Array.from({ length: CONNECTIONS }, () => spawn(converse, port, count));
  yield* sleep(warmUpMs);
  const before = cpuSeconds(pid);
  const start = performance.now();
  const requests = count.answered;
  yield* sleep(measureMs);
  const after = cpuSeconds(pid);
  const served = {
    requests: count.answered - requests,
    seconds: (performance.now() - start) / 1000,
    userSeconds: after.user - before.user,
    systemSeconds: after.system - before.system,
  };
  for (const conversation of conversations) {
    // One that has ended has failed.
    if (conversation.isFinished) yield* conversation;
    conversation.abort();
  }
  if (served.requests === 0) throw new Error(`no request was answered in ${measureMs} ms`);
  return served;
}

/** Warms the server up, then measures it, 64 connections at once. Throws for any wrong answer. */
export function load(load: Load): Promise<Served> {
  return run(() => measure(load));
}
