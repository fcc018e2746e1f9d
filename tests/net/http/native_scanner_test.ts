import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import process from "node:process";
import { NativeBuffer } from "../../../ffi/native_buffer.ts";
import { LONGEST_HOST, MOST_COPIED, MOST_FIELDS, WORD } from "../../../lib/jit/http_head_table.ts";
import { HttpError } from "../../../lib/net/http/error.ts";
import type { RequestHead } from "../../../lib/net/http/parse/head.ts";
import { HeadScanner } from "../../../lib/net/http/parse/head_scanner.ts";
import { type HttpLimits, resolveLimits } from "../../../lib/net/http/limits.ts";
import { NativeScanner, nativeScanner } from "../../../lib/net/http/parse/native_scanner.ts";
import { RequestParser } from "../../../lib/net/http/parse/parser.ts";
import { moduleUrl, outputOf } from "../../child.ts";
import { skipping } from "../../skip.ts";
import { tiered } from "../../tier.ts";
import { bytesOf, readRequests } from "./wire.ts";

const isOff = process.env.OXBOW_NATIVE === "0";
const skip = skipping(isOff ? "machine code is switched off by OXBOW_NATIVE=0" : false);
const LIMITS = resolveLimits();
const FROM = 5;

/** What a scanner says of a head: all but what it leaves from the head before. */
interface Found {
  end: number;
  words: number[];
  spans: number[];
}

function foundIn(words: Int32Array, end: number, spans: number[]): Found {
  const { seen, values } = WORD;
  const kept = [
    WORD.start,
    WORD.methodEnd,
    WORD.isGet,
    WORD.targetEnd,
    WORD.minor,
    WORD.fieldsStart,
    WORD.fields,
    seen,
    WORD.repeated,
  ].map((index) => words[index]);
  for (let i = 0; i < 5; i++) {
    if ((words[seen] & (1 << i)) !== 0) kept.push(words[values + 2 * i], words[values + 2 * i + 1]);
  }
  return { end, words: kept, spans };
}

/** What the scanner in TypeScript says of the first of `text`'s heads; a text for what it refuses. */
function byHand(text: string): Found | undefined | string {
  const bytes = bytesOf(text);
  const scanner = new HeadScanner(LIMITS);
  try {
    if (!scanner.scan(bytes, new DataView(bytes.buffer), 0, bytes.length)) return undefined;
  } catch (error) {
    if (!(error instanceof HttpError)) throw error;
    return error.message;
  }
  const words = new Int32Array(WORD.spans);
  scanner.tell(words);
  const spans = spansOf(text, words[WORD.fieldsStart]);
  assertStrictEquals(spans.length, 4 * words[WORD.fields]);
  return foundIn(words, scanner.end, spans);
}

/** Where the names and values are from `from` on, found by splitting. */
function spansOf(text: string, from: number): number[] {
  const spans: number[] = [];
  let at = from;
  for (const line of text.slice(from).split("\r\n")) {
    if (line === "") break;
    const name = line.slice(0, line.indexOf(":"));
    const rest = line.slice(name.length + 1);
    const value = rest.replace(/^[ \t]+/, "");
    const start = at + line.length - value.length;
    spans.push(at, at + name.length, start, start + value.replace(/[ \t]+$/, "").length);
    at += line.length + 2;
  }
  return spans;
}

let scanner: NativeScanner | undefined;
const buffer = isOff ? undefined : new NativeBuffer(1 << 16);

/** What the machine code says of it, where other bytes stand around it. */
function byMachine(text: string, around = "\r\n\r\n: x"): Found | undefined {
  if (buffer === undefined) throw new Error("machine code is switched off");
  scanner ??= new NativeScanner();
  const { bytes } = buffer;
  const end = FROM + text.length;
  for (let i = 0; i < FROM; i++) bytes[i] = around.charCodeAt(i % around.length);
  for (let i = 0; i < text.length; i++) bytes[FROM + i] = text.charCodeAt(i);
  for (let i = 0; i < 64; i++) bytes[end + i] = around.charCodeAt(i % around.length);
  const length = scanner.scan(buffer, bytes, FROM, end, LIMITS.headerCount);
  if (length === 0) return undefined;
  const { words } = scanner;
  return foundIn(words, length, [...words.subarray(WORD.spans, WORD.spans + 4 * words[WORD.fields])]);
}

/** A yes of the machine code must be the other's; where it says no, nothing is claimed. */
function agree(text: string, around?: string): boolean {
  const found = byMachine(text, around);
  if (found === undefined) return false;
  assertEquals(found, byHand(text));
  return true;
}

const token = fc.string({ unit: fc.constantFrom(..."!#$%&'*+-.^_`|~09AZaz"), minLength: 1, maxLength: 40 });
const name = fc.oneof(
  token,
  fc.constantFrom(
    ..."Host host HOST Hos7 Expect Connection coNNection Content-Length content-lengtH Transfer-Encoding"
      .split(" "),
  ),
  fc.constantFrom(..."Transfer_Encoding x-forwarded-for Sec-Fetch-Dest Accept H".split(" ")),
);
const value = fc.string({ unit: fc.constantFrom(...'aZ ,;="()/:\x80\xe9\xff~!'), maxLength: 50 });
const spaces = fc.string({ unit: fc.constant(" "), maxLength: 20 });
const head = fc.record({
  method: fc.oneof(fc.constantFrom("GET", "GE", "GETS", "POST", "DELETE"), token),
  target: fc.string({ unit: fc.constantFrom(..."abzAZ09-._~%:/?@!$&'()*+,;=|\"<>[]"), maxLength: 60 }),
  minor: fc.constantFrom(0, 1),
  fields: fc.array(fc.tuple(name, spaces, value, spaces), { maxLength: 12 }),
}).map(({ method, target, minor, fields }) =>
  `${method} /${target} HTTP/1.${minor}\r\n${
    fields.map(([name, before, value, after]) => `${name}:${before}${value}${after}\r\n`).join("")
  }\r\n`
);
const char = fc.oneof(
  fc.constantFrom(...'\r\n\t :\0\x7f\x1f#"/H1.'),
  fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
);
const runs = tiered({ quick: 1000, full: 100_000, soak: 1_000_000 });

describe("the scanner in machine code", { skip }, () => {
  it("knows every head that is plainly right, and finds in it what the other finds", () => {
    fc.assert(
      fc.property(head, fc.string({ unit: char, maxLength: 40 }), (text, rest) => {
        assert(agree(text), JSON.stringify(text));
        assert(agree(text + rest) || rest !== "", JSON.stringify(text));
        assertEquals(byMachine(text + rest), byMachine(text));
      }),
      { numRuns: runs },
    );
  });

  it("says yes to no head that the other would not, whichever bytes are others", () => {
    let known = 0;
    const mutation = fc.tuple(fc.nat(), fc.nat({ max: 2 }), fc.string({ unit: char, maxLength: 2 }));
    fc.assert(
      fc.property(head, fc.array(mutation, { minLength: 1, maxLength: 3 }), (text, mutations) => {
        let mutant = text;
        for (const [where, removed, added] of mutations) {
          const at = where % (mutant.length + 1);
          mutant = mutant.slice(0, at) + added + mutant.slice(at + removed);
        }
        if (agree(mutant)) known++;
      }),
      { numRuns: runs },
    );
    assert(known > 0);
  });

  it("says yes to no part of a head, whatever would complete it behind", () => {
    fc.assert(
      fc.property(head, (text) => {
        for (let length = 0; length < text.length; length++) {
          const part = text.slice(0, length);
          assertEquals(byMachine(part, text.slice(length)), undefined);
          assertEquals(byMachine(part), undefined);
        }
      }),
      { numRuns: runs / 100 },
    );
  });

  it("finds in lines that came before what it finds in new ones", () => {
    const lines = fc.array(fc.tuple(name, spaces, value, spaces), { minLength: 1, maxLength: 8 });
    const changes = fc.array(
      fc.record({ at: fc.nat(), line: fc.option(lines), target: token, minor: fc.nat({ max: 1 }) }),
    );
    fc.assert(
      fc.property(lines, changes, (first, changes) => {
        let fields = first;
        for (const { at, line, target, minor } of changes) {
          // Some lines in the place of others, or none, or all as they were.
          const where = at % (fields.length + 1);
          fields = line === null ? fields : fields.toSpliced(where, at % 3, ...line);
          const text = `GET /${target.replaceAll("#", "")} HTTP/1.${minor}\r\n${
            fields.map(([name, before, value, after]) => `${name}:${before}${value}${after}\r\n`).join("")
          }\r\n`;
          assert(agree(text) || fields.length > LIMITS.headerCount, JSON.stringify(text));
          if (at % 5 === 0) assertEquals(byMachine(text.slice(0, -1 - at % text.length), text), undefined);
        }
      }),
      { numRuns: runs },
    );
  });

  it("looks at each byte of a line", () => {
    const text =
      "GET /abc HTTP/1.1\r\nHost: a.example\r\nX-Name-Of-Eighteen: some value here, longer\r\n\r\n";
    let refused = 0;
    for (let at = 0; at < text.length; at++) {
      for (let code = 0; code < 256; code++) {
        const mutant = text.slice(0, at) + String.fromCharCode(code) + text.slice(at + 1);
        if (!agree(mutant)) refused++;
      }
    }
    assert(refused > text.length * 10);
  });

  it("leaves heads of too many fields, and those that only the other knows", () => {
    const withFields = (count: number): string => `GET / HTTP/1.1\r\n${"A: b\r\n".repeat(count)}\r\n`;
    assert(agree(withFields(100)));
    assert(!agree(withFields(101)));
    const scanner = new NativeScanner();
    const large = new NativeBuffer(4096);
    const text = withFields(MOST_FIELDS + 1);
    large.bytes.set(bytesOf(text));
    assertStrictEquals(scanner.scan(large, large.bytes, 0, text.length, 1000), 0);
    for (
      const odd of [
        "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost:\ta\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
      ]
    ) {
      assert(!agree(odd));
      assert(typeof byHand(odd) === "object");
    }
  });

  it("is asked for no memory that was transferred away", () => {
    const gone = new NativeBuffer(64);
    const text = "GET / HTTP/1.1\r\n\r\n";
    gone.bytes.set(bytesOf(text));
    const scanner = new NativeScanner();
    assertStrictEquals(scanner.scan(gone, gone.bytes, 0, text.length, 100), text.length);
    gone.bytes.buffer.transfer();
    assertStrictEquals(scanner.scan(gone, gone.bytes, 0, text.length, 100), 0);
  });

  it("reads nothing beyond the bytes, nor before them, where the next page is not there", () => {
    const source = `
      import { dlopen, struct } from "${moduleUrl("ffi/mod.ts")}";
      import { NativeBuffer } from "${moduleUrl("ffi/native_buffer.ts")}";
      import { httpHead } from "${moduleUrl("lib/jit/assembled.ts")}";
      import { openLibrary } from "${moduleUrl("lib/jit/library.ts")}";
      import { AT, MOST_COPIED, TABLE_BYTES, VECTORS, WORD } from "${
      moduleUrl("lib/jit/http_head_table.ts")
    }";
      import { CLASSES, TOKEN } from "${moduleUrl("lib/net/http/parse/chars.ts")}";

      const PAGE = 4096;
      const [NONE, READ_WRITE, PRIVATE_ANONYMOUS] = [0, 3, 0x22];
      const libc = dlopen(["libc.so.6"], {
        mmap: { parameters: ["usize", "usize", "i32", "i32", "i32", "usize"], result: "pointer" },
        mprotect: { parameters: ["pointer", "usize", "i32"], result: "i32" },
        memcpy: { parameters: ["pointer", "buffer", "usize"], result: "pointer" },
      });
      const { symbols } = openLibrary({ functions: { http_head: httpHead } }, {
        http_head: { parameters: ["pointer", "u32", "u32"], result: "u32" },
      });
      const table = new NativeBuffer(TABLE_BYTES);
      const words = new Int32Array(table.bytes.buffer);
      words[WORD.mostFields] = 100;
      for (const [i, value] of VECTORS.entries()) table.bytes.fill(value, AT.vectors + 16 * i, AT.vectors + 16 * i + 16);
      for (let i = 0; i < 256; i++) table.bytes[AT.tokens + i] = CLASSES[i] & TOKEN;
      const at = NativeBuffer.range(table, 0, TABLE_BYTES);
      const cell = struct({ address: "pointer" }).view(table.bytes, AT.address);

      // Three pages, of which the middle one is there.
      const mapped = libc.symbols.mmap(0, 3 * PAGE, READ_WRITE, PRIVATE_ANONYMOUS, -1, 0);
      cell.address = mapped;
      const middle = typeof mapped === "bigint" ? mapped + BigInt(PAGE) : mapped + PAGE;
      const last = typeof mapped === "bigint" ? mapped + BigInt(2 * PAGE) : mapped + 2 * PAGE;
      if (libc.symbols.mprotect(mapped, PAGE, NONE) + libc.symbols.mprotect(last, PAGE, NONE) !== 0) throw new Error();
      const page = new Uint8Array(PAGE);
      let whole = 0;
      for (const text of [
        "GET / HTTP/1.0\\r\\n\\r\\n",
        "POST /some/longer/target?with=a&query HTTP/1.1\\r\\nHost: a.example\\r\\nContent-Length: 10\\r\\n" +
          "X_Odd.Name-Of-Thirty-Six-Characters!: and a value\\r\\nEmpty:\\r\\nTransfer-Encoding: chunked   \\r\\n\\r\\n",
      ]) {
        const bytes = new TextEncoder().encode(text);
        for (let length = 0; length <= bytes.length; length++) {
          for (const from of [0, PAGE - length]) {
            page.fill(0x61);
            page.set(bytes.subarray(0, length), from);
            libc.symbols.memcpy(middle, page, PAGE);
            table.bytes.fill(0, AT.heads, AT.heads + MOST_COPIED);
            words[WORD.rememberedLength] = 16 + length % 64;
            const found = symbols.http_head(at, PAGE + from, PAGE + from + length);
            if (found !== (length === bytes.length ? length : 0)) throw new Error(\`\${found} of \${length}\`);
            if (found > 0) whole++;
          }
        }
      }
      console.log(whole);
    `;
    assertEquals(outputOf(source), "4");
  });

  it("tells the known host from every other", () => {
    const parser = new RequestParser();
    const received = new NativeBuffer(1024);
    const hosts = [
      "a.example:8000",
      "a.example:8001",
      "b.example:8000",
      "x",
      "a.example.example.example:80",
      "x",
    ];
    hosts.push(`${"long.".repeat(LONGEST_HOST / 5)}example`, "a.example", "a.example:8000", "a.example:8000");
    for (const host of [...hosts, ...hosts]) {
      const text = `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
      received.bytes.set(bytesOf(text));
      parser.feed(received, 0, text.length);
      assertEquals(parser.next()?.url("http://local"), new URL(`http://${host}/`).href);
      assertStrictEquals(parser.read(), null);
    }
  });
});

const REQUEST = "GET /path?q=1 HTTP/1.1\r\nHost: a.example\r\nAccept: */*\r\nCookie: secret\r\n\r\n";

/** The head of `text`, read from a buffer in which more follows. */
function received(text: string, limits?: HttpLimits): RequestHead | undefined {
  if (buffer === undefined) throw new Error("machine code is switched off");
  buffer.bytes.set(bytesOf(text));
  const parser = new RequestParser(limits);
  parser.feed(buffer, 0, text.length);
  return parser.next();
}

describe("a head that comes again", { skip }, () => {
  it("is the same one, on other connections too, until another comes", () => {
    for (const text of [REQUEST, "GET / HTTP/1.0\r\n\r\n", "GET /1 HTTP/1.0\r\n\r\n"]) {
      const head = received(text);
      assertStrictEquals(received(text + REQUEST), head);
      assertStrictEquals(received(text, { body: 128 * 1024 * 1024 }), head);
      assertStrictEquals(received(text.slice(0, -1)), undefined);
      assertStrictEquals(received(text), head);
      assert(received("GET /other HTTP/1.1\r\nHost: a\r\n\r\n") !== head);
      assert(received(text) !== head);
    }
    const long = `GET /${"x".repeat(MOST_COPIED)} HTTP/1.1\r\nHost: a\r\n\r\n`;
    assert(received(long) !== received(long));
    assertEquals(received(long)?.get("host"), "a");
  });

  it("is none where the bytes were transferred away", () => {
    const own = new NativeBuffer(256);
    const parser = new RequestParser();
    for (let i = 0; i < 3; i++) {
      own.bytes.set(bytesOf(REQUEST));
      parser.feed(own, 0, REQUEST.length);
      assertEquals(parser.next()?.target, "/path?q=1");
    }
    parser.feed(own, 0, REQUEST.length);
    own.bytes.buffer.transfer();
    assertThrows(() => parser.next(), TypeError);
  });

  it("is another within other limits", () => {
    for (
      const [limits, status] of [[{ headerCount: 2 }, 431], [{ requestLine: 10 }, 414], [{ headers: 9 }, 431]]
    ) {
      received(REQUEST);
      assertEquals(readRequests([bytesOf(REQUEST)], Object(limits)).status, status);
    }
    const upload = "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n";
    assertEquals(received(upload)?.contentLength, 5);
    assertThrows(() => received(upload, { body: 4 }), HttpError, "4 bytes");
    assertEquals(received(upload)?.contentLength, 5);
  });

  it("has none of its fields taken for those of one in which a byte is another", () => {
    fc.assert(fc.property(
      fc.nat({ max: REQUEST.length - 1 }),
      fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
      fc.boolean(),
      (at, char, isPiped) => {
        const mutant = `${REQUEST.slice(0, at)}${char}${REQUEST.slice(at + 1)}`;
        const texts = isPiped ? [REQUEST + REQUEST + mutant + REQUEST] : [REQUEST, mutant, REQUEST];
        // Which has both scanners read it.
        const { requests } = readRequests(texts.map(bytesOf));
        assertEquals(requests[0].fields.length, 3);
      },
    ));
  });
});

describe("fields that come again", { skip }, () => {
  const upload = (target: string): string =>
    `PUT /${target} HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\nX-Id: 1\r\n\r\n`;

  it("are shared by heads of other targets, of this version alone", () => {
    const one = received(upload("one"));
    const other = received(upload("another"));
    assert(one !== undefined && other !== undefined && one !== other);
    assertStrictEquals(other.fields, one.fields);
    assertEquals([one.target, other.target], ["/one", "/another"]);
    assertEquals(other.get("x-id"), "1");
    const old = received(upload("another").replace("HTTP/1.1", "HTTP/1.0"));
    assert(old !== undefined && old.fields !== one.fields);
    assertEquals([one.keepAlive, old.keepAlive], [true, false]);
    assertEquals(received(upload("last"))?.keepAlive, true);
  });

  it("are not taken for those of a head that was refused", () => {
    const fields = ["Host: a", "Host: a\r\nX: 1", "Host: a\r\nHost: a", "Host: a\r\nContent-Length: x"];
    for (const limits of [undefined, { headers: 2 }, { requestLine: 4 }]) {
      for (const last of fields) {
        for (const next of fields) {
          received("GET /1 HTTP/1.1\r\nHost: b\r\n\r\n");
          try {
            received(`GET / HTTP/1.1\r\n${last}\r\n\r\n`, limits);
          } catch (error) {
            assert(error instanceof HttpError);
          }
          const text = `GET /2 HTTP/1.1\r\n${next}\r\n\r\n`;
          const by = readRequests([bytesOf(text)]);
          if (by.status !== 0) assertThrows(() => received(text), HttpError);
          else assertEquals(received(text)?.rawFields(), next.split(/: |\r\n/));
        }
      }
    }
    received(upload("one"));
    assertThrows(() => received(upload("two"), { body: 4 }), HttpError, "4 bytes");
    assertEquals(received(upload("three"))?.contentLength, 5);
  });

  it("are read right whichever lines are others, and whenever they are asked for", () => {
    const line = fc.tuple(token, fc.string({ unit: fc.constantFrom(..."ab, =;\xe9"), maxLength: 40 }))
      .map(([name, value]) => [`X${name}`, value.trim()]);
    const change = fc.record({
      at: fc.nat({ max: 11 }),
      line,
      isAsked: fc.boolean(),
      name: fc.nat({ max: 11 }),
    });
    fc.assert(
      fc.property(
        fc.array(line, { minLength: 12, maxLength: 12 }),
        fc.array(change, { maxLength: 60 }),
        (lines, changes) => {
          const kept: [RequestHead, string[][]][] = [];
          let fields = lines;
          for (const { at, line, isAsked, name } of changes) {
            fields = fields.with(at, line);
            const all = [["Host", "a"], ...fields];
            const head = received(
              `GET /${name} HTTP/1.1\r\n${all.map(([n, v]) => `${n}: ${v}\r\n`).join("")}\r\n`,
            );
            assert(head !== undefined);
            const asked = fields[name][0].toLowerCase();
            const values = fields.filter(([name]) => name.toLowerCase() === asked).map(([, value]) => value);
            if (isAsked) assertEquals(head.get(asked), values.join(", "));
            if (isAsked && at % 2 === 0) assertEquals(head.rawFields(), all.flat());
            kept.push([head, all]);
          }
          for (const [head, all] of kept) assertEquals(head.rawFields(), all.flat());
        },
      ),
      { numRuns: tiered({ quick: 100, full: 5000, soak: 50_000 }) },
    );
  });
});

describe("heads", () => {
  it("find their fields again after others were read, and after their bytes were overwritten", () => {
    const parser = new RequestParser();
    const text = (i: number): string =>
      `GET /${i} HTTP/1.1\r\nHost: a\r\n${"X-Many:  v  \r\n".repeat(90)}X-I:\t${i} \r\nEmpty: \r\n\r\n`;
    const bytes = bytesOf([1, 2, 3].map(text).join(""));
    const received = isOff ? undefined : new NativeBuffer(bytes.length);
    received?.bytes.set(bytes);
    if (received === undefined) parser.feed(bytes);
    else parser.feed(received, 0, bytes.length);
    const heads = [1, 2, 3].map(() => {
      const head = parser.next();
      assertStrictEquals(parser.read(), null);
      return head;
    });
    (received?.bytes ?? bytes).fill(0);
    for (const i of [1, 3, 2, 3]) {
      const head = heads[i - 1];
      assertEquals(head?.target, `/${i}`);
      assertEquals(head?.get("x-i"), String(i));
      assertEquals(head?.get("empty"), "");
      assertEquals(head?.get("x-many"), Array(90).fill("v").join(", "));
      assertEquals(head?.rawFields().slice(-4), ["X-I", String(i), "Empty", ""]);
    }
  });

  it("are read without machine code where it is switched off", () => {
    const source = `
      import { nativeScanner } from "${moduleUrl("lib/net/http/parse/native_scanner.ts")}";
      import { RequestParser } from "${moduleUrl("lib/net/http/parse/parser.ts")}";
      const parser = new RequestParser();
      parser.feed(new TextEncoder().encode("GET /a HTTP/1.1\\r\\nHost: b\\r\\n\\r\\n"));
      console.log(nativeScanner(), parser.next().get("host"));
    `;
    assertEquals(outputOf(source, { before: "export OXBOW_NATIVE=0" }), "null b");
    if (!isOff) assert(nativeScanner() !== null);
  });
});
