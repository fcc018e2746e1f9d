/** What a ResponseWriter makes of a response. */
import { assert, assertEquals } from "@std/assert";
import { resolveLimits } from "../../../lib/net/http/limits.ts";
import { ChunkedBody } from "../../../lib/net/http/parse/body.ts";
import { Output } from "../../../lib/net/http/response/output.ts";
import { StreamBody, takeBody } from "../../../lib/net/http/response/response_body.ts";
import { ResponseWriter } from "../../../lib/net/http/response/response_writer.ts";
import { bytesOf, textOf } from "./wire.ts";

interface Asked {
  method?: string;
  minor?: 0 | 1;
  keepAlive?: boolean;
  room?: number;
}

interface Sent {
  line: string;
  /** Every line of a field but `date`, sorted. */
  fields: string[];
  body: string;
  keepAlive: boolean;
}

/** All that an output holds, in the order in which it would be sent. */
export function sentBytes(output: Output): string {
  return [output.bytes.subarray(0, output.length), ...output.rest].map(textOf).join("");
}

export async function write(
  response: Response,
  { method = "GET", minor = 1, keepAlive = true, room = 4096 }: Asked = {},
) {
  const output = new Output(new Uint8Array(room));
  const writer = new ResponseWriter(output);
  const body = writer.begin({ method, minor }, response, await takeBody(response), keepAlive);
  if (body instanceof StreamBody) {
    for (let part = await body.next(); part !== null; part = await body.next()) writer.write(part.slice());
    writer.end();
  }
  return { text: sentBytes(output), keepAlive: writer.keepAlive };
}

export async function send(response: Response, asked?: Asked): Promise<Sent> {
  const { text, keepAlive } = await write(response, asked);
  const end = text.indexOf("\r\n\r\n");
  const [line, ...fields] = text.slice(0, end).split("\r\n");
  assertEquals(fields.filter((field) => field.startsWith("date: ")).length, 1);
  return {
    line,
    fields: fields.filter((field) => !field.startsWith("date: ")).sort(),
    body: text.slice(end + 4),
    keepAlive,
  };
}

/** A stream whose parts come one after another, each when it is asked for and a turn later. */
export function slowly(...parts: string[]): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({
    pull: async (controller) => {
      await new Promise((resolve) => setTimeout(resolve));
      const part = parts.shift();
      if (part === undefined) controller.close();
      else controller.enqueue(bytesOf(part));
    },
  }, { highWaterMark: 0 });
}

export const HTML = { headers: { "content-type": "text/html" } };

/** What a chunked body holds, decoded in pieces of `size`. */
export function unchunk(bytes: Uint8Array, size: number): string {
  const decoder = new ChunkedBody(resolveLimits());
  let text = "";
  for (let start = 0; start < bytes.length; start += size) {
    const end = Math.min(bytes.length, start + size);
    for (let at = start; at < end && !decoder.isDone;) {
      at = decoder.decode(bytes, at, end);
      text += textOf(bytes.subarray(decoder.dataStart, decoder.dataEnd));
    }
  }
  assert(decoder.isDone);
  return text;
}
