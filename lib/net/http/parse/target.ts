import { HttpError } from "../error.ts";

/** The origins of the hosts that were asked for of late. */
const origins = new Map<string, string>();
const MOST_ORIGINS = 256;

/**
 * The origin (`http://localhost:7777`) of a `Host` field, empty for an empty one. Throws an
 * {@linkcode HttpError} where it is not `uri-host [ ":" port ]`, so that no value can smuggle in a path or a
 * user. The answers are kept, for clients name the same hosts again and again.
 */
export function originOfHost(host: string): string {
  if (host === "") return "";
  const known = origins.get(host);
  if (known !== undefined) return known;
  const url = `http://${host}`;
  if (!/^[\w\-.~!$&'()*+,;=%:[\]]+$/.test(host) || !URL.canParse(url)) {
    throw new HttpError(400, `the Host field is no host: ${JSON.stringify(host)}`);
  }
  const { origin } = new URL(url);
  if (origins.size === MOST_ORIGINS) origins.clear();
  origins.set(host, origin);
  return origin;
}

/**
 * Checks the form of a request target against the method (RFC 9112, section 3.2). Throws an
 * {@linkcode HttpError}: 400 where the form is wrong, 501 for a `CONNECT`, as this is no proxy.
 */
export function checkTarget(method: string, target: string): void {
  if (method === "CONNECT") {
    if (!/^[^/?@]+:\d{1,5}$/.test(target) || !URL.canParse(`http://${target}`)) {
      throw new HttpError(400, "the target of a CONNECT is not host:port");
    }
    throw new HttpError(501, "CONNECT is for proxies, and this server is none");
  }
  if (target.startsWith("/")) return;
  if (target === "*") {
    if (method !== "OPTIONS") {
      throw new HttpError(400, `the target "*" is for OPTIONS only, not for ${method}`);
    }
    return;
  }
  if (!/^https?:\/\/[^/?@\\]+([/?]|$)/i.test(target) || !URL.canParse(target)) {
    throw new HttpError(400, 'the request target is neither a path that begins with "/" nor an http URL');
  }
}

/** The URL of a checked target, as WHATWG serialises it; `origin` is that of the host that was asked. */
export function urlOfTarget(target: string, origin: string): string {
  if (target === "*") return `${origin}/`;
  if (!target.startsWith("/")) return new URL(target).href;
  const url = origin + target;
  return isSerialised(target) ? url : new URL(url).href;
}

/** Whether the URL parser would leave the path and query as they are: nothing to encode, no dot segments. */
function isSerialised(target: string): boolean {
  return !/["'<>\\^`{|}]|\/\.|\/%2e/i.test(target);
}
