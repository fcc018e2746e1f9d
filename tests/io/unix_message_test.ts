import { after, before, describe, it } from "node:test";
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import fc from "fast-check";
import { SystemError } from "../../ffi/mod.ts";
import { Fd, UnixDatagramSocket, type UnixMessage, UnixSocket, WouldBlock } from "../../lib/io/mod.ts";
import { moduleUrl, outputOf } from "../child.ts";
import { skipping } from "../skip.ts";
import { tiered } from "../tier.ts";
import { descriptors, openedSince } from "../descriptors.ts";

let folder: string;

before(() => {
  folder = mkdtempSync(join(tmpdir(), "oxbow-message-"));
});

after(() => rmSync(folder, { recursive: true }));

/** For what goes on for long in the greater tiers. */
const LONG_MS = tiered({ quick: 60_000, full: 600_000, soak: 7_200_000 });

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** What a socket has, which must be something. */
function received(socket: UnixSocket | UnixDatagramSocket, size = 100, most = 0): UnixMessage {
  const message = socket.receiveMessage(new Uint8Array(size), most);
  if (message === WouldBlock) throw new Error("nothing was received");
  return message;
}

function closeAll(closed: readonly { [Symbol.dispose](): void }[]): void {
  for (const one of closed) one[Symbol.dispose]();
}

/** So many descriptors of files of their own, each with its number in it. */
function files(count: number): Fd[] {
  return Array.from({ length: count }, (_, i) => {
    const path = join(folder, `file-${i}`);
    writeFileSync(path, String(i));
    return Fd.open(path);
  });
}

function contentOf(fd: Fd): string {
  const bytes = new Uint8Array(10);
  return new TextDecoder().decode(bytes.subarray(0, fd.read(bytes)));
}

/** A name that nobody else has. */
function abstractName(): string {
  return `oxbow-test-${process.pid}-${crypto.randomUUID()}`;
}

for (
  const [kind, pair] of [
    ["a pair of streams", () => UnixSocket.pair()],
    ["a pair of datagram sockets", () => UnixDatagramSocket.pair()],
  ] as const
) {
  describe(kind, () => {
    it("passes any number of descriptors with the bytes, each of the same open file", () => {
      const before = descriptors();
      fc.assert(
        fc.property(
          fc.integer({ min: 0, max: 20 }),
          fc.uint8Array({ minLength: 1, maxLength: 90 }),
          (count, bytes) => {
            const [left, right] = pair();
            const own = files(count);
            assertEquals(left.sendMessage(bytes, own), bytes.length);
            closeAll(own);
            const into = new Uint8Array(100);
            const message = right.receiveMessage(into, count);
            assert(message !== WouldBlock);
            assertEquals(into.slice(0, message.length), bytes);
            assertEquals(message.fds.map(contentOf), own.map((_, i) => String(i)));
            assertEquals(message.fdsTruncated, false);
            closeAll([...message.fds, left, right]);
          },
        ),
        { numRuns: 30 },
      );
      assertEquals(openedSince(before), []);
    });

    it("passes as many as one message carries, and refuses one more", () => {
      const before = descriptors();
      const [left, right] = pair();
      const fds = new Array<Fd>(253).fill(left.fd);
      assertEquals(left.sendMessage(bytesOf("a"), fds), 1);
      const message = received(right, 1, 253);
      assertEquals(message.fds.length, 253);
      assertThrows(() => left.sendMessage(bytesOf("a"), [...fds, left.fd]), RangeError, "there are 254");
      for (const most of [-1, 254, 1.5]) {
        assertThrows(() => right.receiveMessage(new Uint8Array(1), most), RangeError, "most is");
      }
      closeAll([...message.fds, left, right]);
      assertEquals(openedSince(before), []);
    });

    it("leaks no descriptor that nobody asks for, and tells how it was", () => {
      const before = descriptors();
      const [left, right] = pair();
      const own = files(5);
      for (const most of [0, 1, 2, 3, 4, 5, 6]) {
        left.sendMessage(bytesOf("a"), own);
        const held = descriptors();
        const message = received(right, 10, most);
        assertEquals(message.fds.map(contentOf).length, Math.min(most, 5));
        assertEquals(message.fdsTruncated, most < 5);
        assertEquals(openedSince(held).length, Math.min(most, 5));
        closeAll(message.fds);
      }
      // Neither does one that is looked at, or never received.
      left.sendMessage(bytesOf("a"), own);
      const peeked = right.peekMessage(new Uint8Array(1));
      assert(peeked !== WouldBlock);
      assertEquals([peeked.length, peeked.fds.length, peeked.fdsTruncated], [1, 0, false]);
      left.sendMessage(bytesOf("b"), [left.fd, right.fd]);
      closeAll([...own, left, right]);
      assertEquals(openedSince(before), []);
    });

    it("tells each message's sender where that is asked for, and its descriptors still", () => {
      const [left, right] = pair();
      const { uid, gid } = left.peerCredentials;
      assertEquals({ uid, gid }, { uid: process.getuid?.() ?? -1, gid: process.getgid?.() ?? -1 });
      assertEquals(left.peerCredentials.pid, process.pid);
      left.sendMessage(bytesOf("before"));
      assertEquals(received(right).credentials, undefined);
      right.setPassCredentials(true);
      left.sendMessage(bytesOf("after"));
      assertEquals(received(right).credentials, { pid: process.pid, uid, gid });
      left.sendMessage(bytesOf("with"), [left.fd, right.fd]);
      const both = received(right, 10, 2);
      assertEquals([both.credentials?.pid, both.fds.length, both.fdsTruncated], [process.pid, 2, false]);
      left.sendMessage(bytesOf("with"), [left.fd, right.fd]);
      const cut = received(right, 10, 1);
      assertEquals([cut.credentials?.pid, cut.fds.length, cut.fdsTruncated], [process.pid, 1, true]);
      right.setPassCredentials(false);
      left.sendMessage(bytesOf("none"));
      assertEquals(received(right).credentials, undefined);
      closeAll([...both.fds, ...cut.fds, left, right]);
    });

    it("refuses what is no bytes and no descriptor, and says which", () => {
      const [left, right] = pair();
      const send = (...given: unknown[]) => Reflect.apply(left.sendMessage, left, given);
      assertThrows(() => send("text"), TypeError, "bytes is no Uint8Array");
      assertThrows(() => send(bytesOf("a"), 1), TypeError, "fds is 1, and no list");
      assertThrows(() => send(bytesOf("a"), [left.fd, 1]), TypeError, "fds[1] is no Fd");
      const closed = left.fd.dup();
      closed.close();
      assertThrows(() => send(bytesOf("a"), [closed]), Error, "was closed");
      assertThrows(
        () => Reflect.apply(right.receiveMessage, right, [[]]),
        TypeError,
        "into is no Uint8Array",
      );
      assertThrows(() => Reflect.apply(right.setPassCredentials, right, [1]), TypeError, "no boolean");
      assertThrows(() => right.setSendBufferSize(0), RangeError, "bytes is 0");
      assertEquals(right.receiveMessage(new Uint8Array(1)), WouldBlock);
      closeAll([left, right]);
    });

    it("moves more than its scratch holds at once", () => {
      const [left, right] = pair();
      const bytes = Uint8Array.from({ length: 100_000 }, (_, i) => i * 31 >> 3);
      assertEquals(left.sendMessage(bytes, [left.fd]), bytes.length);
      const into = new Uint8Array(100_001);
      const message = right.receiveMessage(into, 1);
      assert(message !== WouldBlock);
      assertEquals([message.fds.length, message.truncated], [1, false]);
      // A read of a stream ends where the descriptors' part of it does.
      const { length } = message;
      const rest = length < bytes.length ? right.receiveMessage(into.subarray(length)) : { length: 0 };
      assert(rest !== WouldBlock);
      assertEquals(length + rest.length, bytes.length);
      assertEquals(into.subarray(0, bytes.length), bytes);
      closeAll([...message.fds, left, right]);
    });
  });
}

describe("datagrams of this machine", () => {
  it("come whole and in order, tell whose they are, and what was cut", () => {
    const name = abstractName();
    using server = UnixDatagramSocket.bind({ abstract: name });
    assertEquals(server.localAddress, { abstract: name });
    using named = UnixDatagramSocket.autobound();
    assertMatch(String(named.localAddress.abstract), /^[0-9a-f]{5}$/);
    using nameless = UnixDatagramSocket.unbound();
    assertEquals(nameless.localAddress, {});
    assertEquals(named.sendMessage(bytesOf("abcdef"), [], { abstract: name }), 6);
    assertEquals(nameless.sendMessage(bytesOf("gh"), [], { abstract: name }), 2);
    assertEquals(nameless.sendMessage(new Uint8Array(0), [], { abstract: name }), 0);
    const { length, truncated, address } = received(server, 4);
    assertEquals({ length, truncated, address }, { length: 4, truncated: true, address: named.localAddress });
    assertEquals(received(server, 4).address, {});
    assertEquals([received(server).length, server.receiveMessage(new Uint8Array(1))], [0, WouldBlock]);
  });

  it("say where nobody is, or nobody is any more", () => {
    const path = join(folder, "gone");
    using client = UnixDatagramSocket.unbound();
    const error = assertThrows(() => client.sendMessage(bytesOf("a"), [], { path }), SystemError, path);
    assertEquals(error.code, "ENOENT");
    const name = abstractName();
    const refused = assertThrows(
      () => client.sendMessage(bytesOf("a"), [], { abstract: name }),
      SystemError,
      `@${name}`,
    );
    assertEquals(refused.code, "ECONNREFUSED");
    assertEquals(assertThrows(() => client.sendMessage(bytesOf("a")), SystemError).code, "ENOTCONN");
    assertEquals(assertThrows(() => client.remoteAddress, SystemError).code, "ENOTCONN");
    const server = UnixDatagramSocket.bind({ path });
    client.connect({ path });
    assertEquals(client.remoteAddress, { path });
    server[Symbol.dispose]();
    assertEquals(assertThrows(() => client.sendMessage(bytesOf("a")), SystemError).code, "ECONNREFUSED");
    const stream = join(folder, "stream");
    using _listener = UnixSocket.listen(stream);
    const other = assertThrows(() => client.connect({ path: stream }), SystemError, stream);
    assertEquals(other.code, "EPROTOTYPE");
  });

  it("are told of where they are too large, and wait where they are too many", () => {
    const [left, right] = UnixDatagramSocket.pair();
    left.setSendBufferSize(10_000);
    assertEquals(left.sendBufferSize, 20_000);
    const error = assertThrows(() => left.sendMessage(new Uint8Array(100_000)), SystemError, "sendmsg");
    assertEquals(error.code, "EMSGSIZE");
    let sent = 0;
    while (sent < 10_000 && left.sendMessage(bytesOf("a")) === 1) sent++;
    assert(sent > 0 && sent < 10_000, `${sent} were sent`);
    for (let i = 0; i < sent; i++) assertEquals(received(right).length, 1);
    assertEquals(left.sendMessage(bytesOf("a")), 1);
    left.shutdown("write");
    assertEquals(assertThrows(() => left.sendMessage(bytesOf("a")), SystemError).code, "EPIPE");
    closeAll([left, right]);
  });
});

describe("addresses of this machine", () => {
  it("are told as they were given, whatever bytes a name has", () => {
    const prefix = abstractName().slice(0, 40);
    const names = fc.uint8Array({ minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(names, (bytes) => {
        const name = new Uint8Array([...bytesOf(prefix), ...bytes]);
        using listener = UnixSocket.listen({ abstract: name });
        const { abstract = "" } = listener.localAddress;
        assertEquals(typeof abstract === "string" ? bytesOf(abstract) : new Uint8Array(abstract), name);
        using client = UnixSocket.connect({ abstract });
        assertEquals(client.remoteAddress, listener.localAddress);
        const accepted = listener.acceptFrom();
        assert(accepted !== WouldBlock);
        assertEquals(accepted.address, {});
        accepted.socket[Symbol.dispose]();
      }),
      { numRuns: 50 },
    );
  });

  it("have up to 107 bytes, by path and by name", () => {
    const room = 107 - folder.length - 1;
    const path = join(folder, "x".repeat(room));
    using listener = UnixSocket.listen({ path });
    assertEquals(listener.localAddress, { path });
    using _client = UnixSocket.connect(path);
    assertThrows(() => UnixSocket.listen({ path: `${path}x` }), RangeError, "1 to 107 bytes");
    const longest = abstractName().padEnd(107, "y");
    using _named = UnixSocket.listen({ abstract: longest });
    assertThrows(() => UnixSocket.listen({ abstract: `${longest}y` }), RangeError, "1 to 107 bytes");
    assertThrows(() => UnixSocket.listen({ abstract: "" }), RangeError, "1 to 107 bytes");
    assertThrows(() => UnixSocket.connect({ path: "" }), RangeError, "1 to 107 bytes");
    assertThrows(
      () => Reflect.apply(UnixSocket.listen, UnixSocket, [{ abstract: 1 }]),
      TypeError,
      "abstract is",
    );
  });

  it("say why a path cannot be had: no folder, no permission, a file, somebody who listens", () => {
    const codeOf = (path: string) => assertThrows(() => UnixSocket.listen({ path }), SystemError, path).code;
    assertEquals(codeOf(join(folder, "none", "socket")), "ENOENT");
    const file = join(folder, "file");
    writeFileSync(file, "");
    assertEquals(codeOf(file), "EADDRINUSE");
    assertEquals(codeOf(join(file, "socket")), "ENOTDIR");
    const path = join(folder, "listening");
    using _listener = UnixSocket.listen({ path });
    assertEquals(codeOf(path), "EADDRINUSE");
    assertThrows(() => UnixSocket.listen({ path }, 1, { replace: true }), SystemError, "EADDRINUSE");
    using _client = UnixSocket.connect(path);
    assertEquals(assertThrows(() => UnixSocket.connect(file), SystemError, file).code, "ECONNREFUSED");
  });

  it("are refused without permission", {
    skip: skipping(process.getuid?.() === 0 ? "root may do everything" : false),
  }, () => {
    const closed = mkdtempSync(join(folder, "closed-"));
    chmodSync(closed, 0o500);
    assertThrows(() => UnixSocket.listen({ path: join(closed, "socket") }), SystemError, "EACCES");
  });

  it("have the permissions that were asked for, whatever the umask", () => {
    const before = process.umask(0o77);
    try {
      for (const mode of [0o600, 0o660, 0o777, 0o000]) {
        const path = join(folder, `mode-${mode.toString(8)}`);
        using _listener = UnixSocket.listen({ path }, 1, { mode });
        assertEquals(statSync(path).mode & 0o777, mode);
      }
    } finally {
      process.umask(before);
    }
    const path = join(folder, "mode");
    for (const mode of [-1, 0o1000, 1.5]) {
      assertThrows(() => UnixSocket.listen({ path }, 1, { mode }), RangeError, "mode is");
    }
    const abstract = abstractName();
    assertThrows(
      () => UnixSocket.listen({ abstract }, 1, { mode: 0o600 }),
      TypeError,
      "mode goes with a path",
    );
    const bind = (options: unknown) => Reflect.apply(UnixSocket.listen, UnixSocket, [{ path }, 1, options]);
    assertThrows(() => bind({ replaces: true }), TypeError, "there is no option");
    assertThrows(() => bind({ replace: 1 }), TypeError, "replace is 1");
  });

  it("that a process has left say what to do, and are replaced where that is asked for", () => {
    const path = join(folder, "stale");
    for (const listen of [UnixSocket.listen, UnixDatagramSocket.bind]) {
      UnixSocket.listen({ path }, 1, { replace: true })[Symbol.dispose]();
      const open = (replace: boolean) =>
        listen === UnixSocket.listen
          ? UnixSocket.listen({ path }, 1, { replace })
          : UnixDatagramSocket.bind({ path }, { replace });
      const before = descriptors();
      const error = assertThrows(() => open(false), SystemError, "bind with { replace: true }");
      assertEquals([error.code, error.path], ["EADDRINUSE", path]);
      assertEquals(openedSince(before), []);
      using socket = open(true);
      assertEquals(socket.localAddress, { path });
      assertEquals(readdirSync(folder).filter((name) => name.startsWith("stale.")), []);
      socket[Symbol.dispose]();
    }
    // A link is no socket's file: it is not followed, and stays.
    const link = join(folder, "link");
    symlinkSync(path, link);
    assertThrows(() => UnixSocket.listen({ path: link }, 1, { replace: true }), SystemError, "EADDRINUSE");
    assertEquals(readdirSync(folder).includes("link"), true);
  });

  it("ask Deno for reading, writing and net at a path, and for all of net for a name", {
    skip: skipping(Reflect.has(globalThis, "Deno") ? false : "only Deno has permissions"),
  }, () => {
    const path = join(folder, "permitted");
    const source = `
      import { UnixDatagramSocket, UnixSocket } from "${moduleUrl("lib/io/mod.ts")}";
      function outcome(use) { try { using socket = use(); return "went"; } catch (error) { return error.name; } }
      const path = "${path}";
      const abstract = "${abstractName()}";
      const datagrams = UnixDatagramSocket.unbound();
      console.log([
        outcome(() => UnixSocket.listen({ path })),
        outcome(() => UnixSocket.connect({ path })),
        outcome(() => { datagrams.sendMessage(new Uint8Array(1), [], { path }); }),
        outcome(() => UnixSocket.listen({ abstract })),
        outcome(() => UnixDatagramSocket.bind({ abstract })),
        outcome(() => UnixDatagramSocket.autobound()),
      ].join());`;
    const refused = "NotCapable";
    const [read, write] = [`--allow-read=${path}`, `--allow-write=${path}`];
    const outcomes = (...permissions: string[]) => {
      rmSync(path, { force: true });
      return outputOf(source, { permissions: ["--allow-ffi", ...permissions] }).split(",");
    };
    assertEquals(outcomes(read, write), new Array(6).fill(refused));
    assertEquals(outcomes("--allow-net", read), [refused, refused, refused, "went", "went", "went"]);
    assertEquals(outcomes("--allow-net", write), [refused, refused, refused, "went", "went", "went"]);
    assertEquals(
      outcomes(read, write, `--allow-net=unix:${path}`),
      ["went", "SystemError", "SystemError", refused, refused, refused],
    );
  });
});

describe("descriptors that are passed to and fro", () => {
  it("leave none behind, however often", { timeout: LONG_MS }, () => {
    const before = descriptors();
    const [left, right] = UnixSocket.pair();
    const [leftEnd, rightEnd] = UnixDatagramSocket.pair();
    const cycles = tiered({ quick: 500, full: 100_000, soak: 1_000_000 });
    for (let i = 0; i < cycles; i++) {
      left.sendMessage(bytesOf("a"), [left.fd, right.fd]);
      leftEnd.sendMessage(bytesOf("a"), [left.fd, right.fd]);
      closeAll(received(right, 1, i % 4).fds);
      closeAll(received(rightEnd, 1, i % 4).fds);
    }
    assertEquals(openedSince(before).length, 4);
    closeAll([left, right, leftEnd, rightEnd]);
    assertEquals(openedSince(before), []);
  });
});
