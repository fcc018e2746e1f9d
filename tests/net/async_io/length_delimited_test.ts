import { describe, it } from "node:test";
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  ByteQueue,
  FramedRead,
  FramedWrite,
  InvalidFrameError,
  LengthDelimitedCodec,
  type LengthDelimitedOptions,
  LimitExceededError,
  UnfinishedFrameError,
  WriteZeroError,
} from "../../../lib/net/async_io.ts";
import { run } from "../../../lib/task/mod.ts";
import { Probe } from "../../task/probe.ts";
import {
  bytesOf,
  cut,
  FlushedWriter,
  ScriptedReader,
  ScriptedWriter,
  type Step,
  textOf,
} from "./scripted.ts";

/** The frames of what comes in these steps, as texts. */
async function read(options: LengthDelimitedOptions, ...steps: Step[]): Promise<string[]> {
  const frames = new FramedRead(new ScriptedReader(...steps), new LengthDelimitedCodec(options));
  return (await run(() => frames.collect())).map(textOf);
}

/** What is written of these frames, as a text. */
async function write(options: LengthDelimitedOptions, ...frames: string[]): Promise<string> {
  const writer = new ScriptedWriter();
  const framed = new FramedWrite(writer, new LengthDelimitedCodec(options));
  await run(async () => {
    for (const frame of frames) await framed.send(bytesOf(frame));
  });
  return writer.text;
}

const NINE = "\0\0\0\x09abcdefghi";
const THREE = "\0\0\0\x03123";
const ELEVEN = "\0\0\0\x0bhello world";

describe("frames behind their length", () => {
  it("are read from one packet or many", async () => {
    assertEquals(await read({}), []);
    assertEquals(await read({}, NINE), ["abcdefghi"]);
    assertEquals(await read({}, NINE + THREE + ELEVEN), ["abcdefghi", "123", "hello world"]);
    assertEquals(await read({}, "\0\0", "\0\x09abc", "defghi"), ["abcdefghi"]);
    assertEquals(
      await read({}, "\0\0", "\0\x09abc", "defghi", "\0\0\0\x03123\0\0\0", "\x0bhello world"),
      ["abcdefghi", "123", "hello world"],
    );
    assertEquals(
      await read({}, "\0\0", "yield", "\0\x09abc", "yield", "defghi", "yield", "\0\0\0\x00", "yield"),
      ["abcdefghi", ""],
    );
  });

  it("have a length of any size and either order, anywhere in the head", async () => {
    assertEquals(await read({ bigEndian: false }, "\x09\0\0\0abcdefghi"), ["abcdefghi"]);
    assertEquals(await read({ lengthFieldLength: 1 }, "\x09abcdefghi"), ["abcdefghi"]);
    assertEquals(await read({ lengthFieldLength: 2, offset: 4 }, "zzzz\0\x09abcdefghi"), ["abcdefghi"]);
    assertEquals(
      await read(
        { lengthFieldLength: 2, offset: 2, numSkip: 0, adjustment: 4 },
        "xx\0\x09abcdefghiyy\0\x03123",
      ),
      ["xx\0\x09abcdefghi", "yy\0\x03123"],
    );
    assertEquals(await read({ lengthFieldLength: 3, numSkip: 4 }, "\0\0\x0b\x0cHello world"), [
      "Hello world",
    ]);
    assertEquals(
      await read({ lengthFieldLength: 2, adjustment: -2 }, "\0\x0babcdefghi\0\x05123\0\x0dhello world"),
      ["abcdefghi", "123", "hello world"],
    );
  });

  it("fail where the end comes in a head or in a frame", async () => {
    for (const steps of [["\0\0"], ["\0", "\0"], ["\0\0\0\x09ab", "cd"], ["\0\0\0\x09"]]) {
      await assertRejects(() => read({}, ...steps), UnfinishedFrameError, "the end came after");
    }
  });

  it("fail at a length that is too large, before anything else is waited for", async () => {
    await assertRejects(
      () => read({ maxFrameLength: 5 }, NINE),
      LimitExceededError,
      "a frame is longer than 5",
    );
    const reader = new ScriptedReader(
      "\xff",
      Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
      "wait",
    );
    const huge = new FramedRead(reader, new LengthDelimitedCodec({ lengthFieldLength: 8 }));
    assertThrows(() => new Probe().poll(huge.next()), LimitExceededError);
    await assertRejects(() => read({ adjustment: -10 }, NINE), InvalidFrameError, "less than none");
    assertEquals(await read({ maxFrameLength: 9, adjustment: -2 }, "\0\0\0\x0babcdefghi"), ["abcdefghi"]);
  });

  it("keep to a limit that changes, but for the one whose head was read", () => {
    const codec = new LengthDelimitedCodec();
    const reader = new ScriptedReader("\0\0\0\x09abcd", "wait", "efghi", NINE);
    const frames = new FramedRead(reader, codec);
    const probe = new Probe();
    const first = frames.next();
    probe.poll(first);
    first.drop();
    codec.setMaxFrameLength(5);
    const frame = probe.poll(frames.next());
    assertEquals(frame instanceof Uint8Array && textOf(frame), "abcdefghi");
    assertThrows(() => probe.poll(frames.next()), LimitExceededError);
    const rest = new LengthDelimitedCodec();
    rest.setMaxFrameLength(5);
    assertThrows(() => rest.encode(bytesOf("abcdef"), new ByteQueue()), LimitExceededError);
  });

  it("are written behind their length", async () => {
    assertEquals(await write({}), "");
    assertEquals(await write({}, "abcdefghi"), NINE);
    assertEquals(await write({}, "abcdefghi", "123", "hello world"), NINE + THREE + ELEVEN);
    assertEquals(await write({ bigEndian: false }, "abcdefghi"), "\x09\0\0\0abcdefghi");
    assertEquals(await write({ lengthFieldLength: 1 }, "abcdefghi"), "\x09abcdefghi");
    assertEquals(await write({ adjustment: -2 }, "abcdefghi"), "\0\0\0\x0babcdefghi");
    await assertRejects(() => write({ maxFrameLength: 5 }, "abcdef"), LimitExceededError);
    await assertRejects(() => write({ adjustment: 5 }, "abc"), InvalidFrameError, "has no length");
  });

  it("are written on where the writer waited or took a part", async () => {
    const writer = new FlushedWriter("yield", 2, "yield", 2, 9);
    const framed = new FramedWrite(writer, new LengthDelimitedCodec());
    await run(() => framed.send(bytesOf("abcdefghi")));
    assertEquals([writer.text, writer.flushes, framed.writeBuffered.byteLength], [NINE, 1, 0]);
    const none = new FramedWrite(new ScriptedWriter(0), new LengthDelimitedCodec());
    await assertRejects(() => run(() => none.send(bytesOf("a"))), WriteZeroError);
  });

  it("are never longer than their length can say", () => {
    for (const [adjustment, limit] of [[-1, 254], [0, 255], [1, 256]]) {
      const codec = new LengthDelimitedCodec({ lengthFieldLength: 1, adjustment });
      assertEquals(codec.maxFrameLength, limit);
      codec.setMaxFrameLength(1000);
      assertEquals(codec.maxFrameLength, limit);
      const out = new ByteQueue();
      codec.encode(new Uint8Array(limit), out);
      assertEquals(out.at(0), 255);
      assertThrows(() => codec.encode(new Uint8Array(limit + 1), out), LimitExceededError);
    }
    assertEquals(new LengthDelimitedCodec({ lengthFieldLength: 8, maxFrameLength: 10 }).maxFrameLength, 10);
    const large = new LengthDelimitedCodec({ lengthFieldLength: 8, maxFrameLength: Number.MAX_SAFE_INTEGER });
    assertEquals(large.maxFrameLength, Number.MAX_SAFE_INTEGER);
  });

  it("refuse wrong options by name", () => {
    for (
      const [options, message] of [
        [{ lengthFieldLength: 0 }, "lengthFieldLength is 0"],
        [{ lengthFieldLength: 9 }, "lengthFieldLength is 9"],
        [{ offset: -1 }, "offset is -1"],
        [{ adjustment: 0.5 }, "adjustment is 0.5"],
        [{ numSkip: -1 }, "numSkip is -1"],
        [{ maxFrameLength: -1 }, "maxFrameLength is -1"],
      ] as const
    ) {
      assertThrows(() => new LengthDelimitedCodec(options), RangeError, message);
    }
    assertThrows(
      () => Reflect.construct(LengthDelimitedCodec, [{ bigEndian: 1 }]),
      TypeError,
      "bigEndian is 1",
    );
    assertThrows(
      () => Reflect.construct(LengthDelimitedCodec, [{ length: 1 }]),
      TypeError,
      'no option "length"',
    );
  });

  it("come as they went, whatever the options and wherever they are cut", async () => {
    const options = fc.record({
      lengthFieldLength: fc.integer({ min: 1, max: 8 }),
      bigEndian: fc.boolean(),
      adjustment: fc.integer({ min: -8, max: 0 }),
    });
    await run(() =>
      fc.assert(fc.asyncProperty(
        options,
        fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 100 }), { maxLength: 4 }),
        async (options, frames, cuts) => {
          const writer = new ScriptedWriter();
          const out = new FramedWrite(writer, new LengthDelimitedCodec(options));
          for (const frame of frames) await out.feed(frame);
          await out.flush();
          const bytes = Uint8Array.from(writer.taken.flatMap((part) => [...part]));
          const reader = new FramedRead(
            new ScriptedReader(...cut(bytes, cuts)),
            new LengthDelimitedCodec(options),
          );
          assertEquals(await reader.collect(), frames);
        },
      ))
    );
  });
});
