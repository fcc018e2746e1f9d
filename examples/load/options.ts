import { existsSync, readFileSync } from "node:fs";
import { lookup } from "node:dns/promises";
import { parseArgs } from "node:util";
import { EchoAnswers, message } from "./echo_answers.ts";
import { type Expectation, HttpAnswers } from "./http_answers.ts";
import type { Plan } from "./plan.ts";

export const HELP = `load: asks a server as often as it answers, or at a rate, and says how long that took.

usage: load URL [OPTION]...

  URL                    http://HOST:PORT/PATH, or tcp://HOST:PORT of a server that echoes

  -c, --connections N    connections that ask (64); 0 with --idle
  -d, --duration S       seconds that are measured (5)
  -w, --warm-up S        seconds before, which do not count (1)
  -p, --pipeline N       requests that a connection has in flight at a time (1)
  -r, --rate N           requests a second, each due at its own time, from which its latency counts; without it
                         a connection asks again when it is answered
      --idle N           connections beside them that only wait (0)
      --timeout S        how long an answer or a connection may take (10)
      --pid PID          looks at the CPU and the memory of this process, the server's
      --json             prints one line of JSON

  of http:
  -m, --method NAME      GET
  -H, --header LINE      a field, such as "Accept: text/html"; may be given again
      --data TEXT        the body of each request
      --status N         what each answer's status must be; any from 200 to 299
      --expect TEXT      what each answer's body must be
      --expect-file PATH the same, of a file
      --length N         how many bytes each answer's body must have

  of tcp:
      --bytes N          in a message (64), every one of which is checked when it is back

It ends with 0 where every answer was right, with 1 where one was not or none came, with 2 where it cannot start.
`;

/** What a command line asks for that cannot be. */
export class UsageError extends Error {
  override name = "UsageError";
}

export interface Command {
  readonly url: string;
  readonly plan: Plan;
  readonly isJson: boolean;
}

interface Range {
  readonly least: number;
  readonly most: number;
}

function number(option: string, text: string, { least, most }: Range): number {
  const value = Number(text);
  if (text.trim() !== "" && value >= least && value <= most) return value;
  throw new UsageError(`--${option} is ${text}, not a number from ${least} to ${most}`);
}

function integer(option: string, text: string, range: Range): number {
  const value = number(option, text, range);
  if (Number.isInteger(value)) return value;
  throw new UsageError(`--${option} is ${text}, not a whole number`);
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        connections: { type: "string", short: "c", default: "64" },
        duration: { type: "string", short: "d", default: "5" },
        "warm-up": { type: "string", short: "w", default: "1" },
        pipeline: { type: "string", short: "p", default: "1" },
        rate: { type: "string", short: "r" },
        idle: { type: "string", default: "0" },
        timeout: { type: "string", default: "10" },
        pid: { type: "string" },
        json: { type: "boolean", default: false },
        method: { type: "string", short: "m", default: "GET" },
        header: { type: "string", short: "H", multiple: true, default: [] },
        data: { type: "string" },
        status: { type: "string" },
        expect: { type: "string" },
        "expect-file": { type: "string" },
        length: { type: "string" },
        bytes: { type: "string", default: "64" },
        help: { type: "boolean", short: "h", default: false },
      },
    });
  } catch (error) {
    // Its own errors are of no other class.
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

type Values = ReturnType<typeof parse>["values"];

function targetOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === "https:") {
    throw new UsageError(`${text}: TLS is not spoken here; ask what stands behind it`);
  }
  if (url === undefined || (url.protocol !== "http:" && url.protocol !== "tcp:")) {
    throw new UsageError(`${text} is no URL of http or tcp`);
  }
  if (url.protocol === "tcp:" && url.port === "") throw new UsageError(`${text} has no port`);
  return url;
}

async function addressOf({ hostname, port }: URL): Promise<Plan["address"]> {
  const name = hostname.replace(/^\[(.*)\]$/, "$1");
  try {
    const { address } = await lookup(name);
    return { hostname: address, port: port === "" ? 80 : Number(port) };
  } catch (error) {
    throw new UsageError(`${name} has no address: ${error instanceof Error ? error.message : error}`);
  }
}

function requestOf(url: URL, { method, header, data }: Values): Uint8Array {
  const body = new TextEncoder().encode(data ?? "");
  const fields = [...header];
  if (fields.some((line) => !/^[!#$%&'*+.^_`|~\w-]+:[^\r\n\0]*$/.test(line))) {
    throw new UsageError('--header is no line such as "Accept: text/html"');
  }
  if (!/^[A-Z]+$/.test(method)) throw new UsageError(`--method is ${method}, not a name such as GET`);
  if (!fields.some((line) => /^host:/i.test(line))) fields.unshift(`Host: ${url.host}`);
  if (data !== undefined) fields.push(`Content-Length: ${body.length}`);
  const head = new TextEncoder().encode(
    `${method} ${url.pathname}${url.search} HTTP/1.1\r\n${fields.join("\r\n")}\r\n\r\n`,
  );
  const request = new Uint8Array(head.length + body.length);
  request.set(head);
  request.set(body, head.length);
  return request;
}

function contentOf(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new UsageError(`cannot read ${path}: ${error instanceof Error ? error.message : error}`);
  }
}

function processOf(text: string): number {
  const pid = integer("pid", text, { least: 1, most: 2 ** 31 });
  if (existsSync(`/proc/${pid}/stat`)) return pid;
  throw new UsageError(`there is no process ${pid}, or no /proc that tells of it`);
}

function expectationOf(values: Values): Expectation {
  const { status, expect, "expect-file": file, length } = values;
  return {
    status: status === undefined ? undefined : integer("status", status, { least: 200, most: 999 }),
    body: expect !== undefined
      ? new TextEncoder().encode(expect)
      : file === undefined
      ? undefined
      : contentOf(file),
    length: length === undefined
      ? undefined
      : integer("length", length, { least: 0, most: Number.MAX_SAFE_INTEGER }),
    isHead: values.method === "HEAD",
  };
}

function dialogueOf(url: URL, values: Values): Pick<Plan, "request" | "answers"> {
  if (url.protocol === "tcp:") {
    const request = message(integer("bytes", values.bytes, { least: 1, most: 1 << 24 }));
    return { request, answers: () => new EchoAnswers(request) };
  }
  const expected = expectationOf(values);
  return { request: requestOf(url, values), answers: () => new HttpAnswers(expected) };
}

/** What the command line asks for; `undefined` where that is the help. Throws a `UsageError`. */
export async function commandOf(args: readonly string[]): Promise<Command | undefined> {
  const { values, positionals } = parse(args);
  if (values.help) return undefined;
  if (positionals.length !== 1) {
    throw new UsageError(`one URL is wanted, and ${positionals.length} are given`);
  }
  const [text] = positionals;
  const url = targetOf(text);
  const connections = integer("connections", values.connections, { least: 0, most: 1e6 });
  const idle = integer("idle", values.idle, { least: 0, most: 1e6 });
  if (connections + idle === 0) throw new UsageError("--connections is 0, and so is --idle");
  const { rate, pid } = values;
  return {
    url: text,
    isJson: values.json,
    plan: {
      ...dialogueOf(url, values),
      connections,
      idle,
      address: await addressOf(url),
      pipeline: integer("pipeline", values.pipeline, { least: 1, most: 1e6 }),
      rate: rate === undefined ? undefined : number("rate", rate, { least: 1e-3, most: 1e8 }),
      warmUpMs: 1000 * number("warm-up", values["warm-up"], { least: 0, most: 86400 }),
      durationMs: 1000 * number("duration", values.duration, { least: 0.01, most: 86400 }),
      timeoutMs: 1000 * number("timeout", values.timeout, { least: 0.01, most: 86400 }),
      pid: pid === undefined ? undefined : processOf(pid),
    },
  };
}
