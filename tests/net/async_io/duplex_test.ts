import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import { SystemError } from "../../../ffi/mod.ts";
import { BufReader, duplex, simplex } from "../../../lib/net/async_io.ts";
import { BUDGET, coop } from "../../../lib/task/runtime/coop.ts";
import { type Coroutine, lazy, run, spawn } from "../../../lib/task/mod.ts";
import { Probe } from "../../task/probe.ts";
import { bytesOf, textOf } from "./scripted.ts";

describe("duplex", () => {
  it("carries bytes both ways", async () => {
    await run(async () => {
      const [a, b] = duplex(32);
      const into = new Uint8Array(4);
      await a.writeAll(bytesOf("ping"));
      assertEquals([await b.read(into), textOf(into)], [4, "ping"]);
      await b.writeAll(bytesOf("pong"));
      assertEquals([await a.read(into), textOf(into)], [4, "pong"]);
    });
  });

  it("carries every byte in order between two tasks, whatever the sizes", async () => {
    await run(() =>
      fc.assert(fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 10 }),
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 30 }),
        async (parts, capacity, size) => {
          const [a, b] = duplex(capacity);
          const sent = spawn(function* (): Coroutine<void> {
            for (const part of parts) yield* a.writeAll(part);
            yield* a.shutdown();
          });
          const got: number[] = [];
          const into = new Uint8Array(size);
          for (let count = await b.read(into); count > 0; count = await b.read(into)) {
            assert(count <= capacity);
            got.push(...into.subarray(0, count));
          }
          assertEquals(got, parts.flatMap((part) => [...part]));
          await sent;
        },
      ))
    );
  });

  it("lets a write wait for room, and takes what there is room for", async () => {
    await run(async () => {
      const [a, b] = duplex(32);
      const into = new Uint8Array(4);
      assertEquals(await a.write(new Uint8Array(64)), 32);
      const probe = new Probe();
      const second = a.write(new Uint8Array(64));
      assert(probe.isPending(second));
      assertEquals(await b.read(into), 4);
      assertEquals([probe.wakes, probe.poll(second)], [1, 4]);
    });
  });

  it("is read to its end where the other end was shut down or closed", async () => {
    await run(async () => {
      for (const end of ["shutdown", "close", "dispose"]) {
        const [a, b] = duplex(32);
        await a.writeAll(bytesOf("ping"));
        if (end === "shutdown") await a.shutdown();
        else if (end === "close") a.close();
        else a[Symbol.dispose]();
        const into = new Uint8Array(32);
        assertEquals([await b.read(into), await b.read(into), await b.read(into)], [4, 0, 0]);
        if (end === "shutdown") {
          await b.writeAll(bytesOf("still"));
          assertEquals(await a.read(into), 5);
        }
      }
    });
  });

  it("fails a writer with EPIPE where the other end is closed, also while it waits", async () => {
    await run(async () => {
      const [a, b] = duplex(2);
      const waits = spawn(() => b.writeAll(bytesOf("ping")));
      const closes = spawn(() => lazy(() => a.close()));
      const error = await assertRejects(() => Promise.resolve(waits), SystemError, "EPIPE");
      assertEquals(error.code, "EPIPE");
      await closes;
      await assertRejects(() => b.write(new Uint8Array(0)).toPromise(), SystemError, "EPIPE");
      await assertRejects(() => a.write(bytesOf("a")).toPromise(), SystemError, "EPIPE");
      await assertRejects(
        () => a.read(new Uint8Array(1)).toPromise(),
        Error,
        "this end of the pipe was closed",
      );
    });
  });

  it("wakes a reader that waits where the other end is closed", async () => {
    await run(async () => {
      const [a, b] = duplex(2);
      const read = spawn(() => a.read(new Uint8Array(2)));
      const closes = spawn(() => lazy(() => b.close()));
      assertEquals(await read, 0);
      await closes;
    });
  });

  it("writes nothing at once, also where there is no room", () => {
    const [a] = duplex(1);
    const probe = new Probe();
    probe.poll(a.writeAll(bytesOf("x")));
    assertEquals(probe.poll(a.write(new Uint8Array(0))), 0);
  });

  it("loses nothing where a read or a write is dropped", async () => {
    await run(async () => {
      const [a, b] = duplex(4);
      const probe = new Probe();
      const read = a.read(new Uint8Array(4));
      assert(probe.isPending(read));
      read.drop();
      await b.writeAll(bytesOf("abcd"));
      const write = b.write(bytesOf("ef"));
      assert(probe.isPending(write));
      write.drop();
      write.drop();
      assertEquals(probe.wakes, 0);
      const into = new Uint8Array(8);
      assertEquals([await a.read(into), textOf(into.subarray(0, 4))], [4, "abcd"]);
      b.close();
      assertEquals(await a.read(into), 0);
      assertThrows(() => probe.poll(read), Error, "its value was taken");
    });
  });

  it("keeps its tasks apart, and gives way to others", async () => {
    const [a, b] = duplex(8192);
    const first = new Probe();
    const second = new Probe();
    coop.left = BUDGET;
    assert(first.isPending(a.read(new Uint8Array(1))));
    assertThrows(() => second.poll(a.read(new Uint8Array(1))), Error, "another task reads");
    const turns = await run(async () => {
      let turns = 0;
      let hasEnded = false;
      const [c, d] = duplex(8192);
      const other = spawn(function* (): Coroutine<void> {
        const bytes = new Uint8Array(4096);
        while (!hasEnded) {
          turns++;
          yield* c.writeAll(bytes);
          yield* d.read(bytes);
        }
      });
      await spawn(function* (): Coroutine<void> {
        yield* spawn(() => lazy(() => {}));
        hasEnded = true;
      });
      await other;
      return turns;
    });
    assert(turns > 0);
    b.close();
  });
});

describe("simplex", () => {
  it("carries bytes one way", async () => {
    await run(async () => {
      const [reader, writer] = simplex(3);
      const sent = spawn(() => writer.writeAll(bytesOf("abcdefgh")).andThen(() => writer.shutdown()));
      assertEquals(textOf(await new BufReader(reader).readToEnd()), "abcdefgh");
      await sent;
    });
  });

  it("fails its writer where its reader was disposed, and refuses to have no room", async () => {
    await run(async () => {
      const [reader, writer] = simplex(3);
      reader[Symbol.dispose]();
      await assertRejects(() => writer.write(bytesOf("a")).toPromise(), SystemError, "EPIPE");
      writer[Symbol.dispose]();
      assertThrows(() => simplex(0), RangeError, "capacity is 0");
      assertThrows(() => duplex(NaN), RangeError, "capacity is NaN");
    });
  });
});
