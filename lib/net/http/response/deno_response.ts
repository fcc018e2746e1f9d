/**
 * What Deno keeps of a `Response` under symbols of its own, as its own server reads it: looked at in place, a body and
 * a header list cost nothing. Where they are not as they are known to be, nothing is found, and the public properties
 * are read instead.
 *
 * @module
 */

/** What is at hand of a response, by its symbols. */
interface Inside {
  readonly [key: symbol]: unknown;
}

/** The record that a `Response` stands for. */
interface InnerResponse {
  readonly status: number;
  readonly statusMessage: string;
  readonly headerList: readonly (readonly [name: string, value: string])[];
  readonly body: unknown;
}

const NONE = Symbol("none");
const PROBE = "probe";
const TEXT_TYPE = "text/plain;charset=UTF-8";

function symbolOf(name: string): symbol {
  const probe = new Response(PROBE);
  return Object.getOwnPropertySymbols(probe).find(({ description }) => description === name) ?? NONE;
}

const RESPONSE = symbolOf("response");
const HEADERS = symbolOf("headers");
const LAZY_BODY = symbolOf("lazy static body");
const LAZY_TYPE = symbolOf("lazy static content type");

function inside(response: Response): Inside {
  return Object(response);
}

/** Whether a response of this text and nothing else is found to be that, and one that was looked at is not. */
function isKnown(): boolean {
  const probe = new Response(PROBE);
  if (inside(probe)[LAZY_BODY] !== PROBE || inside(probe)[LAZY_TYPE] !== null) return false;
  const json = Response.json(PROBE);
  if (inside(json)[LAZY_BODY] !== `"${PROBE}"` || inside(json)[LAZY_TYPE] !== "application/json") {
    return false;
  }
  const used = new Response(PROBE);
  const touched = new Response(PROBE);
  touched.headers.set("a", "b");
  return used.body !== null && inside(used)[LAZY_BODY] === null && inside(touched)[LAZY_BODY] === null;
}

const hasLazy = RESPONSE !== NONE && HEADERS !== NONE && LAZY_BODY !== NONE && LAZY_TYPE !== NONE &&
  isKnown();

/** The text of a response of status 200 that was made of a text, and of nothing else but its type, and is untouched. */
export function plainText(response: Response): string | undefined {
  if (!hasLazy) return undefined;
  const text = inside(response)[LAZY_BODY];
  return typeof text === "string" ? text : undefined;
}

/** The `content-type` of a response that has a `plainText`. */
export function plainType(response: Response): string {
  const type = inside(response)[LAZY_TYPE];
  return typeof type === "string" ? type : TEXT_TYPE;
}

function isInner(value: unknown): value is InnerResponse {
  return typeof value === "object" && value !== null && "headerList" in value &&
    Array.isArray(value.headerList) && "body" in value;
}

/** The body of a response as Deno's own server finds it. */
export function bodyInside(response: Response): unknown {
  const inner = inside(response)[RESPONSE];
  return isInner(inner) ? inner.body : null;
}

/** Has Deno's own server find what `body` gives, at the first look, for the body of a response that has none. */
export function setBodyInside(response: Response, body: () => unknown): void {
  const inner = inside(response)[RESPONSE];
  if (isInner(inner)) {
    Object.defineProperty(inner, "body", { get: body, configurable: true, enumerable: true });
  }
}

/** The header fields of a response that nobody has asked for its `headers`, and that has no `plainText`, else `undefined`. */
export function headerList(response: Response): readonly (readonly [string, string])[] | undefined {
  if (!hasLazy || inside(response)[HEADERS] !== null || plainText(response) !== undefined) return undefined;
  const inner = inside(response)[RESPONSE];
  return isInner(inner) ? inner.headerList : undefined;
}
