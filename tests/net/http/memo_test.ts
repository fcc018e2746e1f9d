import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import { Memo } from "../../../lib/net/http/memo.ts";
import { RequestParser } from "../../../lib/net/http/parser.ts";
import { bytesOf, readRequests } from "./wire.ts";

const REQUEST = "GET /path?q=1 HTTP/1.1\r\nHost: a.example\r\nAccept: */*\r\nCookie: secret\r\n\r\n";

function viewOf(text: string): DataView {
  return new DataView(bytesOf(text).buffer);
}

/** A memo that has seen `text` twice, and so remembers "value". */
function remembering(text: string): Memo<string> {
  const memo = new Memo<string>();
  for (let i = 0; i < 2; i++) {
    assertStrictEquals(memo.find(viewOf(text), 0, text.length), undefined);
    memo.offer(viewOf(text), 0, text.length, text.length, "value");
  }
  return memo;
}

describe("Memo", () => {
  it("remembers what came twice, wherever it lies", () => {
    for (const length of [4, 5, 6, 7, 8, 100, 2048]) {
      const text = "x".repeat(length - 1) + "y";
      const memo = remembering(text);
      assertStrictEquals(memo.find(viewOf(`ab${text}`), 2, length), "value");
      assertStrictEquals(memo.length, length);
    }
  });

  it("remembers nothing that is very short or very long", () => {
    for (const length of [0, 1, 3, 2049]) {
      const text = "x".repeat(length);
      assertStrictEquals(remembering(text).find(viewOf(text), 0, length), undefined);
    }
  });

  it("gives the value to no other bytes, whichever of them differs", () => {
    for (const length of [4, 5, 6, 7, 31, 64]) {
      const text = "x".repeat(length);
      for (let at = 0; at < length; at++) {
        const other = `${text.slice(0, at)}y${text.slice(at + 1)}`;
        assertStrictEquals(remembering(text).find(viewOf(other), 0, length), undefined);
      }
    }
  });

  it("gives the value of the first bytes where more follow, and none where fewer are there", () => {
    const text = "0123456789";
    const memo = new Memo<string>();
    const more = viewOf(text + "abc");
    for (let i = 0; i < 2; i++) memo.offer(more, 0, 13, 10, "value");
    assertStrictEquals(memo.find(more, 0, 13), "value");
    assertStrictEquals(memo.length, 10);
    assertStrictEquals(memo.find(viewOf(text + "xyz"), 0, 13), "value");
    // 45 bytes share the slot of 13.
    const short = new Memo<string>();
    const long = viewOf("z".repeat(45));
    for (let i = 0; i < 2; i++) short.offer(long, 0, 45, 45, "value");
    assertStrictEquals(short.find(viewOf("z".repeat(13)), 0, 13), undefined);
  });

  it("lets go of what never comes again", () => {
    const memo = remembering("a".repeat(40));
    const other = viewOf("b".repeat(40));
    let found = 0;
    for (let i = 0; i < 300; i++) {
      if (memo.find(other, 0, 40) === "other") found++;
      else memo.offer(other, 0, 40, 40, "other");
    }
    assert(found > 200, `${found} of 300`);
  });
});

describe("a parser that remembers", () => {
  it("gives the same head for the same bytes, on other connections too", () => {
    const limits = { headers: 8000 };
    const heads = Array.from({ length: 5 }, () => {
      const parser = new RequestParser(limits);
      parser.feed(bytesOf(REQUEST));
      return parser.next();
    });
    assertStrictEquals(heads[4], heads[3]);
    assert(heads[1] !== heads[0]);
    assertEquals(heads[4]?.get("cookie"), "secret");
  });

  it("keeps the connections apart whose limits differ", () => {
    const wide = {};
    for (let i = 0; i < 5; i++) assertStrictEquals(readRequests([bytesOf(REQUEST)], wide).status, 0);
    assertStrictEquals(readRequests([bytesOf(REQUEST)], { headerCount: 2 }).status, 431);
    assertStrictEquals(readRequests([bytesOf(REQUEST)], { requestLine: 10 }).status, 414);
  });

  it("reads a request in which one byte is another as if it knew nothing", () => {
    fc.assert(fc.property(
      fc.integer({ min: 0, max: REQUEST.length - 1 }),
      fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
      fc.boolean(),
      (at, char, isPiped) => {
        const known = {};
        const mutant = `${REQUEST.slice(0, at)}${char}${REQUEST.slice(at + 1)}`;
        const text = isPiped ? mutant + REQUEST : mutant;
        for (let i = 0; i < 3; i++) readRequests([bytesOf(REQUEST)], known);
        assertEquals(readRequests([bytesOf(text)], known), readRequests([bytesOf(text)], {}));
      },
    ));
  });
});
