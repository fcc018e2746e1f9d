import { describe, it } from "node:test";
import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { check, libc, SystemError } from "../../ffi/mod.ts";
import { EPOLLIN, EPOLLOUT, NativeBuffer, Socket, WouldBlock } from "../../lib/io/mod.ts";
import { pair, readAll, ready } from "./pair.ts";

const SOL_SOCKET = 1;
const SO_KEEPALIVE = 9;
const SO_LINGER = 13;

function option(socket: Socket, name: number, words: number): number[] {
  const value = new Int32Array(words);
  check(
    libc().getsockopt(socket.fd.number, SOL_SOCKET, name, value, Uint32Array.of(4 * words)),
    "getsockopt",
  );
  return [...value];
}

describe("a socket's options", () => {
  it("are what they were set to", () => {
    using ends = pair();
    const { client } = ends;
    assertEquals([client.isNoDelay, option(client, SO_KEEPALIVE, 1), option(client, SO_LINGER, 2)], [
      false,
      [0],
      [0, 0],
    ]);
    for (const on of [true, false]) {
      client.setNoDelay(on);
      client.setKeepAlive(on);
      assertEquals([client.isNoDelay, option(client, SO_KEEPALIVE, 1)], [on, [on ? 1 : 0]]);
    }
    for (const seconds of [0, 1, 65535, undefined]) {
      client.setLinger(seconds);
      const [on, kept] = option(client, SO_LINGER, 2);
      assertEquals([on, on && kept], [seconds === undefined ? 0 : 1, seconds ?? 0]);
    }
    client.setSendBufferSize(50_000);
    client.setReceiveBufferSize(60_000);
    assertEquals([client.sendBufferSize, client.receiveBufferSize], [100_000, 120_000]);
    client.setSendBufferSize(1);
    assert(client.sendBufferSize >= 2048, "the kernel keeps to its least");
  });

  it("limit how much is sent before it would block", () => {
    const sent = [4_000, 400_000].map((bytes) => {
      using listener = Socket.listen({ hostname: "127.0.0.1", port: 0 });
      listener.setReceiveBufferSize(4_000);
      using client = Socket.connect(listener.localAddress);
      client.setSendBufferSize(bytes);
      ready(client, EPOLLOUT);
      const buffer = new NativeBuffer(1 << 14);
      let sent = 0;
      for (let count = 0; count !== WouldBlock; sent += Math.max(count, 0)) count = client.write(buffer);
      return sent;
    });
    assert(sent[0] < 100_000 && sent[1] > 300_000, `${sent}`);
  });

  it("reset the connection at once where they say to linger for 0 seconds", () => {
    for (const seconds of [0, undefined]) {
      using ends = pair();
      ends.client.setLinger(seconds);
      ends.client.fd.close();
      ready(ends.server, EPOLLIN);
      const buffer = new NativeBuffer(1);
      if (seconds === undefined) assertEquals(ends.server.read(buffer), 0);
      else assertEquals(assertThrows(() => ends.server.read(buffer), SystemError).code, "ECONNRESET");
    }
  });

  it("are refused by name where they are none", () => {
    using ends = pair();
    for (const seconds of [-1, 0.5, NaN, 65536]) {
      assertThrows(() => ends.client.setLinger(seconds), RangeError, `seconds is ${seconds}`);
    }
    for (const bytes of [0, -1, 0.5, NaN, 2 ** 30]) {
      assertThrows(() => ends.client.setSendBufferSize(bytes), RangeError, `bytes is ${bytes}`);
      assertThrows(() => ends.client.setReceiveBufferSize(bytes), RangeError, `bytes is ${bytes}`);
    }
  });
});

describe("peek", () => {
  it("reads what is there still for the next one", () => {
    using ends = pair();
    const buffer = new NativeBuffer(8);
    assertStrictEquals(ends.server.peek(buffer), WouldBlock);
    ends.client.fd.write(Uint8Array.of(1, 2, 3));
    ready(ends.server, EPOLLIN);
    assertEquals([ends.server.peek(buffer, 0, 2), ends.server.peek(buffer), ends.server.read(buffer, 4)], [
      2,
      3,
      3,
    ]);
    assertEquals([...buffer.bytes], [1, 2, 3, 0, 1, 2, 3, 0]);
    assertStrictEquals(ends.server.peek(buffer), WouldBlock);
    ends.client.shutdown("write");
    ready(ends.server, EPOLLIN);
    assertEquals([ends.server.peek(buffer), ends.server.read(buffer)], [0, 0]);
  });
});

describe("vectored reading and writing", () => {
  it("is the reading and writing of the parts joined together", () => {
    using ends = pair();
    const parts = fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 12 });
    fc.assert(
      fc.property(parts, fc.array(fc.integer({ min: 0, max: 500 }), { maxLength: 8 }), (parts, sizes) => {
        const joined = parts.flatMap((part) => [...part]);
        assertEquals(ends.client.writeVectored(parts), joined.length);
        const into = sizes.map((size) => new Uint8Array(size));
        const room = sizes.reduce((sum, size) => sum + size, 0);
        if (joined.length > 0) ready(ends.server, EPOLLIN);
        const count = joined.length > 0 && room > 0 ? ends.server.readVectored(into) : 0;
        const read = into.flatMap((part) => [...part]).slice(0, count);
        const rest = readAll(ends.server, new NativeBuffer(joined.length - count), joined.length - count);
        assertEquals([...read, ...rest], joined);
      }),
    );
  });

  it("takes a thousand parts, and no more than one call can", () => {
    using ends = pair();
    const parts = Array.from({ length: 1024 }, (_, i) => Uint8Array.of(i & 255));
    assertEquals(ends.client.writeVectored(parts), 1024);
    assertEquals([...readAll(ends.server, new NativeBuffer(1024), 1024)], parts.map(([byte]) => byte));
    const message = "there are 1025, and one call takes 1024";
    for (const call of [ends.client.writeVectored, ends.client.readVectored]) {
      assertThrows(() => Reflect.apply(call, ends.client, [[...parts, parts[0]]]), RangeError, message);
    }
  });

  it("would block, ends with 0, and fails as reading and writing do", () => {
    using ends = pair();
    assertStrictEquals(ends.server.readVectored([new Uint8Array(1)]), WouldBlock);
    const chunk = new Uint8Array(1 << 16);
    for (let count = 0; count !== WouldBlock;) count = ends.client.writeVectored([chunk, chunk]);
    ends.server.setLinger(0);
    ends.server.fd.close();
    ready(ends.client, EPOLLIN);
    assertEquals(
      assertThrows(() => ends.client.readVectored([chunk]), SystemError, "recvmsg").code,
      "ECONNRESET",
    );
    assertEquals(
      assertThrows(() => ends.client.writeVectored([chunk]), SystemError, "sendmsg").code,
      "EPIPE",
    );
    using other = pair();
    other.client.shutdown("write");
    ready(other.server, EPOLLIN);
    assertEquals(other.server.readVectored([new Uint8Array(1)]), 0);
  });

  it("refuses what are no parts, by name", () => {
    using ends = pair();
    const gone = new Uint8Array(4);
    structuredClone(gone.buffer, { transfer: [gone.buffer] });
    const one = new Uint8Array(1);
    for (
      const [parts, message] of [
        [one, "and no list"],
        [undefined, "parts is undefined, and no list"],
        [[one, "text"], "part 1 is no Uint8Array"],
        [[new NativeBuffer(1)], "part 0 is no Uint8Array"],
        [[one, gone], "detached"],
      ] as const
    ) {
      for (const call of [ends.client.writeVectored, ends.client.readVectored]) {
        assertThrows(() => Reflect.apply(call, ends.client, [parts]), TypeError, message);
      }
    }
    assertEquals(ends.client.writeVectored([one]), 1);
  });
});
