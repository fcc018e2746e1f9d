import { connect as connectByHost, createServer } from "node:net";
import { after, before, describe, it } from "node:test";
import { existsSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import { SystemError } from "../../ffi/mod.ts";
import { Fd, NativeBuffer, WouldBlock } from "../../lib/io/mod.ts";
import { UnixListener, UnixStream } from "../../lib/net/mod.ts";
import { currentRuntime } from "../../lib/task/runtime/current.ts";
import { type Coroutine, run, sleep, spawn } from "../../lib/task/mod.ts";
import { listenFirst, moduleUrl, outputOf } from "../child.ts";
import { tiered } from "../tier.ts";
import { abstractName, bytesOf, closeAll } from "./ends.ts";
import { descriptors, openedSince } from "../descriptors.ts";

let folder: string;

before(() => {
  folder = mkdtempSync(join(tmpdir(), "oxbow-stream-"));
});

after(() => rmSync(folder, { recursive: true }));

/** For what goes on for long in the greater tiers. */
const LONG_MS = tiered({ quick: 60_000, full: 600_000, soak: 7_200_000 });

describe("a listener at a path", () => {
  it("accepts who connects, with who it is, and removes its file at the end", async () => {
    await run(async () => {
      const path = join(folder, "listener");
      {
        using listener = UnixListener.bind({ path });
        assertEquals(listener.address, { path });
        const accepting = spawn(() => listener.accept());
        using client = await UnixStream.connect({ path });
        const { stream, address } = await accepting;
        using server = stream;
        assertEquals([address, server.remoteAddress, client.localAddress], [{}, {}, {}]);
        assertEquals([client.remoteAddress, server.localAddress], [{ path }, { path }]);
        for (const { peerCredentials } of [client, server]) {
          const { pid, uid, gid } = peerCredentials;
          assertEquals([pid, uid, gid], [process.pid, process.getuid?.() ?? -1, process.getgid?.() ?? -1]);
        }
        await client.writeAll(bytesOf("hello"));
        const into = new Uint8Array(10);
        assertEquals(await server.read(into), 5);
        await server.shutdown();
        assertEquals(await client.read(into), 0);
      }
      assertEquals(existsSync(path), false);
    });
  });

  it("leaves a file that is to stay, and one that has taken its place", async () => {
    await run(() => {
      const path = join(folder, "stays");
      UnixListener.bind({ path }, { unlink: false }).close();
      assert(statSync(path).isSocket());
      const listener = UnixListener.bind({ path }, { replace: true });
      renameSync(path, `${path}.moved`);
      writeFileSync(path, "other");
      listener.close();
      listener.close();
      assert(statSync(path).isFile());
      rmSync(path);
      UnixListener.bind({ path }, { mode: 0o600 }).close();
      assertEquals(existsSync(path), false);
      return Promise.resolve();
    });
  });

  it("says what is wrong with its options, and keeps no descriptor and no file", async () => {
    await run(() => {
      const path = join(folder, "options");
      const before = descriptors();
      const bind = (options: unknown) => Reflect.apply(UnixListener.bind, UnixListener, [{ path }, options]);
      assertThrows(() => bind({ backlog: -1 }), RangeError, "backlog is -1");
      assertThrows(() => bind({ unlink: 1 }), TypeError, "unlink is 1");
      assertThrows(() => bind({ unlinks: true }), TypeError, "there is no option");
      assertThrows(() => UnixListener.bind({ path: join(folder, "none", "a") }), SystemError, "ENOENT");
      assertEquals([openedSince(before), existsSync(path)], [[], false]);
      return Promise.resolve();
    });
  });

  it("gives its connections as a stream, which ends where it is closed", async () => {
    await run(async () => {
      const address = { abstract: abstractName() };
      const listener = UnixListener.bind(address);
      const served = spawn(async () => {
        let count = 0;
        for await (const { stream } of listener.incoming()) {
          using connection = stream;
          await connection.writeAll(Uint8Array.of(count++));
          if (count === 3) listener.close();
        }
        return count;
      });
      const answers: number[] = [];
      for (let i = 0; i < 3; i++) {
        using client = await UnixStream.connect(address);
        const into = new Uint8Array(1);
        await client.read(into);
        answers.push(into[0]);
      }
      assertEquals([await served, answers], [3, [0, 1, 2]]);
    });
  });

  it("tells who waits to be accepted that it was closed, and refuses who connects then", async () => {
    await run(async () => {
      const address = { abstract: abstractName() };
      const listener = UnixListener.bind(address);
      const waiting = [spawn(() => listener.accept()), spawn(() => listener.accept())];
      await sleep(1);
      listener.close();
      for (const task of waiting) {
        await assertRejects(async () => await task, Error, "the listener was closed");
      }
      const refused = await assertRejects(async () => await UnixStream.connect(address), SystemError);
      assertEquals(refused.code, "ECONNREFUSED");
    });
  });

  it("has those who connect wait until there is room in its queue", async () => {
    await run(async () => {
      const address = { abstract: abstractName() };
      using listener = UnixListener.bind(address, { backlog: 1 });
      const clients = Array.from({ length: 8 }, () => spawn(() => UnixStream.connect(address)));
      await sleep(5);
      const accepted: UnixStream[] = [];
      for (let i = 0; i < 8; i++) accepted.push((await listener.accept()).stream);
      for (const client of clients) (await client).close();
      closeAll(accepted);
    });
  });

  it("goes on after descriptors have run out", () => {
    const source = `
      import { Fd } from "${moduleUrl("lib/io/mod.ts")}";
      import { UnixListener, UnixStream } from "${moduleUrl("lib/net/mod.ts")}";
      import { run, sleep, spawn } from "${moduleUrl("lib/task/mod.ts")}";
      await run(async () => {
        const address = { abstract: "${abstractName()}" };
        using listener = UnixListener.bind(address);
        using client = await UnixStream.connect(address);
        const held = [];
        try { for (;;) held.push(Fd.open("/dev/null")); } catch (error) { console.log(error.code); }
        const accepting = spawn(() => listener.accept());
        await sleep(20);
        for (const fd of held) fd.close();
        const { stream } = await accepting;
        await client.writeAll(Uint8Array.of(1));
        console.log(await stream.read(new Uint8Array(2)));
        stream.close();
      });`;
    assertEquals(outputOf(listenFirst + source, { before: "ulimit -n 200" }), "EMFILE\n1");
  });

  it("says why nobody can be connected to", async () => {
    await run(async () => {
      const before = descriptors();
      const codeOf = async (path: string) =>
        (await assertRejects(async () => await UnixStream.connect({ path }), SystemError, path)).code;
      assertEquals(await codeOf(join(folder, "nobody")), "ENOENT");
      const file = join(folder, "file");
      writeFileSync(file, "");
      assertEquals(await codeOf(file), "ECONNREFUSED");
      assertThrows(() => UnixStream.connect({ path: "x".repeat(108) }), RangeError, "1 to 107 bytes");
      assertThrows(() => Reflect.apply(UnixStream.connect, UnixStream, ["path"]), TypeError, "neither");
      assertEquals(openedSince(before), []);
    });
  });

  it("speaks with the host's own sockets, either way", async () => {
    const path = join(folder, "host");
    await run(async () => {
      using listener = UnixListener.bind({ path });
      const socket = connectByHost(path);
      const { stream } = await listener.accept();
      socket.end("from the host");
      assertEquals(new TextDecoder().decode(await stream.readToEnd()), "from the host");
      stream.close();
      await new Promise((resolve) => socket.on("close", resolve).resume());
    });
    const server = createServer((socket) => socket.end("from its server"));
    await new Promise<void>((resolve) => server.listen(path, () => resolve()));
    await run(async () => {
      using client = await UnixStream.connect({ path });
      assertEquals(new TextDecoder().decode(await client.readToEnd()), "from its server");
    });
    await new Promise((resolve) => server.close(resolve));
  });
});

describe("a pair of streams", () => {
  it("gives every byte, whatever the sizes, and both ways at once", async () => {
    const sizes = fc.array(fc.oneof(fc.nat(20), fc.nat(300_000)), { maxLength: 5 });
    await run(async () => {
      await fc.assert(
        fc.asyncProperty(sizes, sizes, async (one, other) => {
          const [left, right] = UnixStream.pair();
          const part = (length: number, i: number) => Uint8Array.from({ length }, (_, at) => at * 7 + i);
          const [here, there] = [one.map(part), other.map(part)];
          const send = (stream: UnixStream, parts: Uint8Array[]) =>
            spawn(function* (): Coroutine<void> {
              for (const bytes of parts) yield* stream.writeAll(bytes);
              yield* stream.shutdown();
            });
          const sending = [send(left, here), send(right, there)];
          const reading = [spawn(() => left.readToEnd()), spawn(() => right.readToEnd())];
          for (const task of sending) await task;
          const [fromRight, fromLeft] = [await reading[0], await reading[1]];
          assertEquals(fromLeft, Uint8Array.from(here.flatMap((bytes) => [...bytes])));
          assertEquals(fromRight, Uint8Array.from(there.flatMap((bytes) => [...bytes])));
          closeAll([left, right]);
        }),
        { numRuns: tiered({ quick: 5, full: 50, soak: 500 }) },
      );
    });
  });

  it("fails to write to a peer that has gone, without a signal", async () => {
    await run(async () => {
      const [left, right] = UnixStream.pair();
      right.close();
      const error = await assertRejects(async () => await left.writeAll(bytesOf("a")), SystemError);
      assertEquals(error.code, "EPIPE");
      assertEquals(await left.read(new Uint8Array(1)), 0);
      left.close();
    });
  });

  it("ends what it reads, what it writes, or both, and never its peer's", async () => {
    await run(async () => {
      const into = new Uint8Array(4);
      for (const how of ["read", "write", "both"] as const) {
        const [left, right] = UnixStream.pair();
        await right.writeAll(bytesOf("kept"));
        await left.shutdown(how);
        assertEquals(await left.read(into), 4);
        if (how === "write") {
          await right.writeAll(bytesOf("more"));
          assertEquals(await left.read(into), 4);
        } else {
          const error = await assertRejects(async () => await right.writeAll(bytesOf("a")), SystemError);
          assertEquals([error.code, await left.read(into)], ["EPIPE", 0]);
        }
        if (how !== "read") {
          assertEquals(await right.read(into), 0);
          await assertRejects(async () => await left.writeAll(bytesOf("a")), SystemError, "EPIPE");
        } else {
          await left.writeAll(bytesOf("back"));
          assertEquals(await right.read(into), 4);
        }
        closeAll([left, right]);
      }
    });
  });

  it("passes descriptors with its bytes, in their order among reads", async () => {
    await run(async () => {
      const before = descriptors();
      const [left, right] = UnixStream.pair();
      const path = join(folder, "passed");
      writeFileSync(path, "passed");
      using fd = Fd.open(path);
      const receiving = spawn(() => right.receiveFds(new Uint8Array(10), 4));
      await sleep(1);
      await left.sendFds([fd, left.fd], bytesOf("ab"));
      const { length, fds, fdsTruncated } = await receiving;
      assertEquals([length, fds.length, fdsTruncated], [2, 2, false]);
      const into = new Uint8Array(10);
      assertEquals(fds[0].read(into), 6);
      closeAll(fds);
      await left.sendFds([fd]);
      await left.sendFds([fd]);
      const one = await right.receiveFds(into, 4);
      assertEquals([one.length, one.fds.length], [1, 1]);
      closeAll(one.fds);
      // A plain read closes what comes with its bytes.
      assertEquals(await right.read(into), 1);
      left.close();
      const end = await right.receiveFds(into, 1);
      assertEquals([end.length, end.fds.length], [0, 0]);
      right.close();
      assertEquals(openedSince(before).length, 1);
    });
  });

  it("reads what is behind descriptors, which end a read that has room for more", async () => {
    await run(async () => {
      const [left, right] = UnixStream.pair();
      await left.sendFds([left.fd], bytesOf("a"));
      await left.writeAll(bytesOf("b"));
      await sleep(1);
      const into = new Uint8Array(10);
      assertEquals([await right.read(into), into[0]], [1, "a".charCodeAt(0)]);
      assertEquals([await right.read(into), into[0]], [1, "b".charCodeAt(0)]);
      await left.sendFds([left.fd], bytesOf("c"));
      await left.writeAll(bytesOf("d"));
      await right.whenReadable();
      const buffer = new NativeBuffer(10);
      assertEquals([right.tryRead(buffer), right.tryRead(buffer), right.tryRead(buffer)], [1, 1, WouldBlock]);
      closeAll([left, right]);
    });
  });

  it("sends descriptors once where the bytes with them are many", async () => {
    await run(async () => {
      const [left, right] = UnixStream.pair();
      const bytes = Uint8Array.from({ length: 1_000_000 }, (_, i) => i * 31 >> 4);
      const sending = spawn(() => left.sendFds([left.fd], bytes));
      const into = new Uint8Array(bytes.length);
      let [read, count] = [0, 0];
      while (read < bytes.length) {
        const { length, fds } = await right.receiveFds(into.subarray(read), 2);
        read += length;
        count += fds.length;
        closeAll(fds);
      }
      await sending;
      assertEquals([count, into], [1, bytes]);
      closeAll([left, right]);
    });
  });

  it("loses no descriptor where a wait is dropped", async () => {
    await run(async () => {
      const before = descriptors();
      const [left, right] = UnixStream.pair();
      const waiting = spawn(() => right.receiveFds(new Uint8Array(1), 1));
      await sleep(1);
      waiting.abort();
      await left.sendFds([left.fd]);
      const { fds } = await right.receiveFds(new Uint8Array(1), 1);
      assertEquals(fds.length, 1);
      closeAll([...fds, left, right]);
      assertEquals(openedSince(before), []);
    });
  });

  it("refuses arguments that are none before it is awaited", async () => {
    await run(() => {
      const [left, right] = UnixStream.pair();
      assertThrows(() => Reflect.apply(left.sendFds, left, [[1]]), TypeError, "fds[0] is no Fd");
      assertThrows(() => left.sendFds([left.fd], new Uint8Array(0)), RangeError, "0 bytes");
      assertThrows(() => Reflect.apply(left.sendFds, left, [[], "a"]), TypeError, "bytes is no Uint8Array");
      assertThrows(() => right.receiveFds(new Uint8Array(0), 1), RangeError, "0 bytes");
      assertThrows(() => right.receiveFds(new Uint8Array(1), 300), RangeError, "most is 300");
      assertThrows(() => Reflect.apply(left.sendHandle, left, [{}]), TypeError, "map is no Mmap");
      assertThrows(() => Reflect.apply(left.receiveHandle, left, [{ mode: "w" }]), TypeError, "mode is");
      closeAll([left, right]);
      return Promise.resolve();
    });
  });

  it("is watched no more once it is closed, however often it is made", { timeout: LONG_MS }, async () => {
    await run(async () => {
      const before = descriptors();
      const watched = currentRuntime().reactor.registrations;
      const address = { abstract: abstractName() };
      {
        using listener = UnixListener.bind(address);
        const cycles = tiered({ quick: 200, full: 100_000, soak: 1_000_000 });
        for (let i = 0; i < cycles; i++) {
          const client = await UnixStream.connect(address);
          const { stream } = await listener.accept();
          await client.sendFds([client.fd]);
          const { fds } = await stream.receiveFds(new Uint8Array(1), i % 2);
          assertEquals(fds.length, i % 2);
          closeAll([...fds, client, stream]);
        }
      }
      assertEquals([openedSince(before), currentRuntime().reactor.registrations], [[], watched]);
    });
  });
});
