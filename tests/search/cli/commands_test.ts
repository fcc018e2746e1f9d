import { spawn as spawnProcess, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { indexFolder } from "../../../examples/search/index/index_folder.ts";
import { hostName } from "../../../ffi/mod.ts";
import { prose, seeded, TestFolder } from "../folder.ts";
import { skipping } from "../../skip.ts";

const LIMIT_MS = 60_000;
const MAIN = fileURLToPath(new URL("../../../examples/search/main.ts", import.meta.url));
const COMMANDS = new URL("../../../examples/search/cli/commands.ts", import.meta.url).href;
const CONFIG = fileURLToPath(new URL("../../../deno.json", import.meta.url));

interface Result {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** The command that runs a script on the host that runs the test. */
function command(script: string, permissions: readonly string[] = ["-A"]): string[] {
  const deno = ["run", "--no-prompt", "--quiet", "--config", CONFIG, ...permissions];
  return [process.execPath, ...(hostName === "deno" ? deno : []), script];
}

function spawn([file, ...args]: readonly string[]): Result {
  const { status, stdout, stderr } = spawnSync(file, args, {
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1", NODE_NO_WARNINGS: "1" },
    timeout: LIMIT_MS,
  });
  return { code: status, stdout, stderr };
}

function search(...args: string[]): Result {
  return spawn([...command(MAIN), ...args]);
}

/** What the program does with each of many arguments, one after the other in one process. */
function searchEach(all: readonly (readonly string[])[]): Result[] {
  using script = new TestFolder({
    "each.mts": `
      import { writeSync } from "node:fs";
      import process from "node:process";
      import { main } from ${JSON.stringify(COMMANDS)};
      const results = [];
      for (const args of ${JSON.stringify(all)}) {
        const result = { stdout: "", stderr: "" };
        for (const name of ["stdout", "stderr"]) process[name].write = (text) => (result[name] += text, true);
        results.push({ code: await main(args), ...result });
      }
      writeSync(1, JSON.stringify(results));
    `,
  });
  const { code, stdout, stderr } = spawn(command(script.at("each.mts")));
  assertEquals([code, stderr], [0, ""]);
  return JSON.parse(stdout);
}

describe("search", () => {
  const folder = new TestFolder({
    "notes/ox.md": "An oxbow fastens an ox\nto its yoke.\n",
    "notes/map.md": "\n\nA map detaches its views.\n",
    "bell\x1b[2J.txt": "an escape: \x1b[31mred\x1b[0m bell\x07\r\nend\r\n",
  });
  before(async () => {
    await indexFolder(folder.path);
  });
  after(() => folder[Symbol.dispose]());

  it("index says what it did, and nothing else in a pipe", () => {
    using other = new TestFolder({ "a.txt": "text", "b.bin": "\0", "c.txt": "more text" });
    const first = search("index", other.path);
    assertEquals([first.code, first.stderr], [0, ""]);
    assertMatch(
      first.stdout,
      /\.oxbow: 2 files in 2 passages\nembedded 2 files, kept 0, dropped 0\nskipped 1 binary\nread 0\.0 MB in/,
    );
    other.remove("a.txt");
    assertStringIncludes(
      search("index", other.path, "--backend", "portable").stdout,
      "embedded 0 files, kept 1, dropped 1",
    );
    const out = other.at("elsewhere");
    assertEquals(search("index", other.path, "--out", out).code, 0);
    assertStringIncludes(search("query", out, "text").stdout, "c.txt:1");
  });

  it("query prints file, line, score and the passage with its matches marked", () => {
    const { code, stdout, stderr } = search("query", folder.path, "oxbows", "yoke", "-k", "1");
    assertEquals([code, stderr], [0, ""]);
    assertMatch(stdout, /^notes\/ox\.md:1 {2}0\.\d{3}\n {4}An «oxbow» fastens an ox\n {4}to its «yoke»\.\n$/);
    assertStringIncludes(search("query", folder.path, "views").stdout, "notes/map.md:3  0.");
  });

  it("query --json prints one object", () => {
    const { stdout } = search("query", folder.path, "--json", "-k", "1", "detach\nviews");
    const answer: unknown = JSON.parse(stdout);
    assert(typeof answer === "object" && answer !== null && "took_ms" in answer && "hits" in answer);
    assert(typeof answer.took_ms === "number" && answer.took_ms > 0);
    assert(Array.isArray(answer.hits) && typeof answer.hits[0].score === "number");
    assertEquals({ ...answer, took_ms: 0, hits: [{ ...answer.hits[0], score: 0 }] }, {
      query: "detach views",
      took_ms: 0,
      hits: [{ file: "notes/map.md", lines: [3, 3], score: 0, text: "A map detaches its views." }],
    });
  });

  it("query lets neither a text nor a name steer the terminal", () => {
    const { stdout } = search("query", folder.path, "bell", "-k", "1");
    assertMatch(
      stdout,
      /^bell\ufffd\[2J\.txt:1 {2}\S+\n {4}an escape: \ufffd\[31mred\ufffd\[0m «bell»\ufffd\n {4}end\n$/,
    );
  });

  it("ends quietly when nobody reads on", () => {
    using other = new TestFolder({ "a.txt": prose(40_000, seeded(1)) });
    search("index", other.path);
    const line = `"$@" | head -c 10`;
    const { code, stdout, stderr } = spawn([
      "sh",
      "-c",
      line,
      "sh",
      ...command(MAIN),
      "query",
      other.path,
      "ba",
      "-k",
      "1000",
    ]);
    assertEquals([code, stdout.length, stderr], [0, 10, ""]);
  });

  it("prints how it is used", () => {
    const { code, stdout } = search("--help");
    assertEquals(code, 0);
    assertStringIncludes(stdout, "search index DIR");
    assertEquals(search("query", "--help").stdout, stdout);
  });

  const wrong: readonly (readonly [string[], string])[] = [
    [[], "no command"],
    [["find"], "no command find"],
    [["toString"], "no command toString"],
    [["index"], "index takes one folder"],
    [["index", "a", "b"], "index takes one folder"],
    [["index", "a", "--fast"], "--fast"],
    [["query", "a"], "query takes a folder and words"],
    [["query", "a", "b", "-k", "ten"], "-k is ten, not a whole number of 1 or more"],
    [["query", "a", "b", "-k", "-1"], "-k"],
    [["serve"], "serve takes one folder"],
    [["serve", "a", "--port", "65536"], "--port is 65536, not a whole number of 0 to 65535"],
    [["serve", "a", "--port", "http"], "--port is http"],
    [["query", "a", "b", "--backend", "gpu"], "--backend is gpu, not one of auto, mkl, openblas, portable"],
  ];
  it("tells a wrong use from a failure", () => {
    const results = searchEach(wrong.map(([args]) => args));
    assertEquals(results.length, wrong.length);
    assertEquals(search(...wrong[0][0]), results[0]);
    for (const [i, { code, stdout, stderr }] of results.entries()) {
      const [, message] = wrong[i];
      assertEquals([code, stdout], [2, ""]);
      assertStringIncludes(stderr.split("usage:")[0], message);
    }
  });

  it("says in a line what failed", () => {
    const failures: readonly (readonly [string[], string])[] = [
      [["index", folder.at("none")], `cannot index ${folder.at("none")}: there is no such folder`],
      [["query", folder.at("notes"), "ox"], `there is no index in ${folder.at("notes/.oxbow")}: make one`],
      [["serve", folder.at("notes"), "--port", "0"], "there is no index"],
      [["query", folder.path, "ox", "-k", "0"], "k is 0, not a whole number of 1 or more"],
      [["query", folder.path, ""], "the query has no words"],
      [["query", folder.path, "x".repeat(100_000)], "the query is longer than 4096 bytes"],
    ];
    const results = searchEach(failures.map(([args]) => args));
    assertEquals(results.length, failures.length);
    assertEquals(search(...failures[0][0]), results[0]);
    for (const [i, { code, stdout, stderr }] of results.entries()) {
      const [, message] = failures[i];
      assertEquals([code, stdout], [1, ""]);
      assertMatch(stderr, /^search: .*\n$/);
      assertStringIncludes(stderr, message);
    }
  });

  it(
    "names the flag that Deno lacks",
    { skip: skipping(hostName !== "deno" && "the flags are Deno's") },
    () => {
      for (
        const [permissions, flag] of [[["--allow-read"], "--allow-ffi"], [
          ["--allow-ffi"],
          "--allow-read",
        ]] as const
      ) {
        const { code, stderr } = spawn([...command(MAIN, permissions), "query", folder.path, "ox"]);
        assertEquals(code, 1);
        assertMatch(stderr, /^search: .*\n$/);
        assertStringIncludes(stderr, flag);
      }
    },
  );

  it("serve answers until Ctrl-C", async () => {
    const [file, ...args] = command(MAIN);
    const server = spawnProcess(file, [...args, "serve", folder.path, "--port", "0"], {
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, NODE_NO_WARNINGS: "1" },
      timeout: LIMIT_MS,
    });
    try {
      const [line] = await once(server.stdout, "data");
      const [url] = String(line).match(/^http:\/\/127\.0\.0\.1:\d+\//) ?? [];
      const response = await fetch(`${url}search?q=views&k=1`);
      const { hits: [{ file }] } = JSON.parse(await response.text());
      assertEquals(file, "notes/map.md");
      // Deno says of a child that it killed by `kill()` that the signal ended it, whatever its exit code was.
      assert(server.pid !== undefined);
      process.kill(server.pid, "SIGINT");
      const [code] = await once(server, "exit");
      assertEquals(code, 0);
    } finally {
      server.kill("SIGKILL");
    }
  });

  it("leaves the old index as it was at Ctrl-C", () => {
    using large = new TestFolder({ "a.txt": "text" });
    assertEquals(search("index", large.path).code, 0);
    const old = readFileSync(large.at(".oxbow/index.safetensors"));
    const names = readdirSync(large.at(".oxbow")).sort();
    const text = prose(100_000, seeded(1));
    for (let i = 0; i < 16; i++) large.write(`${i}.txt`, text);
    using script = new TestFolder({
      "interrupt.mts": `
        import process from "node:process";
        import { main } from ${JSON.stringify(COMMANDS)};
        setTimeout(() => process.kill(process.pid, "SIGINT"), 0);
        process.exitCode = await main(["index", ${JSON.stringify(large.path)}]);
      `,
    });
    const { code, stderr } = spawn(command(script.at("interrupt.mts")));
    assertEquals([code, stderr], [130, "search: interrupted; the index is as it was\n"]);
    assertEquals(readdirSync(large.at(".oxbow")).sort(), names);
    assert(readFileSync(large.at(".oxbow/index.safetensors")).equals(old));
  });
});
