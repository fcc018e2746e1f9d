import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  BufReader,
  copy,
  duplex,
  fromReadable,
  fromWritable,
  toReadable,
  toWritable,
} from "../../../lib/net/async_io.ts";
import { lazy, run, sleep, spawn } from "../../../lib/task/mod.ts";
import { Probe } from "../../task/probe.ts";
import { bytesOf, ScriptedReader, ScriptedWriter, textOf } from "./scripted.ts";

describe("toReadable", () => {
  it("is what a Response takes, and reads where it is asked", async () => {
    await run(async () => {
      const reader = new ScriptedReader("hello", "yield", " world");
      const body = toReadable(reader);
      assertEquals(reader.reads, 0);
      assertEquals(await new Response(body).text(), "hello world");
    });
  });

  it("fails with what the reader fails with", async () => {
    await run(async () => {
      const body = toReadable(new ScriptedReader("a", new Error("torn")));
      await assertRejects(() => new Response(body).text(), Error, "torn");
    });
  });

  it("drops the read that is under way where it is cancelled, and loses nothing", async () => {
    await run(async () => {
      const [here, there] = duplex(8);
      const reader = toReadable(here).getReader();
      const read = reader.read();
      await Promise.resolve();
      await reader.cancel();
      assertEquals((await read).done, true);
      await there.writeAll(bytesOf("x"));
      assertEquals(await here.read(new Uint8Array(1)), 1);
    });
    assertThrows(() => Reflect.apply(toReadable, null, [{}]), TypeError, "has no read()");
  });
});

describe("toWritable", () => {
  it("writes each chunk whole, and shuts the writer down", async () => {
    await run(async () => {
      const writer = new ScriptedWriter(1, "yield", 2);
      await new Response("hello world").body?.pipeTo(toWritable(writer));
      assertEquals([writer.text, writer.isShutDown], ["hello world", true]);
    });
  });

  it("fails with what the writer fails with, and at what is no bytes", async () => {
    await run(async () => {
      const full = toWritable(new ScriptedWriter(new Error("full"))).getWriter();
      full.closed.catch(() => {});
      await assertRejects(() => full.write(bytesOf("a")), Error, "full");
      const writer = toWritable(new ScriptedWriter()).getWriter();
      writer.closed.catch(() => {});
      const text: unknown = "a";
      await assertRejects(
        () => Reflect.apply(writer.write, writer, [text]),
        TypeError,
        "a chunk is no Uint8Array",
      );
    });
    assertThrows(() => Reflect.apply(toWritable, null, [{}]), TypeError, "has no write()");
  });

  it("drops the write that is under way where it is aborted", async () => {
    await run(async () => {
      const [here] = duplex(1);
      const writer = toWritable(here).getWriter();
      writer.closed.catch(() => {});
      const written = writer.write(bytesOf("ab"));
      await Promise.resolve();
      await writer.abort(new Error("enough"));
      await assertRejects(() => written, Error, "enough");
    });
  });
});

describe("fromReadable", () => {
  it("gives a body's bytes to whatever reads", async () => {
    await run(async () => {
      const { body } = new Response("one\ntwo\n");
      assert(body !== null);
      using reader = fromReadable(body);
      assertEquals(await new BufReader(reader).lines().collect(), ["one", "two"]);
      assertEquals(await reader.read(new Uint8Array(1)), 0);
    });
  });

  it("tells the end to who waits while it is disposed of", async () => {
    await run(async () => {
      const reader = fromReadable(new ReadableStream<Uint8Array>());
      const reading = spawn(() => reader.read(new Uint8Array(1)).timeout(10_000));
      await sleep(1);
      reader[Symbol.dispose]();
      assertEquals(await reading, 0);
    });
  });

  it("cuts chunks where less is asked for, and passes over empty ones", async () => {
    await run(async () => {
      const chunks = [bytesOf("abc"), new Uint8Array(0), bytesOf("de")];
      const reader = fromReadable(
        new ReadableStream({
          pull(controller) {
            const chunk = chunks.shift();
            if (chunk === undefined) controller.close();
            else controller.enqueue(chunk);
          },
        }),
      );
      const into = new Uint8Array(2);
      const got: string[] = [];
      for (let count = await reader.read(into); count > 0; count = await reader.read(into)) {
        got.push(textOf(into.subarray(0, count)));
      }
      assertEquals(got, ["ab", "c", "de"]);
    });
  });

  it("loses no chunk where a read is dropped that waited for it", async () => {
    await run(async () => {
      let give = (_chunk: Uint8Array): void => {};
      const reader = fromReadable(
        new ReadableStream({
          start(controller) {
            give = (chunk) => controller.enqueue(chunk);
          },
        }),
      );
      await spawn(() =>
        lazy(() => {
          const first = reader.read(new Uint8Array(4));
          assert(new Probe().isPending(first));
          first.drop();
        })
      );
      give(bytesOf("ab"));
      const into = new Uint8Array(4);
      assertEquals([await reader.read(into), textOf(into.subarray(0, 2))], [2, "ab"]);
    });
  });

  it("fails with what the stream fails with, and at a chunk that is no bytes", async () => {
    await run(async () => {
      const torn = fromReadable(
        new ReadableStream({
          start: (controller) => controller.error(new Error("torn")),
        }),
      );
      await assertRejects(() => torn.read(new Uint8Array(1)).toPromise(), Error, "torn");
      const texts = new ReadableStream({ start: (controller) => controller.enqueue("text") });
      await assertRejects(
        () => fromReadable(texts).read(new Uint8Array(1)).toPromise(),
        TypeError,
        "a chunk is no",
      );
    });
    assertThrows(() => Reflect.apply(fromReadable, null, ["a"]), TypeError, "it is no ReadableStream");
  });

  it("cancels the stream where it is disposed", async () => {
    await run(async () => {
      let isCancelled = false;
      const reader = fromReadable(
        new ReadableStream({
          cancel() {
            isCancelled = true;
          },
        }),
      );
      reader[Symbol.dispose]();
      assert(isCancelled);
      assertEquals(await reader.read(new Uint8Array(1)), 0);
    });
  });
});

describe("fromWritable", () => {
  it("takes what copy gives it, and is closed by shutdown", async () => {
    await run(async () => {
      const { readable, writable } = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>();
      const text = spawn(() => new Response(readable).text());
      const writer = fromWritable(writable);
      assertEquals(await copy(new ScriptedReader("hello", "yield", " world"), writer), 11);
      await writer.writeAll(bytesOf("!"));
      await writer.shutdown();
      assertEquals(await text, "hello world!");
    });
  });

  it("waits for room, and keeps nothing of what changes afterwards", async () => {
    await run(async () => {
      const chunks: string[] = [];
      let ready = (): void => {};
      const writer = fromWritable(
        new WritableStream<Uint8Array>({
          write(chunk) {
            chunks.push(textOf(chunk));
            return new Promise<void>((resolve) => {
              ready = resolve;
            });
          },
        }),
      );
      const bytes = bytesOf("a");
      assertEquals(await writer.write(bytes), 1);
      bytes.fill(0);
      const dropped = writer.write(bytesOf("b"));
      await spawn(() =>
        lazy(() => {
          assert(new Probe().isPending(dropped));
          dropped.drop();
        })
      );
      ready();
      await writer.write(bytesOf("c"));
      assertEquals(chunks, ["a", "c"]);
      writer[Symbol.dispose]();
      ready();
    });
  });

  it("tells at the next write, or at the end, what the stream failed with", async () => {
    await run(async () => {
      for (const end of [false, true]) {
        const writer = fromWritable(
          new WritableStream<Uint8Array>({
            write() {
              throw new Error("full");
            },
          }),
        );
        await writer.write(bytesOf("a"));
        await assertRejects(
          () => (end ? writer.shutdown() : writer.writeAll(bytesOf("b"))).toPromise(),
          Error,
          "full",
        );
      }
    });
    assertThrows(() => Reflect.apply(fromWritable, null, ["a"]), TypeError, "it is no WritableStream");
  });
});
