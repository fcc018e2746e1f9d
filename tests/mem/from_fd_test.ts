import { describe, it } from "node:test";
import { readdirSync, readFileSync, readlinkSync, renameSync, truncateSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { SystemError } from "../../ffi/mod.ts";
import { Fd, Socket } from "../../lib/io/mod.ts";
import { Mmap } from "../../lib/mem/mmap.ts";
import { pattern, scratch } from "./scratch.ts";

const SIZE = 3 * 4096 + 123;
const contents = pattern(SIZE);
const disk = scratch();

describe("Mmap.fromFd", () => {
  it("maps what a descriptor has open, which may be closed then", () => {
    const path = disk.file(contents);
    const fd = Fd.open(path, { read: true, write: true });
    const maps = (["r", "r+", "c"] as const).map((mode) => Mmap.fromFd(fd, { mode, offset: 10 }));
    fd.close();
    for (const map of maps) assertEquals(map.bytes(), contents.slice(10));
    maps[1].bytes().fill(9, 0, 1);
    assertEquals(maps.map((map) => map.bytes()[0]), [9, 9, 9]);
    assertEquals(readFileSync(path)[10], 9);
    for (const map of maps) map[Symbol.dispose]();
  });

  it("says which descriptor it was, in errors", () => {
    using fd = Fd.open(disk.file(contents));
    using map = Mmap.fromFd(fd);
    assertEquals(map.path, `descriptor ${fd.number}`);
    assertThrows(
      () => Mmap.fromFd(fd, { offset: SIZE + 1 }),
      RangeError,
      `cannot map descriptor ${fd.number}: offset is ${SIZE + 1}, and the file has ${SIZE} bytes`,
    );
  });

  it("refuses to write to what is open for reading, and to read what is open for writing", () => {
    const path = disk.file(contents);
    using fd = Fd.open(path);
    const error = assertThrows(
      () => Mmap.fromFd(fd, { mode: "r+" }),
      SystemError,
      `mmap descriptor ${fd.number}`,
    );
    assertEquals([error.code, error.syscall], ["EACCES", "mmap"]);
    assert(error.message.includes("open it with write, or take mode c"), error.message);
    using copy = Mmap.fromFd(fd, { mode: "c" });
    copy.bytes()[0] ^= 255;
    using writer = Fd.open(path, { write: true });
    for (const mode of ["r", "c", "r+"] as const) {
      const error = assertThrows(() => Mmap.fromFd(writer, { mode }), SystemError, "is not open for reading");
      assertEquals(error.code, "EACCES");
    }
    assertEquals(readFileSync(path).equals(contents), true);
  });

  it("refuses what has no pages", () => {
    using folder = Fd.open(disk.folder);
    assertThrows(() => Mmap.fromFd(folder), TypeError, "it is a directory");
    using nothing = Fd.open("/dev/null");
    assertThrows(() => Mmap.fromFd(nothing), TypeError, "another device");
    const pipe = join(disk.folder, "pipe");
    assertEquals(spawnSync("mkfifo", [pipe]).status, 0);
    using fifo = Fd.open(pipe);
    assertThrows(() => Mmap.fromFd(fifo), TypeError, "it is a pipe");
    using socket = Socket.listen({ hostname: "127.0.0.1", port: 0 });
    assertThrows(() => Mmap.fromFd(socket.fd), TypeError, "it is a socket");
    using made = Fd.open("/proc/self/status");
    const error = assertThrows(() => Mmap.fromFd(made, { length: 0 }), SystemError, "read it instead");
    assertEquals(error.code, "ENODEV");
  });

  it("refuses a descriptor that was closed, and what is none", () => {
    const fd = Fd.open(disk.file(contents));
    fd.close();
    assertThrows(() => Mmap.fromFd(fd), Error, "cannot use a file descriptor that was closed");
    for (const value of [1, "1", null, undefined, {}, { number: 1 }, { number: 1, dup: () => 1 }]) {
      assertThrows(
        () => Reflect.apply(Mmap.fromFd, Mmap, [value]),
        TypeError,
        "cannot map a descriptor: fd is no Fd",
      );
    }
  });

  it("refuses what only says that it is a descriptor, and goes by the number of one that is", () => {
    const path = disk.file(contents);
    using fd = Fd.open(path);
    using other = Fd.open(disk.file(10));
    const forged = Object.create(Fd.prototype, {
      number: { value: fd.number },
      dup: { value: () => forged },
    });
    for (const value of [forged, Object.create(fd), new Proxy(fd, {})]) {
      assertThrows(() => Mmap.fromFd(value), TypeError, "cannot map a descriptor: fd is no Fd");
    }
    const { number } = fd;
    Object.defineProperties(fd, {
      number: { value: other.number },
      dup: { value: () => other },
      status: { value: () => ({ type: "regular", size: 1 << 20, device: 1n, inode: 1n }) },
    });
    using map = Mmap.fromFd(fd);
    assertEquals([map.path, map.byteLength], [`descriptor ${number}`, SIZE]);
    assertEquals(map.bytes(), contents);
  });

  it("takes modes that a descriptor has, and no others", () => {
    using fd = Fd.open(disk.file(contents));
    for (const mode of ["w+", "a+", "", null, 1]) {
      assertThrows(
        () => Reflect.apply(Mmap.fromFd, Mmap, [fd, { mode }]),
        TypeError,
        `cannot map a descriptor: mode is ${String(mode)}, and none of r, r+, c`,
      );
    }
    assertThrows(() => Reflect.apply(Mmap.fromFd, Mmap, [fd, null]), TypeError, "options are no object");
  });

  it("can do all that a map of a path can: remap, share, protect", () => {
    const path = disk.file(contents);
    using fd = Fd.open(path, { read: true, write: true });
    using map = Mmap.fromFd(fd, { mode: "r+" });
    map.remap(20_000);
    map.bytes()[19_999] = 7;
    using other = Mmap.adopt(map.share());
    map.protect("r");
    map.bytes()[19_999] = 8;
    assertEquals([other.bytes()[19_999], readFileSync(path)[19_999]], [7, 7]);
    using read = Mmap.fromFd(fd);
    truncateSync(path, 30_000);
    read.remap(30_000);
    assertEquals(read.bytes()[19_999], 7);
  });

  it("keeps no descriptor where it fails, and closes its own with the map", () => {
    const path = disk.file(contents);
    function count(): number {
      return readdirSync("/proc/self/fd").filter((fd) => {
        try {
          return readlinkSync(`/proc/self/fd/${fd}`) === path;
        } catch {
          return false;
        }
      }).length;
    }
    using fd = Fd.open(path);
    for (let i = 0; i < 20; i++) {
      assertThrows(() => Mmap.fromFd(fd, { offset: -1 }), RangeError);
      assertThrows(() => Mmap.fromFd(fd, { mode: "r+" }), SystemError);
      assertThrows(() => Mmap.fromFd(fd, { advice: "remove" }), SystemError);
    }
    assertEquals(count(), 1);
    const map = Mmap.fromFd(fd);
    assertEquals(count(), 2);
    map[Symbol.dispose]();
    assertEquals([count(), fd.isClosed], [1, false]);
  });
});

describe("dupFd", () => {
  it("gives a descriptor of its own, to what the map may do", () => {
    const path = disk.file(contents);
    for (const mode of ["r", "r+", "c"] as const) {
      const map = Mmap.open(path, { mode, offset: 5 });
      using fd = map.dupFd();
      map[Symbol.dispose]();
      using other = Mmap.fromFd(fd, { mode });
      assertEquals(other.bytes(), contents);
      if (mode !== "r+") {
        assertEquals(assertThrows(() => Mmap.fromFd(fd, { mode: "r+" }), SystemError).code, "EACCES");
      }
      assertThrows(() => map.dupFd(), Error, `cannot pass on ${path}: the map was disposed`);
    }
    using map = Mmap.open(path);
    renameSync(disk.file(contents), path);
    assertThrows(() => map.dupFd(), Error, `cannot pass on ${path}: another file has taken its path`);
  });
});
