import type { Buffer } from "node:buffer";
import { createServer as createHttpServer, type RequestListener } from "node:http";
import { createServer, type Server, type Socket } from "node:net";
import process from "node:process";
import { describe, it } from "node:test";
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { commandOf, UsageError } from "../../../examples/load/options.ts";
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

const BRIEF = ["--warm-up=0.05", "--duration=0.15", "--json"];

describe("examples/load.ts", () => {
  it("asks a server that echoes, and counts what is answered", async () => {
    let sent = 0;
    await using server = await tcp((socket) =>
      socket.on("data", (bytes) => {
        sent += bytes.length;
        socket.write(bytes);
      })
    );
    const { code, stdout, stderr } = await load(
      `tcp://127.0.0.1:${server.port}`,
      "-c5",
      "--bytes=1000",
      ...BRIEF,
    );
    assertEquals({ code, stderr }, { code: 0, stderr: "" });
    const report = JSON.parse(stdout);
    assert(report.answers > 0 && report.answers * 1000 <= sent, `${report.answers} of ${sent} bytes`);
    assert(report.answers * 1000 <= report.bytesRead + 5000);
    assertEquals([report.errors, report.standing], [{}, [5, 0]]);
    const { p50, p90, p99, p999, max } = report.latency;
    assert(0 < p50 && p50 <= p90 && p90 <= p99 && p99 <= p999 && p999 <= max);
  });

  it("sees one byte that is wrong, in messages larger than the kernel's buffers, too", async () => {
    let sent = 0;
    await using server = await tcp((socket) =>
      socket.on("data", (bytes: Buffer) => {
        sent += bytes.length;
        if (sent > 20_000_000) bytes[bytes.length - 1] ^= 1;
        socket.write(bytes);
      })
    );
    const args = ["-c2", "--bytes=5000000", "--warm-up=0", "--duration=1", "--json"];
    const { code, stdout } = await load(`tcp://127.0.0.1:${server.port}`, ...args);
    const report = JSON.parse(stdout);
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
      const { code, stdout, stderr } = await load(
        ...[
          url,
          "-p",
          pipeline,
          "-m",
          "POST",
          "-H",
          "X-Mine: 1",
          "--data",
          "some",
          "--expect",
          "hello",
          ...BRIEF,
        ],
      );
      assertEquals({ code, stderr }, { code: 0, stderr: "" });
      assert(JSON.parse(stdout).answers > 0);
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
    const { code, stdout } = await load(`http://127.0.0.1:${server.port}`, "-c2", ...BRIEF);
    const { answers, errors } = JSON.parse(stdout);
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
      const { code, stdout } = await load(url + path, "-c2", ...args, ...BRIEF);
      const { errors, answers } = JSON.parse(stdout);
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
    const block = setInterval(() => {
      const end = Date.now() + 300;
      while (Date.now() < end);
    }, 400);
    const url = `http://127.0.0.1:${server.port}`;
    const args = ["-c4", "--warm-up=0.2", "--duration=1.6", "--json"];
    const closed = JSON.parse((await load(url, ...args)).stdout);
    const open = JSON.parse((await load(url, ...args, "--rate=500")).stdout);
    clearInterval(block);
    // In the closed loop 4 requests wait in each stop; in the open one, all that are due in it.
    assert(open.latency.p50 > closed.latency.p50, `${open.latency.p50} and ${closed.latency.p50}`);
    assert(open.latency.p50 > 20_000);
    assertEquals(open.rate, 500);
    const counted = open.answers + open.unanswered;
    assert(counted >= 790 && counted <= 830, `${counted} of 800 requests were counted`);
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
    const beside = JSON.parse(
      (await load(url, "-c2", "--idle=300", `--pid=${process.pid}`, ...BRIEF)).stdout,
    );
    assertEquals([beside.standing, beside.errors], [[2, 300], {}]);
    assert(beside.answers > 0 && beside.used.residentBytes.every((bytes: number) => bytes > 1 << 20));
    const alone = await load(`tcp://127.0.0.1:${strict.port}`, "-c0", "--idle=10", ...BRIEF);
    assertEquals([alone.code, JSON.parse(alone.stdout).standing], [1, [0, 5]]);
  });

  it("fails where nobody listens", async () => {
    const server = await tcp(() => {});
    await server[Symbol.asyncDispose]();
    const { code, stdout } = await load(`http://127.0.0.1:${server.port}`, "-c2", ...BRIEF);
    assertEquals([code, Object.keys(JSON.parse(stdout).errors)], [1, ["connect: ECONNREFUSED"]]);
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
