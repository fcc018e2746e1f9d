import { after, before, describe, it } from "node:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { libc, SystemError } from "../../ffi/mod.ts";
import { Fd, UnixSocket, WouldBlock } from "../../lib/io/mod.ts";
import { Mmap } from "../../lib/mem/mmap.ts";
import { moduleUrl, outputOf } from "../child.ts";
import { descriptors, openedSince } from "../descriptors.ts";

let folder: string;

before(() => {
  folder = mkdtempSync(join(tmpdir(), "oxbow-unix-"));
});

after(() => rmSync(folder, { recursive: true }));

function fileOf(text: string): string {
  const path = join(folder, `${text}.txt`);
  writeFileSync(path, text);
  return path;
}

function text(fd: Fd): string {
  using map = Mmap.fromFd(fd);
  return new TextDecoder().decode(map.bytes().slice());
}

describe("a pair of sockets", () => {
  it("passes descriptors on, in their order, whose own are closed", () => {
    const [left, right] = UnixSocket.pair();
    for (const word of ["first", "second", "third"]) {
      using fd = Fd.open(fileOf(word));
      assertEquals(left.sendFd(fd), 1);
    }
    for (const word of ["first", "second", "third"]) {
      const fd = right.receiveFd();
      assert(fd instanceof Fd);
      assertEquals(text(fd), word);
      fd.close();
    }
    assertEquals(right.receiveFd(), WouldBlock);
    left[Symbol.dispose]();
    assertEquals(right.receiveFd(), undefined);
    right[Symbol.dispose]();
  });

  it("says when it is full, and that its peer has gone, without a signal", () => {
    const [left, right] = UnixSocket.pair();
    using fd = Fd.open(fileOf("full"));
    let sent = 0;
    while (sent < 10_000 && left.sendFd(fd) === 1) sent++;
    assert(sent > 0 && sent < 10_000, `${sent} were sent`);
    right[Symbol.dispose]();
    assertEquals(assertThrows(() => left.sendFd(fd), SystemError, "sendmsg").code, "EPIPE");
    left[Symbol.dispose]();
    assertThrows(() => left.sendFd(fd), Error, "cannot use a file descriptor that was closed");
    for (
      const value of [
        0,
        null,
        undefined,
        { number: 0 },
        Object.create(Fd.prototype, { number: { value: 0 } }),
      ]
    ) {
      assertThrows(
        () => Reflect.apply(left.sendFd, left, [value]),
        TypeError,
        "cannot send a descriptor: fd is no Fd",
      );
    }
    assertThrows(() => left.receiveFd(), Error, "cannot use a file descriptor that was closed");
  });

  it("refuses a byte that carries nothing, and a descriptor that was closed", () => {
    const [left, right] = UnixSocket.pair();
    assertEquals(libc().write(left.fd.number, new Uint8Array(1), 1), 1n);
    assertThrows(() => right.receiveFd(), TypeError, "the peer sent a byte without one");
    const fd = Fd.open(fileOf("closed"));
    fd.close();
    assertThrows(() => left.sendFd(fd), Error, "cannot use a file descriptor that was closed");
    assertEquals(right.receiveFd(), WouldBlock);
    left[Symbol.dispose]();
    right[Symbol.dispose]();
  });

  it("keeps no descriptor to itself", () => {
    const before = descriptors();
    for (let i = 0; i < 100; i++) {
      const [left, right] = UnixSocket.pair();
      left.sendFd(left.fd);
      const fd = right.receiveFd();
      assert(fd instanceof Fd);
      fd.close();
      left[Symbol.dispose]();
      right[Symbol.dispose]();
    }
    assertEquals(openedSince(before), []);
  });
});

describe("a socket at a path", () => {
  it("is found by its path, and not before it listens", () => {
    const path = join(folder, "socket");
    assertEquals(assertThrows(() => UnixSocket.connect(path), SystemError, path).code, "ENOENT");
    using listener = UnixSocket.listen(path);
    assertEquals(listener.accept(), WouldBlock);
    using client = UnixSocket.connect(path);
    const server = listener.accept();
    assert(server instanceof UnixSocket);
    using fd = Fd.open(fileOf("path"));
    server.sendFd(fd);
    const received = client.receiveFd();
    assert(received instanceof Fd);
    assertEquals(text(received), "path");
    received.close();
    server[Symbol.dispose]();
    assertEquals(assertThrows(() => UnixSocket.listen(path), SystemError, path).code, "EADDRINUSE");
  });

  it("names a path that is none", () => {
    for (const path of ["", "x".repeat(108), "a\0b"]) {
      assertThrows(() => UnixSocket.listen(path), RangeError, "path is no text of 1 to 107 bytes");
      assertThrows(() => UnixSocket.connect(path), RangeError, `cannot connect to ${path}`);
    }
    for (const path of [1, null, undefined]) {
      assertThrows(
        () => Reflect.apply(UnixSocket.listen, UnixSocket, [path]),
        TypeError,
        "path is no string",
      );
    }
    for (const address of [{}, { path: "a", abstract: "b" }]) {
      assertThrows(
        () => Reflect.apply(UnixSocket.listen, UnixSocket, [address]),
        TypeError,
        "it is neither { path } nor { abstract }",
      );
    }
  });
});

describe("another process", () => {
  it("maps the memory that it is sent, and both see what either writes", () => {
    const source = `
      import { spawn } from "node:child_process";
      import { writeFileSync } from "node:fs";
      import process from "node:process";
      import { Epoll, EPOLLIN, UnixSocket } from "${moduleUrl("lib/io/mod.ts")}";
      import { Mmap } from "${moduleUrl("lib/mem/mmap.ts")}";
      const map = Mmap.memfd("passed", 10_000, { seals: ["grow", "shrink"] });
      map.bytes()[0] = 1;
      using listener = UnixSocket.listen("./socket");
      writeFileSync("peer.mjs", \`
        import { Epoll, EPOLLIN, UnixSocket } from "${moduleUrl("lib/io/mod.ts")}";
        import { Mmap } from "${moduleUrl("lib/mem/mmap.ts")}";
        using socket = UnixSocket.connect("./socket");
        using epoll = new Epoll();
        epoll.add(socket.fd, EPOLLIN, 0);
        epoll.wait(20_000);
        using fd = socket.receiveFd();
        using map = Mmap.fromFd(fd, { mode: "r+" });
        map.bytes()[9_999] = map.bytes()[0] + map.byteLength / 1_000;
      \`);
      const options = typeof Deno === "undefined" ? [] : ["run", "-A", "--no-config", "--no-lock", "--quiet"];
      const peer = spawn(process.execPath, [...options, "peer.mjs"], { stdio: ["ignore", "inherit", "inherit"] });
      const end = new Promise((resolve) => peer.on("close", resolve));
      using epoll = new Epoll();
      epoll.add(listener.fd, EPOLLIN, 0);
      epoll.wait(20_000);
      using connection = listener.accept();
      using fd = map.dupFd();
      connection.sendFd(fd);
      console.log(await end, map.bytes()[0], map.bytes()[9_999]);`;
    assertEquals(outputOf(source), "0 1 11");
  });
});
