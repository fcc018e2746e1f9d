import type { Buffer } from "node:buffer";
import { createServer as createHttpServer, type RequestListener } from "node:http";
import { createServer, type Server, type Socket } from "node:net";
import process from "node:process";
import { describe, it } from "node:test";
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { commandOf, UsageError } from "../../../examples/load/options.ts";
import type { Report } from "../../../examples/load/report.ts";
import { type Ended, startExample } from "../program.ts";

const PATH = "examples/load.ts";

interface Listening extends AsyncDisposable {
  readonly port: number;
}

async function listening(server: Server): Promise<Listening> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => {}).once("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen({ port: 0, host: "127.0.0.1", backlog: 1024 }, resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return {
    port: address.port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function http(listener: RequestListener): Promise<Listening> {
  return listening(createHttpServer({ keepAliveTimeout: 60_000 }, listener));
}

function tcp(listener: (socket: Socket) => void): Promise<Listening> {
  return listening(createServer({ noDelay: true }, listener));
}

function load(...args: string[]): Promise<Ended> {
  return startExample(PATH, ...args).ended;
}

/** Loads for a moment, and for longer where that was none: a machine may be busy. */
async function briefly(
  args: readonly string[],
  isEnough = ({ answers, errors }: Report) => answers > 0 || Object.keys(errors).length > 0,
): Promise<Ended & { report: Report }> {
  for (let seconds = 0.15;; seconds *= 10) {
    const ended = await load("--warm-up=0.05", `--duration=${seconds}`, "--json", ...args);
    const report: Report = JSON.parse(ended.stdout);
    if (isEnough(report) || seconds > 10) return { ...ended, report };
  }
}

describe("examples/load.ts", () => {
  it("asks a server that echoes, and counts what is answered", async () => {
    let sent = 0;
    await using server = await tcp((socket) =>
      socket.on("data", (bytes) => {
        sent += bytes.length;
        socket.write(bytes);
      })
    );
    const { code, stderr, report } = await briefly([
      `tcp://127.0.0.1:${server.port}`,
      "-c5",
      "--bytes=1000",
    ]);
    assertEquals({ code, stderr }, { code: 0, stderr: "" });
    assert(report.answers > 0 && report.answers * 1000 <= sent, `${report.answers} of ${sent} bytes`);
    assert(report.answers * 1000 <= report.bytesRead + 5000);
    assertEquals([report.errors, report.standing], [{}, [5, 0]]);
    const { p50, p90, p99, p999, max } = report.latency;
    assert(0 < p50 && p50 <= p90 && p90 <= p99 && p99 <= p999 && p999 <= max);
  });

  it("sees one byte that is wrong, in messages larger than the kernel's buffers, too", async () => {
    await using server = await tcp((socket) => {
      let sent = 0;
      socket.on("data", (bytes: Buffer) => {
        sent += bytes.length;
        if (sent > 10_000_000) bytes[bytes.length - 1] ^= 1;
        socket.write(bytes);
      });
    });
    const { code, report } = await briefly(
      [`tcp://127.0.0.1:${server.port}`, "-c2", "--bytes=5000000", "--warm-up=0"],
      ({ answers, errors }) => answers >= 2 && Object.keys(errors).length > 0,
    );
    assertEquals(code, 1);
    assert(report.answers >= 2, "the first are right");
    assertEquals(Object.keys(report.errors), ["another byte than was sent"]);
  });

  it("asks a server of HTTP with what it is told, pipelined or not, and checks the answers", async () => {
    const heard = new Set<string>();
    await using server = await http((request, response) => {
      let body = "";
      request.on("data", (bytes) => body += bytes);
      request.on("end", () => {
        heard.add(
          `${request.method} ${request.url} ${request.headers["x-mine"]} ${request.headers.host} ${body}`,
        );
        response.end("hello");
      });
    });
    const url = `http://localhost:${server.port}/a?b=c`;
    for (const pipeline of ["1", "7"]) {
      const { code, stderr, report } = await briefly([
        ...[url, "-p", pipeline, "-m", "POST", "-H", "X-Mine: 1", "--data", "some", "--expect", "hello"],
      ]);
      assertEquals({ code, stderr }, { code: 0, stderr: "" });
      assert(report.answers > 0);
    }
    assertEquals([...heard], [`POST /a?b=c 1 localhost:${server.port} some`]);
  });

  it("connects anew where the server closes after an answer", async () => {
    let connections = 0;
    await using server = await http((request, response) => {
      if (request.socket.bytesRead < 200) connections++;
      response.setHeader("Connection", "close");
      response.end("hello");
    });
    const { code, report } = await briefly(
      [`http://127.0.0.1:${server.port}`, "-c2"],
      ({ answers }) => answers > 2,
    );
    const { answers, errors } = report;
    assertEquals({ code, errors }, { code: 0, errors: {} });
    assert(answers > 2 && connections >= answers, `${answers} answers on ${connections} connections`);
  });

  it("says what goes wrong, by kinds", async () => {
    await using server = await http((request, response) => {
      if (request.url === "/503") response.statusCode = 503;
      if (request.url === "/reset") request.socket.destroy();
      else if (request.url !== "/silent") response.end("hello");
    });
    const url = `http://127.0.0.1:${server.port}`;
    const cases = [
      [["/503"], "status 503"],
      [["/", "--expect=hallo"], "a wrong body"],
      [["/", "--length=4"], "a body of 5 bytes"],
      [["/", "--status=201"], "status 200"],
      [["/silent", "--timeout=0.1"], "no answer in time"],
      [["/reset"], "the server ended the connection"],
    ] as const;
    for (const [[path, ...args], kind] of cases) {
      const { code, report: { errors, answers } } = await briefly([url + path, "-c2", ...args]);
      assertEquals({ path, code, kinds: Object.keys(errors), answers }, {
        path,
        code: 1,
        kinds: [kind],
        answers: 0,
      });
    }
  });

  it("counts an open loop's latency from when a request was due: a server that stands still shows in most of them", async () => {
    await using server = await http((_, response) => {
      response.end("hello");
    });
    const never = new Int32Array(new SharedArrayBuffer(4));
    const block = setInterval(() => Atomics.wait(never, 0, 0, 300), 400);
    const url = `http://127.0.0.1:${server.port}`;
    const args = ["-c4", "--warm-up=0.1", "--duration=1", "--json"];
    const closed = JSON.parse((await load(url, ...args)).stdout);
    const open = JSON.parse((await load(url, ...args, "--rate=500")).stdout);
    clearInterval(block);
    // In the closed loop 4 requests wait in each stop; in the open one, all that are due in it.
    assert(open.latency.p50 > closed.latency.p50, `${open.latency.p50} and ${closed.latency.p50}`);
    assert(open.latency.p50 > 20_000);
    assertEquals(open.rate, 500);
    const counted = open.answers + open.unanswered;
    assert(counted >= 490 && counted <= 530, `${counted} of 500 requests were counted`);
  });

  it("keeps connections that only wait, beside others or alone, and says where one was ended", async () => {
    let connections = 0;
    await using server = await http((_, response) => {
      response.end();
    });
    await using strict = await tcp((socket) => {
      if (++connections % 2 === 0) setTimeout(() => socket.destroy(), 50);
    });
    const url = `http://127.0.0.1:${server.port}`;
    const { report: beside } = await briefly([url, "-c2", "--idle=300", `--pid=${process.pid}`]);
    assertEquals([beside.standing, beside.errors], [[2, 300], {}]);
    assert(beside.answers > 0 && beside.used?.residentBytes.every((bytes) => bytes > 1 << 20));
    const alone = await briefly(
      [`tcp://127.0.0.1:${strict.port}`, "-c0", "--idle=10"],
      ({ standing }) => standing[1] <= 5,
    );
    assertEquals([alone.code, alone.report.standing], [1, [0, 5]]);
  });

  it("fails where nobody listens", async () => {
    const server = await tcp(() => {});
    await server[Symbol.asyncDispose]();
    const { code, report } = await briefly([`http://127.0.0.1:${server.port}`, "-c2"]);
    assertEquals([code, Object.keys(report.errors)], [1, ["connect: ECONNREFUSED"]]);
  });

  it("prints for people, and its help", async () => {
    await using server = await http((_, response) => {
      response.end("hello");
    });
    const url = `http://127.0.0.1:${server.port}`;
    const { stdout, stderr } = await load(url, "-w0.1", "-d0.2", "-r100", `--pid=${process.pid}`);
    assertEquals(stderr, "");
    for (
      const line of [
        /^answers +\d/m,
        /^latency +mean .* p99\.9 .* max/m,
        /^server +[\d.]+ µs user/m,
        /^late +\d/m,
      ]
    ) {
      assertMatch(stdout, line);
    }
    const help = await load("--help");
    assertEquals(help.code, 0);
    assertMatch(help.stdout, /usage: load URL/);
  });

  const URL = "http://127.0.0.1:1";
  const usages: readonly (readonly [args: readonly string[], message: RegExp])[] = [
    [[], /one URL is wanted, and 0 are given/],
    [["https://127.0.0.1"], /TLS is not spoken here/],
    [["127.0.0.1:80"], /is no URL of http or tcp/],
    [["tcp://127.0.0.1"], /has no port/],
    [["http://no.such.name.invalid"], /no\.such\.name\.invalid has no address/],
    [[URL, "--connections=x"], /--connections is x, not a number from 0/],
    [[URL, "--connections=1.5"], /--connections is 1.5, not a whole number/],
    [[URL, "--connections=0"], /--connections is 0, and so is --idle/],
    [[URL, "--rate=0"], /--rate is 0, not a number/],
    [[URL, "--duration=-1"], /--duration/],
    [[URL, "--header=x"], /--header is no line/],
    [[URL, "--method=get it"], /--method is get it/],
    [[URL, "--no-such"], /no-such/],
    [[URL, "--expect-file=/no/such/file"], /cannot read \/no\/such\/file/],
    [[URL, "--pid=4194305"], /no process 4194305/],
  ];
  for (const [args, message] of usages) {
    it(`refuses ${args.join(" ") || "nothing at all"}`, async () => {
      const { message: found } = await assertRejects(() => commandOf(args), UsageError);
      assertMatch(found, message);
    });
  }

  it("says on stderr what it refuses, without a trace", async () => {
    const { code, stdout, stderr } = await load(URL, "--rate=none");
    assertEquals({ code, stdout }, { code: 2, stdout: "" });
    assertEquals(stderr.split("\n")[0], "load: --rate is none, not a number from 0.001 to 100000000");
    assert(!stderr.includes("    at "), stderr);
  });
});
