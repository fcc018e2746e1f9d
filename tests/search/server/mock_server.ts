/** A server of the page that has each query answered by the test at hand, and can misbehave. */
import { createHash } from "node:crypto";
import { EventEmitter, once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type Server, type ServerResponse } from "node:http";

/** A hit as the server gives it. */
export interface Hit {
  file: string;
  lines: [number, number];
  score: number;
  text: string;
}

/** What the server says. */
export interface Answer {
  status: number;
  body: unknown;
}

/** A query, and the response that waits for its answer. */
export interface Asked {
  q: string;
  k: number;
  response: ServerResponse;
}

/** How long the page may take for what it is waited for. */
export const DEADLINE_MS = 10_000;
const HTML = readFileSync(
  new URL("../../../examples/search/server/page.html", import.meta.url),
  "utf8",
);

/** The strictest policy that lets the page's own style and script run, so that an inline handler would show. */
const POLICY = [
  "default-src 'none'",
  "connect-src 'self'",
  "img-src data:",
  "base-uri 'none'",
  "form-action 'none'",
  `script-src ${hashOf("script")}`,
  `style-src ${hashOf("style")}`,
].join("; ");

function hashOf(tag: string): string {
  const inner = HTML.slice(HTML.indexOf(`<${tag}>`) + tag.length + 2, HTML.indexOf(`</${tag}>`));
  return `'sha256-${createHash("sha256").update(inner).digest("base64")}'`;
}

/** Serves the page, and to each query whatever the test at hand has it answer. */
export class MockServer {
  readonly asked: Asked[] = [];
  answer: (q: string, k: number) => Answer | Promise<Answer> = found;
  #events: EventEmitter = new EventEmitter();
  #server: Server | undefined;
  #port = 0;

  get url(): string {
    return `http://127.0.0.1:${this.#port}/`;
  }

  async start(): Promise<void> {
    this.#server = createServer((request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? "/", this.url);
      if (pathname !== "/search") {
        response.setHeader("content-type", "text/html; charset=utf-8");
        response.setHeader("content-security-policy", POLICY);
        response.end(HTML);
      } else this.#search(searchParams.get("q") ?? "", Number(searchParams.get("k")), response);
    });
    this.#server.listen(this.#port, "127.0.0.1");
    await once(this.#server, "listening");
    const address = this.#server.address();
    if (address !== null && typeof address === "object") this.#port = address.port;
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server?.close(resolve));
    this.#server?.closeAllConnections();
    await closed;
  }

  /** Waits until the page asks for `q`. */
  async asks(q: string): Promise<Asked> {
    for (;;) {
      const asked = this.asked.findLast((each) => each.q === q);
      if (asked !== undefined) return asked;
      await once(this.#events, "asked", { signal: AbortSignal.timeout(DEADLINE_MS) });
    }
  }

  async #search(q: string, k: number, response: ServerResponse): Promise<void> {
    this.asked.push({ q, k, response });
    this.#events.emit("asked");
    const { status, body } = await this.answer(q, k);
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify(body));
  }
}

/** The hits of `found`. */
export const RIVER: Hit[] = [
  {
    file: "notes/rivers/oxbow.md",
    lines: [12, 19],
    score: 0.8125,
    text: "A river that winds through a flat valley cuts its outer banks.\n\nThe lake it leaves is an oxbow.",
  },
  {
    file: "src/meander.ts",
    lines: [140, 171],
    score: 0.40625,
    text: Array.from({ length: 30 }, (_, i) => i === 20 ? "  river.cut(bank);" : `  step(${i});`).join("\n"),
  },
  { file: "README", lines: [7, 7], score: 0.25, text: "Rivers, lakes and the yokes of oxen." },
];

/** Three hits, whatever the query. */
export function found(query: string): Answer {
  return { status: 200, body: { query, took_ms: 3.14, hits: RIVER } };
}
