import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  type ByteQueue,
  BytesCodec,
  type Decoder,
  duplex,
  Framed,
  FramedRead,
  FramedWrite,
  Incomplete,
  LimitExceededError,
  LinesCodec,
  UnfinishedFrameError,
} from "../../../lib/net/async_io.ts";
import { BUDGET, coop } from "../../../lib/task/runtime/coop.ts";
import { Pending, run, select, sleep, spawn } from "../../../lib/task/mod.ts";
import { Ended } from "../../../lib/task/stream.ts";
import { Probe } from "../../task/probe.ts";
import { bytesOf, FlushedWriter, ScriptedReader, ScriptedWriter, textOf } from "./scripted.ts";

/** Numbers of four bytes; without an end of its own, so that what is left over is an error. */
class Numbers implements Decoder<number> {
  #factor: number;

  constructor(factor = 1) {
    this.#factor = factor;
  }

  decode(bytes: ByteQueue): number | Incomplete {
    if (bytes.length < 4) return Incomplete;
    const [a, b, c, d] = bytes.take(4);
    return (((a * 256 + b) * 256 + c) * 256 + d) * this.#factor;
  }

  encode(frame: number, bytes: ByteQueue): void {
    if (frame < 0) {
      bytes.pushByte(1);
      throw new RangeError("a number is less than none");
    }
    for (let shift = 24; shift >= 0; shift -= 8) bytes.pushByte((frame * this.#factor >> shift) & 255);
  }
}

function numbers(...steps: ConstructorParameters<typeof ScriptedReader>): FramedRead<number> {
  return new FramedRead(new ScriptedReader(...steps), new Numbers());
}

function now<T>(frames: FramedRead<T>): T | Ended | Pending {
  coop.left = BUDGET;
  const next = frames.next();
  const value = new Probe().poll(next);
  next.drop();
  return value;
}

describe("a reader of frames", () => {
  it("gives several of one packet, and one of several", () => {
    const frames = numbers("\0\0\0\x00\0\0\0\x01\0\0\0\x02");
    assertEquals([now(frames), now(frames), now(frames), now(frames), now(frames)], [0, 1, 2, Ended, Ended]);
    const cut = numbers("\0\0\0", "\x00\0\0", "\0\x01\0\0\0\x02");
    assertEquals([now(cut), now(cut), now(cut), now(cut)], [0, 1, 2, Ended]);
  });

  it("waits where nothing has come, or a part", () => {
    const frames = numbers("wait", "\0\0", "wait", "\0\x05");
    assertEquals([now(frames), now(frames), now(frames), now(frames)], [Pending, Pending, 5, Ended]);
  });

  it("ends with an error, and goes on behind it where it is resumed", () => {
    const frames = numbers("\0\0\0\x07\0\0", "wait", new Error("torn"), "\0\x08");
    assertEquals([now(frames), now(frames)], [7, Pending]);
    assertThrows(() => now(frames), Error, "torn");
    assertEquals([now(frames), now(frames)], [Ended, Ended]);
    frames.resume();
    assertEquals([now(frames), now(frames)], [8, Ended]);
  });

  it("says where the end comes in a frame", () => {
    const frames = numbers("\0\0\0\x01\0\0");
    assertEquals(now(frames), 1);
    const error = assertThrows(() => now(frames), UnfinishedFrameError, "after 2 bytes");
    assertEquals([error.received, textOf(frames.readBuffered)], [2, "\0\0"]);
    assertEquals(now(frames), Ended);
  });

  it("gives all that a codec makes of the end, and what comes behind it where it is resumed", () => {
    let left = 3;
    const frames = new FramedRead<number>(new ScriptedReader("a"), {
      decode: () => Incomplete,
      decodeEnd: () => left > 0 ? left-- : Incomplete,
    });
    assertEquals([now(frames), now(frames), now(frames), now(frames)], [3, 2, 1, Ended]);
    const steps = new ScriptedReader("one\n");
    const lines = new FramedRead(steps, new LinesCodec());
    assertEquals([now(lines), now(lines)], ["one", Ended]);
    steps.steps.push("two\n");
    assertEquals(now(lines), Ended);
    lines.resume();
    assertEquals([now(lines), now(lines)], ["two", Ended]);
  });

  it("goes on behind a line that was too long, as its codec does", () => {
    const lines = new FramedRead(
      new ScriptedReader("too long\nok\nalso too", " long"),
      new LinesCodec({ maxLength: 4 }),
    );
    assertThrows(() => now(lines), LimitExceededError);
    assertEquals(now(lines), Ended);
    lines.resume();
    assertEquals(now(lines), "ok");
    assertThrows(() => now(lines), LimitExceededError);
    lines.resume();
    assertEquals(now(lines), Ended);
  });

  it("gives what is buffered to another codec", () => {
    const frames = numbers("\0\0\0\x01\0\0\0\x02");
    assertEquals(now(frames), 1);
    frames.decoder = new Numbers(10);
    assertEquals([now(frames), now(frames)], [20, Ended]);
  });

  it("reads a frame far larger than its buffer", () => {
    const large = new Uint8Array(32 << 10);
    const frames = new FramedRead(new ScriptedReader(large), {
      decode: (bytes: ByteQueue) =>
        bytes.length < large.byteLength ? Incomplete : bytes.take(large.byteLength).length,
    }, { capacity: 16 });
    assertEquals([now(frames), now(frames)], [large.byteLength, Ended]);
  });

  it("loses nothing where next() loses a select, and everything where it is dropped", async () => {
    await run(async () => {
      const [here, there] = duplex(8);
      const sent = spawn(async () => {
        for (const piece of ["on", "e\nt", "wo\n"]) {
          await sleep(3);
          await there.writeAll(bytesOf(piece));
        }
      });
      const lines = new Framed(here, new LinesCodec());
      const got: (string | Ended)[] = [];
      while (got.length < 2) {
        const won = await select({ line: lines.next(), late: sleep(1) }, { biased: true });
        if (won.key === "line") got.push(won.value);
      }
      assertEquals(got, ["one", "two"]);
      await sent;
      lines.drop();
      assertEquals(await lines.next(), Ended);
    });
  });

  it("is a stream as others are", async () => {
    const texts = await run(() =>
      new FramedRead(new ScriptedReader("1\n2\n3\n"), new LinesCodec()).map(Number).filter((n) => n !== 2)
        .collect()
    );
    assertEquals(texts, [1, 3]);
  });

  it("refuses what is no codec", () => {
    const codec: unknown = { encode: () => {} };
    assertThrows(
      () => Reflect.construct(FramedRead, [new ScriptedReader(), codec]),
      TypeError,
      "has no decode()",
    );
    assertThrows(
      () => Reflect.construct(FramedWrite, [new ScriptedWriter(), {}]),
      TypeError,
      "has no encode()",
    );
    assertThrows(
      () => new FramedWrite(new ScriptedWriter(), new LinesCodec(), { backpressure: 0 }),
      RangeError,
      "backpressure is 0",
    );
  });
});

describe("a writer of frames", () => {
  it("writes those that were fed in one piece, and flushes", async () => {
    await run(async () => {
      const writer = new FlushedWriter();
      const frames = new FramedWrite(writer, new Numbers());
      for (const n of [0, 1, 2]) await frames.feed(n);
      assertEquals([writer.taken.length, frames.writeBuffered.byteLength], [0, 12]);
      await frames.flush();
      assertEquals(writer.taken.map((part) => [...part]), [[0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2]]);
      frames.encoder = new Numbers(16);
      await frames.send(1);
      assertEquals([[...writer.taken[1]], writer.flushes], [[0, 0, 0, 16], 2]);
      await frames.shutdown();
      assert(writer.isShutDown);
    });
  });

  it("lets a frame wait where there is much to be written", async () => {
    await run(async () => {
      const writer = new ScriptedWriter("wait", 3, "yield");
      const frames = new FramedWrite(writer, new Numbers(), { backpressure: 8 });
      await frames.feed(1);
      await frames.feed(2);
      const third = frames.feed(3);
      coop.left = BUDGET;
      assert(new Probe().isPending(third));
      assertEquals(frames.writeBuffered.byteLength, 8);
      assertThrows(() => new Probe().poll(frames.feed(4)), Error, "another write to this writer waits");
      third.drop();
      await frames.feed(5);
      assertEquals([writer.taken.flatMap((part) => [...part]).length, frames.writeBuffered.byteLength], [
        8,
        4,
      ]);
      await frames.flush();
      assertEquals(writer.taken.flatMap((part) => [...part]), [0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 5]);
    });
  });

  it("tears no frame and sends none twice, where a send is dropped", async () => {
    await run(async () => {
      const writer = new ScriptedWriter(2, "wait");
      const frames = new FramedWrite(writer, new LinesCodec());
      const probe = new Probe();
      frames.send("never").drop();
      const torn = frames.send("one");
      assert(probe.isPending(torn));
      torn.drop();
      torn.drop();
      assertEquals(writer.text, "on");
      await frames.send("two");
      assertEquals(writer.text, "one\ntwo\n");
      assertThrows(() => probe.poll(torn), Error, "its value was taken");
    });
  });

  it("writes nothing of a frame that its codec refuses", async () => {
    await run(async () => {
      const writer = new ScriptedWriter();
      const frames = new FramedWrite(writer, new Numbers());
      await frames.feed(1);
      await assertRejects(() => frames.send(-1).toPromise(), RangeError, "less than none");
      await frames.send(2);
      assertEquals(writer.taken.flatMap((part) => [...part]), [0, 0, 0, 1, 0, 0, 0, 2]);
    });
  });

  it("keeps what the writer has not taken, where that fails", async () => {
    await run(async () => {
      const writer = new ScriptedWriter(2, new Error("full"));
      const frames = new FramedWrite(writer, new LinesCodec());
      await assertRejects(() => frames.send("one").toPromise(), Error, "full");
      await frames.flush();
      assertEquals(writer.text, "one\n");
    });
  });
});

describe("a stream of frames both ways", () => {
  it("reads and writes at once, and is shut down one way", async () => {
    await run(async () => {
      const [here, there] = duplex(4);
      const near = new Framed(here, new LinesCodec());
      const far = new Framed(there, new BytesCodec());
      const echo = spawn(async () => {
        for await (const bytes of far) await far.send(bytes);
        await far.shutdown();
      });
      const sent = spawn(async () => {
        await near.feed("one");
        await near.feed("a longer one");
        await near.flush();
        await near.shutdown();
      });
      assertEquals(await near.collect(), ["one", "a longer one"]);
      await sent;
      await echo;
      assertEquals(near.writeBuffered.byteLength, 0);
      assert(near.encoder instanceof LinesCodec);
      near.encoder = new LinesCodec();
    });
  });
});
