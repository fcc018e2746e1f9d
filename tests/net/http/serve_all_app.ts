/**
 * What the tests of `serveAll` have served on other threads.
 *
 * @module
 */
import type { LeanRequest, LeanResponse } from "../../../lib/net/http.ts";

/** Of this thread's copy of the module. */
const id: string = crypto.randomUUID();
let open: () => void = () => {};

/** Says which copy answers; `/wait` answers once somebody has asked this thread for `/open`. */
export default {
  async fetch(request: Request): Promise<Response> {
    switch (new URL(request.url).pathname) {
      case "/throw":
        throw new Error("thrown");
      case "/echo":
        return new Response(await request.text());
      case "/wait":
        await new Promise<void>((resolve) => open = resolve);
        return new Response("waited");
      case "/open":
        open();
        return new Response("opened");
      case "/crash":
        setTimeout(() => {
          throw new Error("crashed on purpose");
        });
        return new Promise(() => {});
      default:
        return new Response(id);
    }
  },
  onError: (error: unknown): Response => new Response(String(error), { status: 500 }),
};

export function lean(request: LeanRequest, response: LeanResponse): void {
  response.end(`lean ${request.path}`);
}

export const number = 42;
