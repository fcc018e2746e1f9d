import { assert, assertEquals, assertMatch } from "@std/assert";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import process from "node:process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { hostName } from "../../../ffi/mod.ts";
import type { HttpServer } from "../../../lib/net/http.ts";
import { moduleUrl } from "../../child.ts";
import { skipping, unlessInstalled } from "../../skip.ts";
import { serving } from "./client.ts";

/** What a program prints, while the server lives on in this process. */
function output(program: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(program, [...args], { timeout: 60_000, maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${program} failed: ${error.message}\n${stderr}`));
    });
  });
}

const LARGE = "0123456789abcdef".repeat(1 << 16);

/** Answers as each client below wants it. */
async function answer(request: Request): Promise<Response> {
  const { pathname } = new URL(request.url);
  switch (pathname) {
    case "/large":
      return new Response(LARGE);
    case "/stream":
      return new Response(
        new ReadableStream({
          start(controller) {
            for (const word of ["one ", "two ", "three"]) controller.enqueue(new TextEncoder().encode(word));
            controller.close();
          },
        }),
      );
    case "/missing":
      return new Response("nothing", { status: 404 });
    case "/moved":
      return new Response(null, { status: 302, headers: { location: "/stream" } });
    default: {
      const text = await request.text();
      return new Response(`${request.method} ${pathname} ${text.length} ${text.slice(0, 20)}`, {
        headers: { "x-seen": request.headers.get("x-sent") ?? "" },
      });
    }
  }
}

function origin(server: HttpServer): string {
  return `http://127.0.0.1:${server.address.port}`;
}

/** What each host's fetch is to say, one line a request. */
const FETCHES = `
const at = process.argv.at(-1);
const lines = [];
lines.push(await (await fetch(at + "/a", { headers: { "x-sent": "1" } })).text());
const posted = await fetch(at + "/p", { method: "POST", body: "x".repeat(300_000), headers: { "x-sent": "2" } });
lines.push(posted.headers.get("x-seen") + " " + await posted.text());
lines.push(String((await (await fetch(at + "/large")).text()).length));
lines.push(await (await fetch(at + "/stream")).text());
lines.push(String((await fetch(at + "/missing")).status));
lines.push(await (await fetch(at + "/moved")).text());
lines.push(String((await Promise.all(Array.from({ length: 40 }, (_, i) => fetch(at + "/" + i).then((r) => r.text()))))
  .filter((text, i) => text === "GET /" + i + " 0 ").length));
const head = await fetch(at + "/large", { method: "HEAD" });
lines.push(head.status + " " + (await head.text()).length);
const body = new ReadableStream({
  start(controller) {
    for (let i = 0; i < 5; i++) controller.enqueue(new TextEncoder().encode("part" + i));
    controller.close();
  },
});
lines.push(await (await fetch(at + "/chunks", { method: "PUT", body, duplex: "half" })).text());
const controller = new AbortController();
const aborted = fetch(at + "/large", { signal: controller.signal }).then((r) => r.text());
controller.abort();
lines.push(await aborted.catch((error) => error.name));
console.log(lines.join("\\n"));
process.exit(0);
`;

const FETCHED = [
  "GET /a 0 ",
  `2 POST /p 300000 ${"x".repeat(20)}`,
  String(LARGE.length),
  "one two three",
  "404",
  "one two three",
  "40",
  "200 0",
  "PUT /chunks 25 part0part1part2part3",
  "AbortError",
];

const HOSTS: Record<string, { program: string; args: string[] }> = {
  deno: { program: "deno", args: ["eval"] },
  bun: { program: "bun", args: ["-e"] },
  node: { program: "node", args: ["--input-type=module", "-e"] },
};

/** The host's own program, or the one that the package brings. */
function programOf(name: string): string | undefined {
  if (name === hostName) return process.execPath;
  const path = fileURLToPath(moduleUrl(`node_modules/.bin/${name}`));
  return existsSync(path) ? path : undefined;
}

describe("real clients", () => {
  for (const [name, { program, args }] of Object.entries(HOSTS)) {
    const path = programOf(program);
    const skip = path === undefined ? unlessInstalled(program) : skipping(false);
    it(
      `${name}'s fetch gets, posts, streams, follows, asks forty at once and aborts`,
      { skip },
      () =>
        serving(answer, {}, async (server) => {
          const text = await output(path ?? program, [
            ...args,
            `import process from "node:process";${FETCHES}`,
            origin(server),
          ]);
          assertEquals(text.trimEnd().split("\n"), FETCHED);
        }),
    );
  }

  it("curl gets, posts with Expect, chunks, resumes its connection and asks HTTP/1.0", {
    skip: unlessInstalled("curl"),
  }, () =>
    serving(answer, {}, async (server) => {
      const at = origin(server);
      assertEquals(await output("curl", ["-s", "-S", `${at}/a`]), "GET /a 0 ");
      assertEquals(await output("curl", ["-s", "-S", "--http1.0", `${at}/a`]), "GET /a 0 ");
      assertEquals(await output("curl", ["-s", "-S", `${at}/large`]), LARGE);
      const expecting = ["-s", "-S", "-H", "Expect: 100-continue", "-d", "hello", `${at}/e`];
      assertEquals(await output("curl", expecting), "POST /e 5 hello");
      const chunked = ["-s", "-S", "-H", "Transfer-Encoding: chunked", "-d", "hello", `${at}/c`];
      assertEquals(await output("curl", chunked), "POST /c 5 hello");
      const head = await output("curl", ["-s", "-S", "-I", `${at}/large`]);
      assertMatch(head, /^HTTP\/1\.1 200 OK\r\n/);
      const twice = await output("curl", ["-s", "-S", "-w", "%{num_connects} ", `${at}/a`, `${at}/stream`]);
      assertEquals(twice, "GET /a 0 1 one two three0 ");
      const upgrading = ["-s", "-S", "--http2", `${at}/a`];
      assertEquals(await output("curl", upgrading), "GET /a 0 ");
    }));

  it("Python's http.client gets, posts, iterates a body and keeps its connection", {
    skip: unlessInstalled("python3"),
  }, () =>
    serving(answer, {}, async (server) => {
      const program = `
import http.client
c = http.client.HTTPConnection("127.0.0.1", ${server.address.port})
for i in range(3):
    c.request("GET", "/a")
    print(c.getresponse().read().decode())
c.request("POST", "/p", body="hello", headers={"X-Sent": "2"})
r = c.getresponse()
print(r.getheader("x-seen"), r.read().decode())
c.request("PUT", "/c", body=iter([b"ab", b"cd"]), encode_chunked=True, headers={"Transfer-Encoding": "chunked"})
print(c.getresponse().read().decode())
c.request("GET", "/stream")
print(c.getresponse().read().decode())
c.request("HEAD", "/large")
print(len(c.getresponse().read()))
`;
      const lines = (await output("python3", ["-c", program])).trimEnd().split("\n");
      assertEquals(lines, [
        ..."GET /a 0 |GET /a 0 |GET /a 0 ".split("|"),
        "2 POST /p 5 hello",
        "PUT /c 4 abcd",
        "one two three",
        "0",
      ]);
    }));

  it("wrk finds no error in thirty-two connections", {
    skip: skipping(existsSync("/usr/bin/wrk") ? false : "wrk is not installed"),
  }, () =>
    serving(answer, {}, async (server) => {
      const text = await output("wrk", ["-t1", "-c32", "-d1s", `${origin(server)}/a`]);
      assertMatch(text, /[1-9]\d* requests in/);
      assert(!/Socket errors|Non-2xx/.test(text), text);
    }));
});
