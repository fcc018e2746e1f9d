import { lightResponse } from "./response/light_response.ts";
import { RequestParser } from "./parse/parser.ts";
import { LazyRequest } from "./request.ts";

/** Fields about the connection that brought a request, which Node's `fetch` refuses to send on. */
const HOP_BY_HOP = ["connection", "expect", "keep-alive", "transfer-encoding", "upgrade"];

/** What an object has, and what stands in its place. */
interface Wrapped {
  readonly on: object;
  readonly name: string;
  readonly before: unknown;
  readonly instead: unknown;
}

let wrapped: Wrapped[] = [];
let users = 0;
let accepts: boolean | undefined;

/**
 * Makes the host's `new Request(request)` and `fetch(request)` take a {@linkcode LazyRequest}, and `new Response` cheap,
 * until the returned function was called as often as this one. Deno does all that as it is. Node reads private fields,
 * which nothing but its own class can give an object, and Bun forgets the method: there the globals are wrapped.
 */
export function adoptGlobals(): () => void {
  accepts ??= areAccepted();
  if (accepts) return () => {};
  if (users++ === 0) wrapGlobals();
  let isOver = false;
  return () => {
    if (isOver) return;
    isOver = true;
    if (--users === 0) unwrapGlobals();
  };
}

function wrapGlobals(): void {
  const { Request: HostRequest, Response: HostResponse, fetch: hostFetch } = globalThis;
  const request = new Proxy(HostRequest, {
    construct: (target, [input, ...rest], newTarget) =>
      Reflect.construct(target, [
        input instanceof LazyRequest ? LazyRequest.materialize(input) : input,
        ...rest,
      ], newTarget),
  });
  const fetch = new Proxy(hostFetch, {
    apply: (target, self, [input, ...rest]) =>
      Reflect.apply(target, self, [input instanceof LazyRequest ? withoutHops(input) : input, ...rest]),
  });
  const response = lightResponse(HostResponse);
  wrapped = [
    { on: globalThis, name: "Request", before: HostRequest, instead: request },
    { on: globalThis, name: "Response", before: HostResponse, instead: response },
    { on: globalThis, name: "fetch", before: hostFetch, instead: fetch },
    { on: HostRequest.prototype, name: "constructor", before: HostRequest, instead: request },
    { on: HostResponse.prototype, name: "constructor", before: HostResponse, instead: response },
  ];
  for (const { on, name, instead } of wrapped) Reflect.set(on, name, instead);
}

/** One that somebody else has wrapped meanwhile stays as it is. */
function unwrapGlobals(): void {
  for (const { on, name, before, instead } of wrapped) {
    if (Reflect.get(on, name) === instead) Reflect.set(on, name, before);
  }
  wrapped = [];
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
