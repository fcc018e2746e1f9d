import { Buffer } from "node:buffer";
import { describe, it } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { WrongAnswer } from "../../../examples/load/answers.ts";
import { type Expectation, HttpAnswers } from "../../../examples/load/http_answers.ts";

const ANSWERS = [
  "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
  "HTTP/1.1 200 OK\r\nDate: now\r\ncontent-length:5\r\nConnection: keep-alive\r\n\r\nhello",
  "HTTP/1.1 201 \r\nTransfer-Encoding: Chunked\r\n\r\n3;a=b\r\nhel\r\n2\r\nlo\r\n0\r\nTrailer: x\r\n\r\n",
  "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nCONTENT-LENGTH: 05\r\n\r\nhello",
];

function reader(expected: Partial<Expectation> = {}): HttpAnswers {
  return new HttpAnswers({ isHead: false, body: Buffer.from("hello"), ...expected });
}

/** How many answers the text ends, however it is cut. */
function take(answers: HttpAnswers, text: string, cuts: readonly number[] = []): number {
  const bytes = Buffer.from(text, "latin1");
  const places = [0, ...cuts.map((cut) => cut % bytes.length).toSorted((a, b) => a - b), bytes.length];
  let ended = 0;
  for (let i = 1; i < places.length; i++) {
    const part = bytes.subarray(places[i - 1], places[i]);
    // As the load has them: at the beginning of a buffer that holds older bytes as well.
    const buffer = new Uint8Array(part.length + 50).fill(0x0a);
    buffer.set(part);
    if (part.length > 0) ended += answers.take(buffer, part.length);
  }
  return ended;
}

describe("HttpAnswers", () => {
  it("finds each answer, however the bytes are cut", () => {
    const answers = fc.array(fc.constantFrom(...ANSWERS), { minLength: 1, maxLength: 6 });
    fc.assert(fc.property(answers, fc.array(fc.nat(), { maxLength: 12 }), (texts, cuts) => {
      assertEquals(take(reader(), texts.join(""), cuts), texts.length);
    }));
  });

  it("counts an answer with its last byte, and none before", () => {
    for (const text of ANSWERS) {
      const answers = reader();
      for (let i = 0; i < text.length; i++) {
        assertEquals([text, i, take(answers, text[i])], [text, i, i === text.length - 1 ? 1 : 0]);
      }
    }
  });

  it("takes a body that has no length to the connection's end, and says that it is the last", () => {
    const answers = reader();
    assertEquals(take(answers, "HTTP/1.1 200 OK\r\n\r\nhello", [21]), 0);
    assertEquals([answers.isLast, answers.end()], [true, 1]);
    const closing = reader();
    assertEquals(take(closing, "HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 5\r\n\r\nhello"), 1);
    assertEquals(closing.isLast, true);
    assertThrows(() => reader().end(), WrongAnswer, "the server ended the connection");
  });

  it("takes no body where there is none", () => {
    const head = reader({ isHead: true, body: undefined });
    assertEquals(take(head, ANSWERS[0].slice(0, -5).repeat(2)), 2);
    const none = reader({ status: 304, body: undefined });
    assertEquals(take(none, "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n".repeat(2)), 2);
  });

  const wrong: readonly (readonly [text: string, message: string])[] = [
    ["HTTP/1.1 503 Busy\r\nContent-Length: 5\r\n\r\nhello", "status 503"],
    ["HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhallo", "a wrong body"],
    ["HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhell", "a body of 4 bytes"],
    ["HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello!", "a wrong body"],
    ["HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "a body of 0 bytes"],
    ["HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "a wrong Content-Length"],
    ["HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n", "a wrong Content-Length"],
    ["HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n", "a wrong Content-Length"],
    ["HTTP/1.1 200 OK\nContent-Length: 5\r\n\r\n", "a line that does not end in CR LF"],
    ["HTTP/2 200 OK\r\n\r\n", "no status line of HTTP/1"],
    ["HTTP/1.1 abc\r\n\r\n", "no status in the status line"],
    ["\r\n", "no status line of HTTP/1"],
    ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nz\r\n", "a wrong chunk size"],
    ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n", "a wrong chunk size"],
    [
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nhe\r\n",
      "a chunk that is longer than it says",
    ],
    ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhell\r\n0\r\n\r\n", "a body of 4 bytes"],
    [`HTTP/1.1 200 OK\r\nX: ${"x".repeat(70_000)}`, "a head of more than 65536 bytes"],
  ];
  for (const [text, message] of wrong) {
    it(`refuses ${JSON.stringify(text.slice(0, 80))}`, () => {
      assertThrows(() => take(reader(), text), WrongAnswer, message);
    });
  }
});
