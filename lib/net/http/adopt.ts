import { RequestParser } from "./parser.ts";
import { LazyRequest } from "./request.ts";

/** Fields about the connection that brought a request, which Node's `fetch` refuses to send on. */
const HOP_BY_HOP = ["connection", "expect", "keep-alive", "transfer-encoding", "upgrade"];

/**
 * Makes the host's `new Request(request)` and `fetch(request)` take a {@linkcode LazyRequest}. Deno does so as it
 * is. Node reads private fields, which nothing but its own class can give an object, and Bun forgets the method:
 * there the two globals are wrapped, to be handed the real `Request` instead. Called again, it does nothing.
 */
export function adoptLazyRequests(): void {
  if (areAccepted()) return;
  globalThis.Request = new Proxy(globalThis.Request, {
    construct: (target, [input, ...rest], newTarget) =>
      Reflect.construct(target, [
        input instanceof LazyRequest ? LazyRequest.materialize(input) : input,
        ...rest,
      ], newTarget),
  });
  globalThis.fetch = new Proxy(globalThis.fetch, {
    apply: (target, self, [input, ...rest]) =>
      Reflect.apply(target, self, [input instanceof LazyRequest ? withoutHops(input) : input, ...rest]),
  });
}

function areAccepted(): boolean {
  const parser = new RequestParser();
  parser.feed(new TextEncoder().encode("PUT /probe HTTP/1.0\r\n\r\n"));
  const head = parser.next();
  if (head === undefined) return false;
  try {
    const probe = new Request(new LazyRequest(head, "http://localhost", { read: () => null }), {});
    return probe.method === "PUT" && probe.url === "http://localhost/probe";
  } catch {
    return false;
  }
}

function withoutHops(request: LazyRequest): Request {
  const headers = new Headers(request.headers);
  for (const name of HOP_BY_HOP) headers.delete(name);
  return new Request(request, { headers });
}
