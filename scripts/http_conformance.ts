/**
 * Writes docs/http_conformance.md: sends the bytes of each of our cases of HTTP/1.1 to the servers of the three hosts and
 * to ours, and notes what they answer.
 *
 *     deno run -A scripts/http_conformance.ts
 */
import { bodies } from "../tests/net/http/conformance/bodies.ts";
import type { Case } from "../tests/net/http/conformance/case.ts";
import { fields } from "../tests/net/http/conformance/fields.ts";
import { requestLines } from "../tests/net/http/conformance/request_line.ts";
import { llhttpVerdictOf, verdictOf } from "../tests/net/http/conformance/verdict.ts";
import { bytesOf } from "../tests/net/http/wire.ts";

/** A connection that is silent for so long has been told all. */
const QUIET_MS = 700;
const AT_ONCE = 24;
const PAGE = "docs/http_conformance.md";

const SERVERS: Record<string, { command: string; args: string[]; source: string }> = {
  Oxbow: {
    command: Deno.execPath(),
    args: ["run", "-A"],
    source: `import { run } from ${JSON.stringify(new URL("../lib/task/mod.ts", import.meta.url).href)};
      import { serve } from ${JSON.stringify(new URL("../lib/net/http.ts", import.meta.url).href)};
      await run(async () => {
        const server = serve(async (r) => (await r.arrayBuffer(), new Response("ok")), { port: 0 });
        console.log(server.address.port);
        await server.finished;
      });`,
  },
  "Deno.serve": {
    command: Deno.execPath(),
    args: ["run", "-A"],
    source: `Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: ({ port }) => console.log(port) },
      async (r) => (await r.arrayBuffer(), new Response("ok")));`,
  },
  "Bun.serve": {
    command: "node_modules/.bin/bun",
    args: ["run"],
    source: `const { port } = Bun.serve({ port: 0, hostname: "127.0.0.1",
      fetch: async (r) => (await r.arrayBuffer(), new Response("ok")) });
      console.log(port);`,
  },
  "node:http": {
    command: "node_modules/.bin/node",
    args: [],
    source: `import { createServer } from "node:http";
      const server = createServer((request, response) => request.resume().on("end", () => response.end("ok")));
      server.listen(0, "127.0.0.1", () => console.log(server.address().port));`,
  },
};

/** The statuses of the responses, one after another: our handlers' bodies hold no status line. */
function statusesOf(text: string): string {
  return [...text.matchAll(/HTTP\/1\.[01] (\d{3})/g)].map(([, status]) => status).filter((s) => s !== "100")
    .join(" ");
}

async function told(port: number, { bytes }: Case): Promise<string> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const decoder = new TextDecoder("latin1");
  let text = "";
  let isClosed = false;
  try {
    const all = bytesOf(bytes);
    for (let at = 0; at < all.length;) at += await connection.write(all.subarray(at));
    const chunk = new Uint8Array(65536);
    for (;;) {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const quiet = new Promise<"quiet">((resolve) => timer = setTimeout(() => resolve("quiet"), QUIET_MS));
      const count = await Promise.race([connection.read(chunk), quiet]);
      clearTimeout(timer);
      if (count === "quiet") break;
      if (count === null) {
        isClosed = true;
        break;
      }
      text += decoder.decode(chunk.subarray(0, count));
    }
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    isClosed = true;
  }
  const statuses = statusesOf(text);
  return statuses !== "" ? statuses : isClosed ? "closes" : "waits";
}

async function ask(name: string, cases: readonly Case[]): Promise<string[]> {
  const { command, args, source } = SERVERS[name];
  const file = Deno.makeTempFileSync({ suffix: ".mts" });
  Deno.writeTextFileSync(file, source);
  const server = new Deno.Command(command, { args: [...args, file], stdout: "piped", stderr: "null" })
    .spawn();
  try {
    const reader = server.stdout.pipeThrough(new TextDecoderStream()).getReader();
    let line = "";
    while (!line.includes("\n")) line += (await reader.read()).value ?? "\n";
    const port = Number(line);
    const answers: string[] = [];
    for (let at = 0; at < cases.length; at += AT_ONCE) {
      answers.push(...await Promise.all(cases.slice(at, at + AT_ONCE).map((one) => told(port, one))));
    }
    return answers;
  } finally {
    server.kill("SIGKILL");
    await server.status;
    await server.stdout.cancel().catch(() => {});
    Deno.removeSync(file);
  }
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}

async function table(title: string, cases: readonly Case[]): Promise<string[]> {
  const columns: string[][] = [];
  for (const name of Object.keys(SERVERS)) columns.push(await ask(name, cases));
  const [ours, ...hosts] = columns;
  const wrong = cases.filter((one, i) => verdictOf(one) !== ours[i]);
  for (const one of wrong) {
    console.error(`${one.name}: expected ${verdictOf(one)}, and got ${ours[cases.indexOf(one)]}`);
  }
  return [
    `## ${title}`,
    "",
    row(["section", "case", "Oxbow", "llhttp", ...Object.keys(SERVERS).slice(1)]),
    row(["---", "---", "---", "---", "---", "---", "---"]),
    ...cases.map((one, i) =>
      row([one.section, one.name, verdictOf(one), llhttpVerdictOf(one), ...hosts.map((host) => host[i])])
    ),
    "",
  ];
}

Deno.chdir(new URL("..", import.meta.url));
const all = [...requestLines, ...fields, ...bodies];
const tables = [
  ...await table("Request lines", requestLines),
  ...await table("Fields", fields),
  ...await table("Bodies", bodies),
];
const versions = `Deno ${Deno.version.deno}, Bun and Node as package.json pins them`;
const page = [
  "# HTTP/1.1: what servers make of it",
  "",
  "Each case is some bytes that a client sends: they are in [tests/net/http/conformance](../tests/net/http/conformance).",
  "Each server got them over TCP with a handler that reads the body and answers 200. A cell holds the statuses",
  "that came, one for each request that was seen; `closes` is a connection that ended with no word, `waits` one on",
  "which nothing came. llhttp is the parser of node:http in its strict mode, alone; it knows no statuses. Sections",
  `are RFC 9112's. ${versions}.`,
  "",
  "A refusal is 400 where nothing else is said, and ends the connection. Our columns are held by",
  "`tests/net/http/conformance_test.ts`; the whole page is written by `scripts/http_conformance.ts`.",
  "",
  ...tables,
  "## Where llhttp reads otherwise",
  "",
  ...all.filter(({ differs }) => differs !== "").map(({ name, differs }) => `- ${name}: ${differs}.`),
  "",
];
Deno.writeTextFileSync(PAGE, page.join("\n"));
await new Deno.Command(Deno.execPath(), { args: ["fmt", "-q", PAGE] }).output();
