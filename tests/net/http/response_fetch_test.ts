import { createServer } from "node:net";
import { after, before, describe, it } from "node:test";
import {
  brotliCompressSync,
  brotliDecompressSync,
  deflateSync,
  gunzipSync,
  gzipSync,
  inflateSync,
  zstdCompressSync,
  zstdDecompressSync,
} from "node:zlib";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { StaticResponse } from "../../../lib/net/http/response/static_response.ts";
import { bytesOf, textOf } from "./wire.ts";
import { send, slowly, unchunk, write } from "./written.ts";
import { listening } from "../../host_port.ts";

const TEXT = bytesOf("packed ".repeat(50));

/** How each coding is put on, and taken off. */
const PACKERS: Record<string, [(bytes: Uint8Array) => Uint8Array, (bytes: Uint8Array) => Uint8Array]> = {
  "gzip": [gzipSync, gunzipSync],
  "x-gzip": [gzipSync, gunzipSync],
  "deflate": [deflateSync, inflateSync],
  "br": [brotliCompressSync, brotliDecompressSync],
  "zstd": [zstdCompressSync, zstdDecompressSync],
  "gzip,br": [
    (bytes) => brotliCompressSync(gzipSync(bytes)),
    (bytes) => gunzipSync(brotliDecompressSync(bytes)),
  ],
  "unknown": [(bytes) => bytes, (bytes) => bytes],
};

describe("what ResponseWriter writes", () => {
  const responses: Record<string, () => Response> = {
    "/text": () => new Response("grüße", { headers: { "x-name": "caf\xe9", "content-type": "text/html" } }),
    "/chunks": () => new Response(slowly("hello", "world"), { status: 201 }),
    "/static": () => StaticResponse.json({ a: [1] }),
    "/packed": () => new Response(gzipSync("p".repeat(300)), { headers: { "content-encoding": "gzip" } }),
    "/empty": () => new Response(null, { status: 204 }),
    ...Object.fromEntries(
      Object.entries(PACKERS).map(([coding, [pack]]) => [
        `/${coding}`,
        () => new Response(new Uint8Array(pack(TEXT)), { headers: { "content-encoding": coding } }),
      ]),
    ),
  };
  const server = createServer((socket) => {
    socket.once("data", async (data) => {
      const path = String(data).split(" ")[1];
      const { text } = await write(responses[path](), { keepAlive: false });
      socket.end(bytesOf(text));
    });
  });
  let origin = "";

  before(async () => {
    origin = `http://127.0.0.1:${await listening(server)}`;
  });

  after(() => {
    server.close();
  });

  it("is what fetch unpacked, where a response is passed on", async () => {
    const passed = await send(await fetch(`${origin}/packed`), { minor: 0 });
    assert(!passed.fields.includes("content-encoding: gzip"));
    assertStrictEquals(passed.body, "p".repeat(300));
    const own = await send(new Response(gzipSync("p"), { headers: { "content-encoding": "gzip" } }));
    assert(own.fields.includes("content-encoding: gzip"));
  });

  it("says of what is passed on how it is packed, whichever packings the host's fetch takes off", async () => {
    for (const [coding, [, unpack]] of Object.entries(PACKERS)) {
      for (const minor of [0, 1] as const) {
        const { text } = await write(await fetch(`${origin}/${coding}`), { minor });
        const end = text.indexOf("\r\n\r\n") + 4;
        const isChunked = text.slice(0, end).includes("transfer-encoding: chunked");
        const body = bytesOf(isChunked ? unchunk(bytesOf(text.slice(end)), 100) : text.slice(end));
        const isPacked = text.slice(0, end).includes(`content-encoding: ${coding}`);
        assertEquals([coding, textOf(isPacked ? unpack(body) : body)], [coding, textOf(TEXT)]);
      }
    }
  });

  it("is read by fetch", async () => {
    const text = await fetch(`${origin}/text`);
    assertEquals([text.status, text.headers.get("x-name"), await text.text()], [200, "caf\xe9", "grüße"]);
    const chunks = await fetch(`${origin}/chunks`);
    assertEquals([chunks.status, await chunks.text()], [201, "helloworld"]);
    const json = await fetch(`${origin}/static`);
    assertEquals([json.headers.get("content-type"), await json.json()], ["application/json", { a: [1] }]);
    const empty = await fetch(`${origin}/empty`);
    assertEquals([empty.status, await empty.text()], [204, ""]);
  });
});
