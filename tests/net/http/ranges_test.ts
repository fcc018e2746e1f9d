import { describe, it } from "node:test";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import { acceptedPackings, encodingWeight } from "../../../lib/net/http/files/accept_encoding.ts";
import { checkPreconditions, isRangeCurrent } from "../../../lib/net/http/files/conditional.ts";
import { includesETag } from "../../../lib/net/http/files/etag.ts";
import { parseHttpDate } from "../../../lib/net/http/files/http_date.ts";
import { type ByteRange, contentRange, parseRange } from "../../../lib/net/http/files/ranges.ts";

/** What a range means, by the bytes themselves. */
type Asked = readonly ["from" | "between" | "last", number, number];

const asked: fc.Arbitrary<Asked> = fc.tuple(
  fc.constantFrom("from", "between", "last"),
  fc.nat(40),
  fc.nat(40),
);

function spelt([kind, one, other]: Asked): string {
  if (kind === "from") return `${one}-`;
  return kind === "last" ? `-${one}` : `${Math.min(one, other)}-${Math.max(one, other)}`;
}

/** Slices as an array does: what is beyond its end is not there. */
function sliced([kind, one, other]: Asked, bytes: readonly number[]): readonly number[] {
  if (kind === "from") return bytes.slice(one);
  if (kind === "last") return one === 0 ? [] : bytes.slice(-one);
  return bytes.slice(Math.min(one, other), Math.max(one, other) + 1);
}

describe("parseRange()", () => {
  it("finds the bytes that slicing does, in the order of the field", () => {
    fc.assert(fc.property(fc.array(asked, { minLength: 1, maxLength: 4 }), fc.integer({ min: 1, max: 30 }), (
      wanted,
      size,
    ) => {
      const bytes = Array.from({ length: size }, (_, i) => i);
      const expected = wanted.map((one) => sliced(one, bytes)).filter(({ length }) => length > 0);
      const ranges = parseRange(`bytes=${wanted.map(spelt).join(", ")}`, size);
      if (expected.flat().length > size) return assertStrictEquals(ranges, undefined);
      assertEquals(ranges?.map(({ start, end }) => bytes.slice(start, end)), expected);
    }));
  });

  it("never gives bytes that are not there, whatever the field says", () => {
    const noise = fc.string({ unit: fc.constantFrom(..."0123456789-,= \tbytesx"), maxLength: 30 });
    fc.assert(fc.property(noise, fc.nat(50), fc.boolean(), (text, size, isPrefixed) => {
      const ranges = parseRange(isPrefixed ? `bytes=${text}` : text, size) ?? [];
      for (const { start, end } of ranges) assert(0 <= start && start < end && end <= size);
      assert(ranges.reduce((sum, { start, end }) => sum + end - start, 0) <= size);
    }));
  });

  const cases: [field: string, size: number, ranges: ByteRange[] | undefined][] = [
    ["bytes=0-0", 10, [{ start: 0, end: 1 }]],
    ["BYTES=0-0", 10, [{ start: 0, end: 1 }]],
    ["bytes=9-", 10, [{ start: 9, end: 10 }]],
    ["bytes=-1000", 10, [{ start: 0, end: 10 }]],
    ["bytes=5-99999999999999999999999999", 10, [{ start: 5, end: 10 }]],
    ["bytes= 1-2 ,\t4-5", 10, [{ start: 1, end: 3 }, { start: 4, end: 6 }]],
    ["bytes=,,1-2,,", 10, [{ start: 1, end: 3 }]],
    ["bytes=4-5,20-30,1-2", 10, [{ start: 4, end: 6 }, { start: 1, end: 3 }]],
    ["bytes=10-", 10, []],
    ["bytes=-0", 10, []],
    ["bytes=99999999999999999999-", 10, []],
    // One member that is malformed has the field ignored, whatever the others say.
    ["bytes=5-4", 10, undefined],
    ["bytes=9007199254740993-9007199254740992", 10, undefined],
    ["bytes=0-1,5-4", 10, undefined],
    ["bytes=0-1,x", 10, undefined],
    ["bytes=-", 10, undefined],
    ["bytes=--1", 10, undefined],
    ["bytes=+1-2", 10, undefined],
    ["bytes=1 - 2", 10, undefined],
    ["bytes=1.0-2", 10, undefined],
    ["bytes=", 10, undefined],
    ["bytes=,", 10, undefined],
    ["bytes", 10, undefined],
    ["bytes =0-1", 10, undefined],
    ["lines=0-1", 10, undefined],
    ["", 10, undefined],
    ["bytes=0-", 0, undefined],
    ["bytes=0-9,0-9", 10, undefined],
    [`bytes=${"0-0,".repeat(101)}`, 1000, undefined],
  ];
  for (const [field, size, expected] of cases) {
    it(`makes ${JSON.stringify(expected)} of ${JSON.stringify(field.slice(0, 50))} and ${size} bytes`, () => {
      assertEquals(parseRange(field, size), expected);
    });
  }

  it("names the last byte, not the one after it, in Content-Range", () => {
    assertStrictEquals(contentRange({ start: 0, end: 5 }, 12), "bytes 0-4/12");
  });
});

describe("includesETag()", () => {
  const cases: [list: string, etag: string, strongly: boolean, weakly: boolean][] = [
    ['"a"', '"a"', true, true],
    ['"b", "a"', '"a"', true, true],
    ['"b","a"', '"a"', true, true],
    [',, "b" , "a"', '"a"', true, true],
    ['W/"a"', '"a"', false, true],
    ['"a"', 'W/"a"', false, true],
    ['W/"a"', 'W/"a"', false, true],
    ["*", '"a"', true, true],
    [" * ", 'W/"a"', true, true],
    ['"A"', '"a"', false, false],
    ['"ab"', '"a"', false, false],
    ["a", '"a"', false, false],
    ['"x,"a""', '"a"', false, false],
    ['"b" "a"', '"a"', false, false],
    ['w/"a"', '"a"', false, false],
    ["", '"a"', false, false],
    ['"a, b"', '"a, b"', false, false],
    ['"x,y", "a"', '"a"', true, true],
  ];
  for (const [list, etag, strongly, weakly] of cases) {
    it(`finds ${etag} in ${list || "nothing"}: strongly ${strongly}, weakly ${weakly}`, () => {
      assertStrictEquals(includesETag(list, etag, true), strongly);
      assertStrictEquals(includesETag(list, etag, false), weakly);
    });
  }
});

describe("parseHttpDate()", () => {
  it("reads back every second that toUTCString() writes", () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 253402300799 }), (second) => {
      assertStrictEquals(parseHttpDate(new Date(second * 1000).toUTCString()), second);
    }));
  });

  const cases: [text: string, seconds: number | undefined][] = [
    ["Sun, 06 Nov 1994 08:49:37 GMT", 784111777],
    ["Sunday, 06-Nov-94 08:49:37 GMT", 784111777],
    ["Sun Nov  6 08:49:37 1994", 784111777],
    ["Thu, 01 Jan 1970 00:00:00 GMT", 0],
    ["Sat, 31 Dec 2016 23:59:60 GMT", 1483228800],
    ["Thu, 29 Feb 2024 00:00:00 GMT", 1709164800],
    ["Wed, 29 Feb 2023 00:00:00 GMT", undefined],
    ["Sun, 06 Nov 1994 08:49:37 UTC", undefined],
    ["Sun, 06 Nov 1994 24:00:00 GMT", undefined],
    ["Sun, 06 Nov 1994 08:60:00 GMT", undefined],
    ["Sun, 6 Nov 1994 08:49:37 GMT", undefined],
    ["Sun, 06 Nov 1994 08:49:37 +0000", undefined],
    ["sun, 06 nov 1994 08:49:37 gmt", undefined],
    ["Sun, 06 Foo 1994 08:49:37 GMT", undefined],
    ["1994-11-06T08:49:37Z", undefined],
    ["784111777", undefined],
    ["", undefined],
  ];
  for (const [text, seconds] of cases) {
    it(`makes ${seconds} of ${JSON.stringify(text)}`, () => assertStrictEquals(parseHttpDate(text), seconds));
  }

  it("takes two digits for a year that is no more than 50 years ahead", () => {
    const now = new Date().getUTCFullYear();
    const digits = (year: number): string => String(year % 100).padStart(2, "0");
    for (const [year, read] of [[now, now], [now + 50, now + 50], [now + 51, now - 49]]) {
      const seconds = parseHttpDate(`Sunday, 06-Nov-${digits(year)} 08:49:37 GMT`);
      assert(seconds !== undefined);
      assertStrictEquals(new Date(seconds * 1000).getUTCFullYear(), read);
    }
  });
});

describe("preconditions", () => {
  const state = { etag: '"a"', modified: 784111777 };
  const same = "Sun, 06 Nov 1994 08:49:37 GMT";
  const before = "Sun, 06 Nov 1994 08:49:36 GMT";
  const cases: [fields: Record<string, string>, verdict: string][] = [
    [{}, "proceed"],
    [{ "if-match": '"a"' }, "proceed"],
    [{ "if-match": "*" }, "proceed"],
    [{ "if-match": '"b"' }, "failed"],
    [{ "if-match": 'W/"a"' }, "failed"],
    [{ "if-match": "nonsense" }, "failed"],
    [{ "if-unmodified-since": same }, "proceed"],
    [{ "if-unmodified-since": before }, "failed"],
    [{ "if-unmodified-since": "nonsense" }, "proceed"],
    // The tag is heeded alone, where there is one.
    [{ "if-match": '"a"', "if-unmodified-since": before }, "proceed"],
    [{ "if-none-match": '"a"' }, "not modified"],
    [{ "if-none-match": 'W/"a"' }, "not modified"],
    [{ "if-none-match": "*" }, "not modified"],
    [{ "if-none-match": '"b"' }, "proceed"],
    [{ "if-modified-since": same }, "not modified"],
    [{ "if-modified-since": before }, "proceed"],
    [{ "if-modified-since": "nonsense" }, "proceed"],
    [{ "if-none-match": '"b"', "if-modified-since": same }, "proceed"],
    // What was to be true comes before what was to be false.
    [{ "if-match": '"b"', "if-none-match": '"a"' }, "failed"],
    [{ "if-match": '"a"', "if-none-match": '"a"' }, "not modified"],
  ];
  for (const [fields, verdict] of cases) {
    it(`come to "${verdict}" for ${JSON.stringify(fields)}`, () => {
      assertStrictEquals(checkPreconditions(new Headers(fields), state), verdict);
    });
  }

  const ranges: [ifRange: string, etag: string, isCurrent: boolean][] = [
    ['"a"', '"a"', true],
    ['"b"', '"a"', false],
    ['W/"a"', 'W/"a"', false],
    [same, '"a"', true],
    [before, '"a"', false],
    ["Sun, 06 Nov 1994 08:49:38 GMT", '"a"', false],
    ["nonsense", '"a"', false],
  ];
  for (const [ifRange, etag, isCurrent] of ranges) {
    it(`heed a range with If-Range ${ifRange} of ${etag}: ${isCurrent}`, () => {
      assertStrictEquals(isRangeCurrent(new Headers({ "if-range": ifRange }), { ...state, etag }), isCurrent);
    });
  }

  it("heed no range by the date of what changed within this second", () => {
    const modified = Math.floor(Date.now() / 1000) + 1;
    const headers = new Headers({ "if-range": new Date(modified * 1000).toUTCString() });
    assertStrictEquals(isRangeCurrent(headers, { etag: '"a"', modified }), false);
  });
});

describe("Accept-Encoding", () => {
  const cases: [field: string | null, codings: string[]][] = [
    [null, []],
    ["", []],
    ["gzip, deflate, br", ["br", "gzip"]],
    ["gzip;q=1.0, br;q=0.5", ["gzip", "br"]],
    ["gzip;q=0, br", ["br"]],
    ["*", ["br", "gzip"]],
    ["*;q=0", []],
    ["br;q=0, *", ["gzip"]],
    ["x-gzip", ["gzip"]],
    ["GZIP ; Q=0.3", ["gzip"]],
    ["gzip;q=0.4, identity;q=0.9", []],
    ["gzip;q=nonsense", []],
    ["gzipped", []],
  ];
  for (const [field, codings] of cases) {
    it(`${JSON.stringify(field)} takes ${codings.join(", then ") || "nothing packed"}`, () => {
      assertEquals(acceptedPackings(field).map(({ coding }) => coding), codings);
    });
  }

  it("weighs a coding between 0 and 1", () => {
    fc.assert(fc.property(fc.string({ maxLength: 30 }), (field) => {
      const weight = encodingWeight(field, "gzip");
      assert(weight >= 0 && weight <= 1);
    }));
  });
});
