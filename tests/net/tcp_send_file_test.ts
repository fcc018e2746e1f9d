import { Buffer } from "node:buffer";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { SystemError } from "../../ffi/mod.ts";
import { Fd } from "../../lib/io/mod.ts";
import { Mmap } from "../../lib/mem/mmap.ts";
import { TcpListener, type TcpStream } from "../../lib/net/mod.ts";
import { type Coroutine, run, sleep, spawn } from "../../lib/task/mod.ts";
import { local, pair, pattern, readAll, slept } from "./ends.ts";
import { descriptors, openedSince } from "../descriptors.ts";

const bytes = pattern(3_000_000, 9);

/** Runs `body` with both ends of a connection and a file of `bytes`. */
async function withFile(
  body: (client: TcpStream, server: TcpStream, path: string) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "oxbow-send-file-"));
  try {
    const path = join(folder, "file");
    writeFileSync(path, bytes);
    await run(async () => {
      using listener = TcpListener.bind(local);
      const [client, server] = await pair(listener);
      using _client = client;
      using _server = server;
      await body(client, server, path);
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe("sendFile", () => {
  it("sends a whole file, larger than what the kernel holds, and then goes on", () =>
    withFile(async (client, server, path) => {
      using file = Fd.open(path);
      const sending = spawn(async () => {
        const count = await server.sendFile(file);
        await server.writeAll(Uint8Array.of(1, 2));
        await server.shutdown();
        return count;
      });
      const got = await spawn(readAll, client);
      assertEquals([await sending, got.length], [bytes.length, bytes.length + 2]);
      assertEquals(Buffer.compare(got.subarray(0, bytes.length), bytes), 0);
    }));

  it("sends the part that it is told", () =>
    withFile(async (client, server, path) => {
      using file = Fd.open(path);
      assertEquals(await server.sendFile(file, { offset: 1_000, length: 50 }), 50);
      assertEquals(await server.sendFile(file, { offset: bytes.length - 5 }), 5);
      assertEquals(await server.sendFile(file, { offset: bytes.length + 5 }), 0);
      assertEquals(await server.sendFile(file, { length: 0 }), 0);
      const [, writer] = server.split();
      assertEquals(await writer.sendFile(file, { length: 2 }), 2);
      await server.shutdown();
      const wanted = Buffer.concat([
        bytes.subarray(1_000, 1_050),
        bytes.subarray(bytes.length - 5),
        bytes.subarray(0, 2),
      ]);
      assertEquals(Buffer.compare(await client.readToEnd(), wanted), 0);
    }));

  it("sends the file of a map, and leaves no descriptor behind, sent or dropped", () =>
    withFile(async (client, server, path) => {
      using map = Mmap.open(path);
      await slept();
      const before = descriptors();
      const sending = spawn(() => server.sendFile(map, { length: 2_000_000 }));
      await sleep(1);
      const into = new Uint8Array(2_000_000);
      await client.readExact(into);
      assertEquals(await sending, 2_000_000);
      assertEquals(Buffer.compare(into, bytes.subarray(0, 2_000_000)), 0);
      assertEquals(openedSince(before), []);
      const endless = spawn(function* (): Coroutine<void> {
        for (let i = 0; i < 50; i++) yield* server.sendFile(map);
      });
      await sleep(30);
      assertEquals([endless.isFinished, openedSince(before).length], [false, 1]);
      endless.abort();
      assertEquals(openedSince(before), []);
    }));

  it("tells of a file that is shorter than the length, and of a peer that has gone", () =>
    withFile(async (client, server, path) => {
      using file = Fd.open(path);
      const short = server.sendFile(file, { offset: bytes.length - 10, length: 30 });
      await assertRejects(() => short, RangeError, "it ended 20 bytes before");
      await client.readExact(new Uint8Array(10));
      client.socket.setLinger(0);
      client.close();
      await sleep(1);
      const error = await assertRejects(() => server.sendFile(file), SystemError, "sendfile failed");
      assertEquals(["EPIPE", "ECONNRESET"].includes(error.code), true);
      server.close();
      await assertRejects(() => server.sendFile(file), Error, "the stream was closed");
    }));

  it("refuses what is no file, and no part of one", () =>
    withFile(async (client, server) => {
      await sleep(0);
      assertThrows(() => Reflect.apply(client.sendFile, client, ["path"]), TypeError, "source is no Fd");
      const liar = { dupFd: () => Object({ number: 0 }) };
      await assertRejects(() => client.sendFile(liar), TypeError, "dupFd() gives is no Fd");
      assertThrows(() => client.sendFile(server.fd, { offset: -1 }), RangeError, "offset is -1");
      assertThrows(() => client.sendFile(server.fd, { length: 0.5 }), RangeError, "length is 0.5");
      await assertRejects(() => client.sendFile(server.fd), SystemError, "sendfile failed");
    }));
});
