import { after, before, beforeEach, describe, it } from "node:test";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { SystemError } from "../../ffi/mod.ts";
import { shown } from "../../lib/io/arguments.ts";
import { Fd, Socket } from "../../lib/io/mod.ts";
import { descriptors, openedSince } from "../descriptors.ts";

const O_ACCMODE = 0o3;
const O_RDONLY = 0;
const O_WRONLY = 1;
const O_RDWR = 2;
const O_NONBLOCK = 0o4000;
const O_CLOEXEC = 0o2000000;

let folder: string;
let path: string;

before(() => {
  folder = mkdtempSync(join(tmpdir(), "oxbow-fd-"));
  path = join(folder, "file.txt");
});

after(() => rmSync(folder, { recursive: true }));

beforeEach(() => writeFileSync(path, "contents"));

/** The kernel's word on how a descriptor was opened. */
function flagsOf(fd: Fd): number {
  const text = readFileSync(`/proc/self/fdinfo/${fd.number}`, "latin1");
  return parseInt(/^flags:\s+(\d+)/m.exec(text)?.[1] ?? "", 8);
}

describe("Fd.open", () => {
  it("opens for reading where nothing is said", () => {
    using fd = Fd.open(path);
    assert(fd.number > 2);
    assertEquals(flagsOf(fd) & O_ACCMODE, O_RDONLY);
  });

  it("opens for what is asked", () => {
    for (
      const [options, access] of [
        [{ read: true }, O_RDONLY],
        [{ write: true }, O_WRONLY],
        [{ read: true, write: true }, O_RDWR],
        [{ read: false, write: true }, O_WRONLY],
      ] as const
    ) {
      using fd = Fd.open(path, options);
      assertEquals(flagsOf(fd) & O_ACCMODE, access);
    }
    assertEquals(readFileSync(path, "utf8"), "contents");
  });

  it("keeps the descriptor from children, and from waiting", () => {
    using fd = Fd.open(path);
    assertEquals(flagsOf(fd) & (O_CLOEXEC | O_NONBLOCK), O_CLOEXEC | O_NONBLOCK);
  });

  it("does not wait for a pipe's other end", () => {
    const pipe = join(folder, "pipe");
    assertEquals(spawnSync("mkfifo", [pipe]).status, 0);
    using fd = Fd.open(pipe);
    assertEquals(fd.status().type, "fifo");
    fd.close();
    const error = assertThrows(() => Fd.open(pipe, { write: true }), SystemError);
    assertEquals(error.code, "ENXIO");
  });

  it("makes a file where it is asked to, with the mode that is asked for", () => {
    for (const [mode, expected] of [[0o600, 0o600], [0o400, 0o400], [undefined, 0o666]] as const) {
      const made = join(folder, `made-${mode}`);
      const error = assertThrows(() => Fd.open(made, { write: true }), SystemError);
      assertEquals([error.code, existsSync(made)], ["ENOENT", false]);
      Fd.open(made, { write: true, create: true, ...(mode === undefined ? {} : { mode }) }).close();
      assertEquals(statSync(made).mode & 0o777 & ~expected, 0);
      assertEquals(statSync(made).mode & 0o700, expected & 0o700);
      assertEquals(statSync(made).size, 0);
    }
  });

  it("keeps what a file holds, unless it is to be cut", () => {
    Fd.open(path, { write: true, create: true }).close();
    assertEquals(readFileSync(path, "utf8"), "contents");
    Fd.open(path, { write: true, truncate: true }).close();
    assertEquals(readFileSync(path, "utf8"), "");
  });

  it("does not make a file in order to cut it", () => {
    const none = join(folder, "none");
    const error = assertThrows(() => Fd.open(none, { write: true, truncate: true }), SystemError);
    assertEquals([error.code, existsSync(none)], ["ENOENT", false]);
  });

  it("refuses what contradicts itself, and touches nothing", () => {
    for (const options of [{ create: true }, { truncate: true }, { read: true, truncate: true }]) {
      assertThrows(() => Fd.open(path, options), TypeError, "asks for write");
    }
    assertThrows(() => Fd.open(path, { read: false }), TypeError, "neither read nor write is asked for");
    assertThrows(() => Fd.open(path, { read: false, write: false }), TypeError, "neither");
    assertEquals(readFileSync(path, "utf8"), "contents");
  });

  it("names an option that is wrong, and neither opens nor makes a file", () => {
    const none = join(folder, "not-made");
    const wrong: [options: unknown, error: typeof TypeError, sentence: string][] = [
      ...[null, 1, "r", []].map((options): [unknown, typeof TypeError, string] => [
        options,
        TypeError,
        "options are no object",
      ]),
      ...["x", -1, 0.5, NaN, 0o10000, 2 ** 32, null, 1n, Symbol("m")].map((
        mode,
      ): [unknown, typeof TypeError, string] => [
        { write: true, create: true, mode },
        RangeError,
        `mode is ${shown(mode)}, and no permissions from 0 to 0o7777`,
      ]),
      ...["read", "write", "create", "truncate"].flatMap((name) =>
        ["no", 1, null, {}, Object.create(null)].map((value): [unknown, typeof TypeError, string] => [
          { write: true, create: true, [name]: value },
          TypeError,
          `${name} is ${shown(value)}, and no boolean`,
        ])
      ),
      [
        { write: true, create: true, trunctate: true },
        TypeError,
        'there is no option "trunctate", only read',
      ],
    ];
    for (const [options, error, sentence] of wrong) {
      for (const name of [none, path]) {
        assertThrows(
          () => Reflect.apply(Fd.open, Fd, [name, options]),
          error,
          `cannot open ${name}: ${sentence}`,
        );
      }
    }
    assertEquals([existsSync(none), readFileSync(path, "utf8")], [false, "contents"]);
  });

  it("reads each option once", () => {
    const none = join(folder, "made-once");
    const asked: string[] = [];
    const values = { read: true, write: true, create: true, truncate: false, mode: 0o600 };
    const options = new Proxy(values, {
      get(target, name) {
        asked.push(String(name));
        return Reflect.get(target, name);
      },
    });
    Fd.open(none, options).close();
    assertEquals(asked.sort(), Object.keys(values).sort());
  });

  it("throws what open(2) says", () => {
    const loop = join(folder, "loop");
    symlinkSync(loop, loop);
    for (
      const [name, options, code] of [
        [join(folder, "none"), {}, "ENOENT"],
        [join(path, "below"), {}, "ENOTDIR"],
        [folder, { write: true }, "EISDIR"],
        [loop, {}, "ELOOP"],
        [join(folder, "no", "such"), { write: true, create: true }, "ENOENT"],
      ] as const
    ) {
      const error = assertThrows(() => Fd.open(name, options), SystemError, `open ${name} failed: `);
      assertEquals([error.code, error.path], [code, name]);
    }
  });

  it("takes a file: URL, and refuses what is no path", () => {
    using fd = Fd.open(pathToFileURL(path));
    assertEquals(fd.status().size, 8);
    for (const value of [undefined, null, 3, {}]) {
      assertThrows(() => Reflect.apply(Fd.open, Fd, [value]), TypeError, "path is no string and no URL");
    }
    assertThrows(() => Fd.open("a\0b"), TypeError, 'cannot open "a\\u0000b": it holds a NUL');
    assertThrows(() => Fd.open(""), TypeError, 'cannot open "": path is empty');
    assertThrows(
      () => Reflect.apply(Fd.open, Fd, [Object.create(null)]),
      TypeError,
      "cannot open an object: path",
    );
    assertThrows(
      () => Fd.open(new URL("https://127.0.0.1/x")),
      TypeError,
      "cannot open https://127.0.0.1/x: it is no file: URL of this machine",
    );
  });
});

describe("Fd.status", () => {
  it("is what the host's own stat says", () => {
    const types = { directory: folder, regular: path, character: "/dev/null" } as const;
    for (const [type, name] of Object.entries(types)) {
      using fd = Fd.open(name);
      const { dev, ino, size } = statSync(name, { bigint: true });
      assertEquals({ ...fd.status() }, {
        type: fd.status().type,
        device: dev,
        inode: ino,
        size: Number(size),
      });
      assertEquals(`${fd.status().type}`, type);
    }
  });

  it("follows the file, and not its name", () => {
    using fd = Fd.open(path, { read: true, write: true });
    writeFileSync(path, "more contents");
    rmSync(path);
    assertEquals([fd.status().size, fd.status().type], [13, "regular"]);
  });

  it("knows a socket", () => {
    using socket = Socket.listen({ hostname: "127.0.0.1", port: 0 });
    assertEquals(socket.fd.status().type, "socket");
  });
});

describe("an Fd", () => {
  it("is closed once, and a use after that is an error", () => {
    const fd = Fd.open(path);
    fd.close();
    assertEquals(fd.isClosed, true);
    const sentence = "cannot use a file descriptor that was closed";
    assertThrows(() => fd.number, Error, sentence);
    assertThrows(() => fd.status(), Error, sentence);
    assertThrows(() => fd.dup(), Error, sentence);
  });

  it("never closes another's number", () => {
    const first = Fd.open(path);
    first.close();
    const others = Array.from({ length: 20 }, () => Fd.open(path));
    first.close();
    first[Symbol.dispose]();
    for (const fd of others) assertEquals(fd.status().size, 8);
    for (const fd of others) fd.close();
  });

  it("comes with using", () => {
    let last: Fd;
    {
      using fd = Fd.open(path);
      last = fd;
      assertEquals(fd.isClosed, false);
    }
    assertEquals(last.isClosed, true);
  });

  it("has a second descriptor by dup, which children do not inherit either", () => {
    const fd = Fd.open(path);
    using second = fd.dup();
    assertNotEquals(second.number, fd.number);
    assertEquals(flagsOf(second) & O_CLOEXEC, O_CLOEXEC);
    assertEquals(second.status(), fd.status());
    fd.close();
    assertEquals(second.status().size, 8);
  });

  it("takes over a descriptor that was opened elsewhere", () => {
    const fd = Fd.open(path);
    const owner = Fd.unsafeOwn(fd.dup().number);
    assertEquals(owner.status(), fd.status());
    owner.close();
    assertEquals(owner.isClosed, true);
    fd.close();
  });

  it("cannot own what is no descriptor", () => {
    for (const number of [-1, 0.5, NaN, Infinity, "3", Symbol("3"), Object.create(null)]) {
      assertThrows(
        () => Reflect.apply(Fd.unsafeOwn, Fd, [number]),
        RangeError,
        `cannot own descriptor ${shown(number)}`,
      );
    }
  });

  it("is known by what it is, and not by what it says", () => {
    using fd = Fd.open(path);
    const closed = fd.dup();
    closed.close();
    const bare = Object.setPrototypeOf(fd.dup(), null);
    for (const value of [fd, closed, bare]) assertEquals(Fd.isFd(value), true);
    Fd.prototype.close.call(bare);
    const forged = Object.create(Fd.prototype, { number: { value: 0 } });
    for (
      const value of [forged, Object.create(fd), { ...fd }, new Proxy(fd, {}), null, undefined, 1, Fd, {}]
    ) {
      assertEquals(Fd.isFd(value), false);
    }
  });

  it("does what it does with its own number, whatever it was made to say", () => {
    const fd = Fd.open(path);
    const { number } = fd;
    Object.defineProperty(fd, "number", { value: 0 });
    assertEquals(fd.status().size, 8);
    using second = fd.dup();
    assertEquals(second.status(), fd.status());
    fd.close();
    assertEquals([existsSync("/proc/self/fd/0"), existsSync(`/proc/self/fd/${number}`)], [true, false]);
  });

  it("is made by its own functions alone, or any number would be a descriptor that may be closed", () => {
    for (const args of [[1], [Symbol("Fd"), 1]]) {
      assertThrows(() => Reflect.construct(Fd, args), TypeError, "cannot make an Fd: call Fd.open");
    }
  });

  it("leaves nothing open over many cycles", () => {
    const before = descriptors();
    for (let i = 0; i < 5_000; i++) {
      using fd = Fd.open(path);
      fd.dup().close();
    }
    assert(openedSince(before).length <= 10);
  });
});
