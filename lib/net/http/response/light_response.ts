import { StaticResponse, type StaticResponseInit } from "./static_response.ts";

/** What a status text may hold. */
const PLAIN_TEXT = /^[\t -~\x80-\xff]*$/;

/** Whether a `StaticResponse` is all that the host's class would make of it. */
function isPlain(init: unknown): init is StaticResponseInit | undefined {
  if (init === undefined) return true;
  if (typeof init !== "object" || init === null) return false;
  const { status, statusText }: { status?: unknown; statusText?: unknown } = init;
  const hasStatus = status === undefined || (typeof status === "number" && Number.isInteger(status));
  return hasStatus &&
    (statusText === undefined || (typeof statusText === "string" && PLAIN_TEXT.test(statusText)));
}

/**
 * A class in the place of `host`, that gives a `StaticResponse` where one is as good: for `new Response(body, init)` with
 * a text, bytes or nothing, which a server then sends without the promises that the host's takes to give up its body.
 * Classes that extend it extend the host's.
 */
export function lightResponse(host: typeof Response): object {
  function light(this: unknown, ...args: ConstructorParameters<typeof Response>): Response {
    if (new.target === undefined) {
      throw new TypeError("cannot call a class constructor Response without |new|");
    }
    if (new.target !== light) return Reflect.construct(host, args, new.target);
    const [body, init] = args;
    if (isPlain(init)) {
      if (body === undefined || body === null || typeof body === "string") {
        return new StaticResponse(body ?? null, init);
      }
      // The host's copies them, so that they may change after that.
      if (body instanceof Uint8Array) return new StaticResponse(new Uint8Array(body), init);
    }
    return Reflect.construct(host, args, host);
  }
  function json(data: unknown, init?: StaticResponseInit): Response {
    return isPlain(init) ? StaticResponse.json(data, init) : host.json(data, init);
  }
  Object.setPrototypeOf(light, host);
  const properties = {
    name: { value: "Response", configurable: true },
    length: { value: host.length, configurable: true },
    prototype: { value: host.prototype },
    json: { value: json, configurable: true, writable: true },
  };
  return Object.defineProperties(light, properties);
}
