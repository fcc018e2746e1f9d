import { createHash } from "node:crypto";
import { isIP } from "node:net";
import { StaticResponse } from "../../../lib/net/http.ts";
import { type Batcher, OverloadedError } from "./batcher.ts";
import type { Metrics } from "./metrics.ts";

/** How many hits are given where the query does not say. */
const DEFAULT_K = 10;
/** More is a download and no search. */
const LARGEST_K = 1000;
const SECURITY: Record<string, string> = {
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "x-frame-options": "DENY",
};

/** A status and what to say to whoever asked. */
class Refusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** The page, with a policy that lets its own script and style run and nothing else. */
export interface Page {
  readonly html: string;
  readonly policy: string;
}

/** The page's text with the policy computed from its own script and style. */
export function toPage(html: string): Page {
  const script = hashesOf(html, "script");
  const style = hashesOf(html, "style");
  const policy =
    `default-src 'none'; script-src ${script}; style-src ${style}; connect-src 'self'; img-src data:; ` +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
  return { html, policy };
}

function hashesOf(html: string, tag: string): string {
  const bodies = [...html.matchAll(new RegExp(`<${tag}>([^]*?)</${tag}>`, "g"))].map(([, body]) => body);
  return bodies.map((body) => `'sha256-${createHash("sha256").update(body).digest("base64")}'`).join(" ");
}

/** The search that a request asks for. Throws a `Refusal`. */
function parseSearch(url: URL, validate: (query: string) => string): { query: string; k: number } {
  const k = url.searchParams.get("k") ?? String(DEFAULT_K);
  if (!/^\d{1,9}$/.test(k) || Number(k) < 1 || Number(k) > LARGEST_K) {
    throw new Refusal(400, `k is ${JSON.stringify(k.slice(0, 40))}: ask for 1 to ${LARGEST_K} hits`);
  }
  try {
    return { query: validate(url.searchParams.get("q") ?? ""), k: Number(k) };
  } catch (error) {
    if (error instanceof RangeError || error instanceof TypeError) throw new Refusal(400, error.message);
    throw error;
  }
}

function json(status: number, value: unknown, headers: Record<string, string> = {}): Response {
  return new StaticResponse(JSON.stringify(value), {
    status,
    headers: {
      "content-type": "application/json; charset=utf-8",
      "cache-control": "no-store",
      ...SECURITY,
      ...headers,
    },
  });
}

/** What answers the requests of one index. */
export interface Routes {
  readonly batcher: Batcher;
  readonly metrics: Metrics;
  readonly page: Page;
  /** The query as it is searched for. Throws a `RangeError` or `TypeError` that says what is wrong with it. */
  readonly validate: (query: string) => string;
  /** Whether a request may name any host: not so on loopback, where another site's page could be asking. */
  readonly anyHost: boolean;
}

/** Whether the request was meant for this machine, and not sent here by a name that was made to point at it. */
function isLocal(url: URL): boolean {
  const hostname = url.hostname.replace(/^\[|\]$/g, "");
  return hostname === "localhost" || isIP(hostname) !== 0;
}

async function answerSearch({ batcher, metrics, validate }: Routes, url: URL): Promise<Response> {
  const start = performance.now();
  const { query, k } = parseSearch(url, validate);
  const hits = await batcher.search(query, k);
  const ms = performance.now() - start;
  metrics.search(ms);
  return json(200, { query, took_ms: Math.round(ms * 1000) / 1000, hits });
}

async function answer(routes: Routes, request: Request): Promise<Response> {
  const url = new URL(request.url);
  if (!routes.anyHost && !isLocal(url)) {
    throw new Refusal(421, `this server answers on loopback only, not as ${url.hostname}`);
  }
  if (request.method !== "GET" && request.method !== "HEAD") {
    throw new Refusal(405, `${request.method} is not answered here: use GET`);
  }
  switch (url.pathname) {
    case "/":
      return new Response(routes.page.html, {
        headers: {
          "content-type": "text/html; charset=utf-8",
          "content-security-policy": routes.page.policy,
          "cache-control": "no-cache",
          ...SECURITY,
        },
      });
    case "/search":
      return await answerSearch(routes, url);
    case "/metrics":
      return new Response(String(routes.metrics), {
        headers: { "content-type": "text/plain; version=0.0.4; charset=utf-8", ...SECURITY },
      });
    default:
      throw new Refusal(404, `there is nothing at ${url.pathname}: try /, /search?q=words, /metrics`);
  }
}

/** The handler of the search server: the page, `/search` as JSON, `/metrics`. */
export function toHandler(routes: Routes): (request: Request) => Promise<Response> {
  return async (request) => {
    const response = await answer(routes, request).catch((error: unknown) => {
      if (error instanceof Refusal) {
        return json(
          error.status,
          { error: error.message },
          error.status === 405 ? { allow: "GET, HEAD" } : {},
        );
      }
      if (error instanceof OverloadedError) {
        return json(503, { error: error.message }, { "retry-after": "1" });
      }
      throw error;
    });
    routes.metrics.response(response.status);
    return response;
  };
}
