import { describe, it } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  AnyDelimiterCodec,
  ByteQueue,
  BytesCodec,
  type Decoder,
  Incomplete,
  InvalidTextError,
  LimitExceededError,
  LinesCodec,
} from "../../../lib/net/async_io.ts";
import { bytesOf, cut, textOf } from "./scripted.ts";

/** A codec with its bytes, told step by step. */
class Bench<T> {
  readonly bytes = new ByteQueue();
  #codec: Decoder<T>;

  constructor(codec: Decoder<T>) {
    this.#codec = codec;
  }

  put(text: string | Uint8Array): this {
    this.bytes.push(typeof text === "string" ? bytesOf(text) : text);
    return this;
  }

  next(): T | Incomplete {
    return this.#codec.decode(this.bytes);
  }

  last(): T | Incomplete {
    return this.#codec.decodeEnd?.(this.bytes) ?? Incomplete;
  }
}

function fails(call: () => unknown): void {
  assertThrows(call, LimitExceededError);
}

describe("a codec of bytes", () => {
  it("gives what there is, and writes what it is given", () => {
    const bench = new Bench(new BytesCodec());
    assertEquals(bench.next(), Incomplete);
    const got = bench.put("ab").put("c").next();
    assertEquals([got === Incomplete ? "" : textOf(got), bench.next()], ["abc", Incomplete]);
    const out = new ByteQueue();
    new BytesCodec().encode(bytesOf("xy"), out);
    assertEquals(textOf(out.view()), "xy");
    assertThrows(
      () => Reflect.apply(BytesCodec.prototype.encode, null, ["a", out]),
      TypeError,
      "frame is no",
    );
  });
});

describe("a codec of lines", () => {
  it("gives lines without their ends, and the last without one", () => {
    const bench = new Bench(new LinesCodec()).put("line 1\nline 2\r\nline 3\n\r\n\r");
    const got = [bench.next(), bench.next(), bench.next(), bench.next(), bench.next(), bench.last()];
    assertEquals(got, ["line 1", "line 2", "line 3", "", Incomplete, Incomplete]);
    bench.put("k");
    assertEquals([bench.next(), bench.last(), bench.next(), bench.last()], [
      Incomplete,
      "\rk",
      Incomplete,
      Incomplete,
    ]);
  });

  it("takes a line that is no UTF-8, and goes on behind it", () => {
    const bench = new Bench(new LinesCodec()).put(Uint8Array.of(108, 0xc3, 0x28));
    assertEquals(bench.next(), Incomplete);
    assertThrows(() => bench.last(), InvalidTextError);
    assertEquals(bench.last(), Incomplete);
    assertEquals(bench.put("line 2\n").next(), "line 2");
  });

  it("refuses a line that is too long, drops all of it and goes on behind it", () => {
    const bench = new Bench(new LinesCodec({ maxLength: 6 }))
      .put("line 1 is too long\nline 2\nline 3\r\nline 4\n\r\n\r");
    fails(() => bench.next());
    assertEquals(bench.next(), "line 2");
    fails(() => bench.next());
    assertEquals([bench.next(), bench.next(), bench.next(), bench.last()], [
      "line 4",
      "",
      Incomplete,
      Incomplete,
    ]);
    assertEquals([bench.put("k").next(), bench.last(), bench.last()], [Incomplete, "\rk", Incomplete]);
    fails(() => bench.put("aaabbbc").next());
  });

  it("tells of a long line once, however much of it comes and in what pieces", () => {
    const bench = new Bench(new LinesCodec({ maxLength: 6 }));
    assertEquals(bench.put("line ").next(), Incomplete);
    fails(() => bench.put("too l").next());
    assertEquals(bench.put("ong\n").next(), Incomplete);
    assertEquals(bench.put("line 2").next(), Incomplete);
    assertEquals(bench.put("\n").next(), "line 2");

    const twice = new Bench(new LinesCodec({ maxLength: 11 }));
    assertEquals(twice.put("line ").next(), Incomplete);
    fails(() => twice.put("too very l").next());
    assertEquals(twice.put("aaaaaaaaaaaaaaaaaaaaaaa").next(), Incomplete);
    assertEquals(twice.bytes.length, 0);
    assertEquals(twice.put("ong\nshort\n").next(), "short");

    const repeated = new Bench(new LinesCodec({ maxLength: 1 }));
    fails(() => repeated.put("aa").next());
    assertEquals(repeated.put("a").next(), Incomplete);
  });

  it("finds a long line whose end comes with too much of it", () => {
    const bursts = new Bench(new LinesCodec({ maxLength: 10 }));
    assertEquals([bursts.put("line ").next(), bursts.put("too l").next()], [Incomplete, Incomplete]);
    fails(() => bursts.put("ong\n").next());
    const burst = new Bench(new LinesCodec({ maxLength: 10 }));
    assertEquals(burst.put("line ").next(), Incomplete);
    fails(() => burst.put("too long!\n").next());
  });

  it("takes a line of just the limit whose end comes later", () => {
    const bench = new Bench(new LinesCodec({ maxLength: 5 }));
    assertEquals([bench.put("hello").next(), bench.put("\nworld").next()], [Incomplete, "hello"]);
  });

  it("writes a line and its end", () => {
    const out = new ByteQueue(1);
    const codec = new LinesCodec();
    codec.encode("line 🐂", out);
    codec.encode("", out);
    assertEquals(textOf(out.view()), "line 🐂\n\n");
    assertThrows(() => Reflect.apply(codec.encode, codec, [1, out]), TypeError, "it is 1, and no string");
  });

  it("refuses wrong options by name", () => {
    assertThrows(() => new LinesCodec({ maxLength: -1 }), RangeError, "maxLength is -1");
    assertThrows(() => Reflect.construct(LinesCodec, [{ limit: 1 }]), TypeError, 'no option "limit"');
  });

  it("gives what split would, wherever it is cut, and says of each line that is too long", () => {
    const parts = fc.array(fc.oneof(fc.constantFrom("\n", "\r\n"), fc.string({ maxLength: 9 })), {
      maxLength: 30,
    });
    fc.assert(fc.property(
      parts,
      fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 4 }),
      fc.nat(8),
      (parts, cuts, maxLength) => {
        const bytes = bytesOf(parts.join("").replaceAll("\r", "\r\n").replaceAll("\r\n\n", "\r\n"));
        const bench = new Bench(new LinesCodec({ maxLength }));
        const got: string[] = [];
        function drain(call: () => string | Incomplete): void {
          for (;;) {
            try {
              const line = call();
              if (line === Incomplete) return;
              got.push(line);
            } catch (error) {
              if (!(error instanceof LimitExceededError)) throw error;
              got.push("too long");
            }
          }
        }
        for (const piece of cut(bytes, cuts)) {
          bench.put(piece);
          drain(() => bench.next());
        }
        drain(() => bench.last());
        const lines = textOf(bytes).split("\n");
        const last = lines.pop() ?? "";
        const wanted = lines.map((line) =>
          bytesOf(line).length > maxLength ? "too long" : line.replace(/\r$/, "")
        );
        if (last !== "" && last !== "\r") {
          wanted.push(bytesOf(last).length > maxLength ? "too long" : last.replace(/\r$/, ""));
        }
        assertEquals(got, wanted);
      },
    ));
  });

  it("looks at each byte once", () => {
    const bench = new Bench(new LinesCodec());
    const { indexOf } = ByteQueue.prototype;
    let looked = 0;
    ByteQueue.prototype.indexOf = function (byte: number, from = 0): number {
      looked += this.length - from;
      return Reflect.apply(indexOf, this, [byte, from]);
    };
    try {
      for (let i = 0; i < 1000; i++) assertEquals(bench.put("abcdefghij").next(), Incomplete);
    } finally {
      ByteQueue.prototype.indexOf = indexOf;
    }
    assertEquals(looked, 10_000);
  });
});

describe("a codec of any delimiter", () => {
  function codec(maxLength?: number): AnyDelimiterCodec {
    const options = maxLength === undefined ? {} : { maxLength };
    return new AnyDelimiterCodec(bytesOf(",;\n\r"), bytesOf(";--;"), options);
  }

  function text(frame: Uint8Array | symbol): string | null {
    return typeof frame === "symbol" ? null : textOf(frame);
  }

  it("cuts at each of its bytes, and gives the last frame without one", () => {
    const bench = new Bench(codec()).put("chunk 1,chunk 2;chunk 3\n\r");
    const got = [bench.next(), bench.next(), bench.next(), bench.next(), bench.next(), bench.last()].map(
      text,
    );
    assertEquals(got, ["chunk 1", "chunk 2", "chunk 3", "", null, null]);
    assertEquals([text(bench.put("k").next()), text(bench.last()), text(bench.last())], [null, "k", null]);
  });

  it("refuses a frame that is too long, and goes on behind it", () => {
    const bench = new Bench(codec(7)).put("chunk 1 is too long\nchunk 2\nchunk 33\nchunk 4\n");
    fails(() => bench.next());
    assertEquals(text(bench.next()), "chunk 2");
    fails(() => bench.next());
    assertEquals([text(bench.next()), text(bench.next())], ["chunk 4", null]);

    const pieces = new Bench(codec(6));
    assertEquals(text(pieces.put("chunk ").next()), null);
    fails(() => pieces.put("too l").next());
    assertEquals(text(pieces.put("ong").next()), null);
    assertEquals(text(pieces.put(",ok;").next()), "ok");

    const later = new Bench(codec(5));
    assertEquals([text(later.put("hello").next()), text(later.put(",world").next())], [null, "hello"]);
    const burst = new Bench(codec(10));
    assertEquals(text(burst.put("chunk ").next()), null);
    fails(() => burst.put("too long!,").next());
    const repeated = new Bench(codec(1));
    fails(() => repeated.put("aa").next());
    assertEquals(text(repeated.put("a").next()), null);
  });

  it("writes a frame and its sequence", () => {
    const out = new ByteQueue();
    codec().encode(bytesOf("chunk"), out);
    codec().encode(bytesOf(""), out);
    assertEquals(textOf(out.view()), "chunk;--;;--;");
  });

  it("takes one delimiter, and refuses none", () => {
    const bench = new Bench(new AnyDelimiterCodec(bytesOf(","), bytesOf(","))).put("a,b");
    assertEquals([text(bench.next()), text(bench.next()), text(bench.last())], ["a", null, "b"]);
    assertThrows(
      () => new AnyDelimiterCodec(bytesOf(""), bytesOf(",")),
      RangeError,
      "there are no delimiters",
    );
    assertThrows(
      () => Reflect.construct(AnyDelimiterCodec, [",", ","]),
      TypeError,
      "delimiters is no Uint8Array",
    );
  });
});
