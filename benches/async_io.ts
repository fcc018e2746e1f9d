/**
 * Claims: lines are read faster than by node:readline, and a proxy that splices takes less CPU than one that reads and
 * writes.
 *
 * Each contender cuts the same chunks of 64 KiB, which are in memory, into lines of UTF-8 of 10 to 100 bytes. The proxy
 * carries what a process of its own sends, and which takes it at the other end; its CPU is this process' own.
 *
 * @module
 */
import { type ChildProcess, spawn as spawnProcess } from "node:child_process";
import process from "node:process";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { hostName } from "../ffi/mod.ts";
import {
  type AsyncRead,
  type AsyncWrite,
  BufReader,
  copy,
  FramedRead,
  fromReadable,
  LinesCodec,
} from "../lib/net/async_io.ts";
import { TcpListener, TcpStream } from "../lib/net/mod.ts";
import { type Coroutine, type Future, pollFn, run as runTask } from "../lib/task/mod.ts";
import { Ended, type Stream } from "../lib/task/stream.ts";
import { compare, type Contender } from "./compare.ts";

const LINES = "BufReader.lines";
const READLINE = "node:readline";
const SPLICE = "copy by splice";
const BUFFER = "copy by a buffer";
const CHUNK = 65_536;

/** As many whole lines as fit into so many bytes. */
function text(byteLength: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(byteLength).fill(97);
  let seed = 1;
  for (let at = 0; at < byteLength;) {
    seed = Math.imul(seed, 48_271) >>> 0;
    at += 10 + seed % 91;
    if (at <= byteLength) bytes[at - 1] = 10;
  }
  bytes[byteLength - 1] = 10;
  return bytes;
}

/** Gives the bytes a chunk at a time. */
function chunksOf(bytes: Uint8Array): AsyncRead {
  let at = 0;
  return {
    read(into: Uint8Array): Future<number> {
      return pollFn(() => {
        const part = bytes.subarray(at, at + Math.min(into.byteLength, CHUNK));
        into.set(part);
        at += part.byteLength;
        return part.byteLength;
      });
    },
  };
}

function* chunks(bytes: Uint8Array<ArrayBuffer>): Generator<Uint8Array<ArrayBuffer>> {
  for (let at = 0; at < bytes.byteLength; at += CHUNK) yield bytes.subarray(at, at + CHUNK);
}

function readableOf(bytes: Uint8Array<ArrayBuffer>): ReadableStream<Uint8Array<ArrayBuffer>> {
  const left = chunks(bytes);
  return new ReadableStream({
    pull(controller) {
      const { done, value } = left.next();
      if (done || value === undefined) controller.close();
      else controller.enqueue(value);
    },
  });
}

function* count(lines: Stream<string>): Coroutine<number> {
  let length = 0;
  let line: string | Ended;
  while ((line = yield* lines.next()) !== Ended) length += line.length + 1;
  return length;
}

function* countEach(reader: BufReader): Coroutine<number> {
  let length = 0;
  for (let line = yield* reader.readLine(); line !== null; line = yield* reader.readLine()) {
    length += line.length + 1;
  }
  return length;
}

function byReadline(bytes: Uint8Array): Promise<number> {
  return new Promise((resolve, reject) => {
    const source = Readable.from(chunks(Uint8Array.from(bytes)));
    const lines = createInterface({ input: source, crlfDelay: Infinity });
    let length = 0;
    lines.on("line", (line) => length += line.length + 1);
    lines.on("close", () => resolve(length));
    source.on("error", reject);
  });
}

async function byTextDecoder(bytes: Uint8Array<ArrayBuffer>): Promise<number> {
  let length = 0;
  let rest = "";
  for await (const chunk of readableOf(bytes).pipeThrough(new TextDecoderStream())) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) length += line.length + 1;
  }
  return length + rest.length;
}

const WAYS: Readonly<Record<string, (bytes: Uint8Array<ArrayBuffer>) => Promise<number>>> = {
  [LINES]: (bytes) => runTask(() => count(new BufReader(chunksOf(bytes)).lines())),
  "BufReader.lines of a ReadableStream": (bytes) =>
    runTask(() => count(new BufReader(fromReadable(readableOf(bytes))).lines())),
  "BufReader.readLine": (bytes) => runTask(() => countEach(new BufReader(chunksOf(bytes)))),
  LinesCodec: (bytes) => runTask(() => count(new FramedRead(chunksOf(bytes), new LinesCodec()))),
  [READLINE]: byReadline,
  "TextDecoderStream and split": byTextDecoder,
};

async function compareLines(quick: boolean): Promise<void> {
  const byteLength = quick ? 1 << 20 : 32 << 20;
  const bytes = text(byteLength);
  const lines = bytes.reduce((sum, byte) => sum + (byte === 10 ? 1 : 0), 0);
  await compare({
    title: `${lines.toLocaleString("en")} lines of ${byteLength >> 20} MiB`,
    units: ["ns a line"],
    baseline: LINES,
    contenders: Object.entries(WAYS).map(([name, way]): Contender => ({
      name,
      async sample() {
        const start = performance.now();
        const length = await way(bytes);
        if (length !== byteLength) throw new Error(`${name} gave ${length} of ${byteLength} bytes`);
        return [(performance.now() - start) * 1e6 / lines];
      },
    })),
    quick,
    targets: [{ name: READLINE, atLeast: 1 }],
  });
}

/** The first line that the process prints. */
function portOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.stdout?.once("data", (line) => resolve(Number(line)));
  });
}

/** The same stream, whose bytes go through this process. */
function hidden(stream: TcpStream): AsyncRead & AsyncWrite {
  return {
    read: (into) => stream.read(into),
    write: (bytes) => stream.write(bytes),
    writeAll: (bytes) => stream.writeAll(bytes),
    shutdown: () => stream.shutdown(),
  };
}

/** Carries so many bytes: nanoseconds of CPU, and of time, for a KiB. */
async function proxy(byteLength: number, splices: boolean): Promise<number[]> {
  const path = fileURLToPath(new URL("async_io/load.ts", import.meta.url));
  const script = hostName === "deno" ? ["run", "-A", path] : [path];
  return await runTask(async () => {
    using listener = TcpListener.bind({ hostname: "127.0.0.1", port: 0 });
    const args = [...script, String(listener.address.port), String(byteLength)];
    const child = spawnProcess(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    try {
      using target = await TcpStream.connect({ hostname: "127.0.0.1", port: await portOf(child) });
      using source = (await listener.accept()).stream;
      const before = process.cpuUsage();
      const start = performance.now();
      const carried = await (splices ? copy(source, target) : copy(hidden(source), hidden(target)));
      const elapsed = performance.now() - start;
      const { user, system } = process.cpuUsage(before);
      if (carried !== byteLength) throw new Error(`the proxy carried ${carried} of ${byteLength} bytes`);
      return [(user + system) * 1024e3 / byteLength, elapsed * 1024e6 / byteLength];
    } finally {
      child.kill("SIGKILL");
    }
  });
}

async function compareProxies(quick: boolean): Promise<void> {
  const byteLength = quick ? 16 << 20 : 1 << 30;
  await compare({
    title: `A proxy of ${byteLength >> 20} MiB`,
    units: ["CPU ns a KiB", "ns a KiB"],
    baseline: SPLICE,
    contenders: [SPLICE, BUFFER].map((name): Contender => ({
      name,
      sample: () => proxy(byteLength, name === SPLICE),
    })),
    quick,
    targets: [{ name: BUFFER, atLeast: 1 }],
  });
}

export async function run({ quick }: { quick: boolean }): Promise<void> {
  await compareLines(quick);
  await compareProxies(quick);
}
