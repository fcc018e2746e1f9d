import {
  chmodSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import fc from "fast-check";
import { hostName, SystemError } from "../../ffi/mod.ts";
import {
  Epoll,
  EPOLLIN,
  IN_ALL_EVENTS,
  IN_ATTRIB,
  IN_CLOSE,
  IN_CLOSE_WRITE,
  IN_CREATE,
  IN_DELETE,
  IN_DELETE_SELF,
  IN_DONT_FOLLOW,
  IN_IGNORED,
  IN_ISDIR,
  IN_MASK_ADD,
  IN_MASK_CREATE,
  IN_MODIFY,
  IN_MOVE,
  IN_MOVE_SELF,
  IN_MOVED_FROM,
  IN_MOVED_TO,
  IN_ONESHOT,
  IN_ONLYDIR,
  IN_OPEN,
  IN_Q_OVERFLOW,
  Inotify,
  type InotifyEvent,
  WouldBlock,
} from "../../lib/io/mod.ts";
import { moduleUrl, outputOf } from "../child.ts";
import { skipping } from "../skip.ts";
import { tiered } from "../tier.ts";
import { descriptors, openedSince } from "../descriptors.ts";

const root = mkdtempSync(join(tmpdir(), "oxbow-inotify-"));
let folder: string;
let made = 0;

beforeEach(() => {
  folder = join(root, `folder-${made++}`);
  mkdirSync(folder);
});

after(() => rmSync(root, { recursive: true }));

/** All that is in the queue. */
function all(inotify: Inotify): InotifyEvent[] {
  const events: InotifyEvent[] = [];
  for (;;) {
    const more = inotify.read();
    if (more === WouldBlock) return events;
    events.push(...more);
  }
}

function told(inotify: Inotify): [mask: number, name: string | undefined][] {
  return all(inotify).map(({ mask, name }) => [mask, name]);
}

describe("Inotify", () => {
  it("tells what happens in a folder, in order, with names", () => {
    using inotify = new Inotify();
    using epoll = new Epoll();
    epoll.add(inotify.fd, EPOLLIN, 0);
    const watch = inotify.watch(folder, IN_CREATE | IN_CLOSE_WRITE | IN_DELETE | IN_MODIFY);
    assertEquals([epoll.wait(0), inotify.read()], [0, WouldBlock]);
    writeFileSync(join(folder, "ox"), "contents");
    mkdirSync(join(folder, "bow"));
    rmSync(join(folder, "ox"));
    assertEquals(epoll.wait(1_000), 1);
    const events = all(inotify);
    assertEquals(events.map(({ mask, name }) => [mask, name]), [
      [IN_CREATE, "ox"],
      [IN_MODIFY, "ox"],
      [IN_CLOSE_WRITE, "ox"],
      [IN_CREATE | IN_ISDIR, "bow"],
      [IN_DELETE, "ox"],
    ]);
    assertEquals([...new Set(events.map(({ watch, cookie }) => `${watch} ${cookie}`))], [`${watch} 0`]);
    assertEquals(epoll.wait(0), 0);
  });

  it("tells the two ends of a move by one cookie, across folders", () => {
    const other = join(folder, "other");
    mkdirSync(other);
    writeFileSync(join(folder, "a"), "");
    using inotify = new Inotify();
    const from = inotify.watch(folder, IN_MOVE);
    const to = inotify.watch(pathToFileURL(other), IN_MOVE);
    renameSync(join(folder, "a"), join(other, "b"));
    const [left, arrived] = all(inotify);
    assertEquals([left.watch, left.mask, left.name], [from, IN_MOVED_FROM, "a"]);
    assertEquals([arrived.watch, arrived.mask, arrived.name], [to, IN_MOVED_TO, "b"]);
    assert(left.cookie !== 0 && left.cookie === arrived.cookie);
  });

  it("tells names of any length and script", () => {
    using inotify = new Inotify();
    inotify.watch(folder, IN_CREATE);
    const name = fc.string({ unit: "grapheme", minLength: 1 }).filter((name) =>
      name.isWellFormed() && !/[/\0]/.test(name) && !/^\.\.?$/.test(name) &&
      new TextEncoder().encode(name).length < 256
    );
    const seen = new Set<string>();
    fc.assert(fc.property(fc.oneof(name, fc.constantFrom("x".repeat(255), "牛")), (name) => {
      writeFileSync(join(folder, name), "");
      assertEquals(told(inotify), seen.has(name) ? [] : [[IN_CREATE, name]]);
      seen.add(name);
    }));
  });

  it("tells more than one read holds, and loses none", () => {
    using inotify = new Inotify();
    inotify.watch(folder, IN_CREATE);
    const names = Array.from({ length: 1000 }, (_, i) => `${i}-${"y".repeat(i % 200)}`);
    for (const name of names) writeFileSync(join(folder, name), "");
    assertEquals(all(inotify).map(({ name }) => name), names);
  });

  it("tells of a file itself without a name, and that it is gone", () => {
    const file = join(folder, "file");
    writeFileSync(file, "");
    using inotify = new Inotify();
    const watch = inotify.watch(file, IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF);
    utimesSync(file, 1, 1);
    renameSync(file, `${file}2`);
    rmSync(`${file}2`);
    const none = undefined;
    assertEquals(told(inotify), [
      [IN_ATTRIB, none],
      [IN_MOVE_SELF, none],
      [IN_ATTRIB, none],
      [IN_DELETE_SELF, none],
      [IN_IGNORED, none],
    ]);
    assertEquals(codeOf(() => inotify.remove(watch), "has ended, or never was"), "EINVAL");
  });

  it("tells a watch's end when it is removed, after what had happened, and nothing after", () => {
    using inotify = new Inotify();
    const watch = inotify.watch(folder, IN_CREATE);
    writeFileSync(join(folder, "a"), "");
    inotify.remove(watch);
    writeFileSync(join(folder, "b"), "");
    assertEquals(told(inotify), [[IN_CREATE, "a"], [IN_IGNORED, undefined]]);
    for (const number of [watch, 0, -1, 99]) {
      assertEquals(codeOf(() => inotify.remove(number), `watch ${number} has ended, or never was`), "EINVAL");
    }
    for (const number of [0.5, NaN, 2 ** 31]) {
      assertThrows(() => inotify.remove(number), RangeError, `watch is ${number}, no watch's`);
    }
  });

  it("tells by one number what is watched by two paths, for what was asked last, or besides", () => {
    using inotify = new Inotify();
    const link = join(folder, "link");
    symlinkSync(folder, link);
    const watch = inotify.watch(folder, IN_CREATE);
    assertEquals(inotify.watch(link, IN_DELETE), watch);
    writeFileSync(join(folder, "a"), "");
    rmSync(join(folder, "a"));
    assertEquals(told(inotify), [[IN_DELETE, "a"]]);
    inotify.watch(folder, IN_CREATE | IN_MASK_ADD);
    writeFileSync(join(folder, "a"), "");
    rmSync(join(folder, "a"));
    assertEquals(told(inotify), [[IN_CREATE, "a"], [IN_DELETE, "a"]]);
    assertEquals(codeOf(() => inotify.watch(folder, IN_OPEN | IN_MASK_CREATE), folder), "EEXIST");
    assert(inotify.watch(link, IN_DELETE_SELF | IN_DONT_FOLLOW) !== watch);
  });

  it("tells one event of a oneshot, and its end", () => {
    using inotify = new Inotify();
    inotify.watch(folder, IN_CREATE | IN_ONESHOT);
    for (const name of ["a", "b"]) writeFileSync(join(folder, name), "");
    assertEquals(told(inotify), [[IN_CREATE, "a"], [IN_IGNORED, undefined]]);
    inotify.watch(folder, (IN_CREATE | IN_ONESHOT) | 0);
    for (const name of ["c", "d"]) writeFileSync(join(folder, name), "");
    assertEquals(told(inotify), [[IN_CREATE, "c"], [IN_IGNORED, undefined]]);
  });

  it("drops what is the same as the last of the queue", () => {
    const file = join(folder, "file");
    writeFileSync(file, "");
    using inotify = new Inotify();
    inotify.watch(file, IN_ATTRIB);
    for (let i = 0; i < 5; i++) chmodSync(file, 0o600);
    assertEquals(told(inotify), [[IN_ATTRIB, undefined]]);
  });

  const most = Number(readFileSync("/proc/sys/fs/inotify/max_queued_events", "utf8"));
  const tooMany = skipping(most > 50_000 && `the kernel keeps ${most} events`);

  it("tells that the queue was full, once, and goes on when it was read", { skip: tooMany }, () => {
    const file = join(folder, "file");
    writeFileSync(file, "");
    using inotify = new Inotify();
    inotify.watch(folder, IN_OPEN | IN_CLOSE);
    for (let i = 0; i <= most / 2 + 10; i++) closeSync(openSync(file, "r"));
    const events = all(inotify);
    assertEquals(events.length, most + 1);
    assertEquals(events.filter(({ mask }) => mask === IN_Q_OVERFLOW), [
      { watch: -1, mask: IN_Q_OVERFLOW, cookie: 0, name: undefined },
    ]);
    closeSync(openSync(file, "r"));
    assertEquals(all(inotify).length, 2);
  });

  it("throws what inotify_add_watch(2) says, with the path", () => {
    using inotify = new Inotify();
    const file = join(folder, "file");
    writeFileSync(file, "");
    assertEquals(
      codeOf(() => inotify.watch(join(folder, "none"), IN_CREATE), "watch the folder that it is"),
      "ENOENT",
    );
    assertEquals(codeOf(() => inotify.watch(file, IN_CREATE | IN_ONLYDIR), file), "ENOTDIR");
    assertEquals(codeOf(() => inotify.watch("/proc/self/none/x", IN_CREATE), "inotify_add_watch"), "ENOENT");
  });

  it("refuses a path or a mask that is none, by name, and watches nothing", () => {
    using inotify = new Inotify();
    for (const path of ["", "a\0b", null, 7, new URL("http://localhost/")]) {
      assertThrows(() => Reflect.apply(inotify.watch, inotify, [path, IN_CREATE]), TypeError, "cannot watch");
    }
    for (const mask of [0.5, NaN, Infinity, 2 ** 32, -(2 ** 31) - 1]) {
      assertThrows(() => inotify.watch(folder, mask), RangeError, `mask is ${mask}, not flags in 32 bits`);
    }
    for (const mask of ["1", 1n, undefined]) {
      assertThrows(
        () => Reflect.apply(inotify.watch, inotify, [folder, mask]),
        RangeError,
        "not flags in 32 bits",
      );
    }
    for (const mask of [0, IN_ONLYDIR, IN_ONESHOT]) {
      assertThrows(() => inotify.watch(folder, mask), RangeError, "mask asks for no event");
    }
    for (const mask of [IN_CREATE | 0x1000, IN_CREATE | IN_IGNORED, IN_ALL_EVENTS | IN_ISDIR]) {
      assertThrows(() => inotify.watch(folder, mask), RangeError, "which is nothing to be asked for");
    }
    const both = IN_CREATE | IN_MASK_ADD | IN_MASK_CREATE;
    assertThrows(() => inotify.watch(folder, both), TypeError, "IN_MASK_ADD does not go with IN_MASK_CREATE");
    writeFileSync(join(folder, "a"), "");
    assertEquals(inotify.read(), WouldBlock);
  });

  it("is not used once it was closed, and gives its descriptor back", () => {
    const inotify = new Inotify();
    inotify.close();
    inotify[Symbol.dispose]();
    for (
      const use of [() => inotify.read(), () => inotify.watch(folder, IN_CREATE), () => inotify.remove(1)]
    ) {
      assertThrows(use, Error, "a file descriptor that was closed");
    }
    const before = descriptors();
    // The kernel takes 8 ms to end one that has watched.
    for (let i = 0; i < tiered({ quick: 60, full: 1_000, soak: 1_000_000 }); i++) {
      using inotify = new Inotify();
      inotify.watch(folder, IN_CREATE);
    }
    assert(openedSince(before).length < 50);
  });

  function codeOf(call: () => unknown, message: string): string {
    return assertThrows(call, SystemError, message).code;
  }
});

describe(
  "Inotify in Deno's sandbox",
  { skip: skipping(hostName !== "deno" && "permissions are Deno's") },
  () => {
    /** What watching each of the paths comes to. */
    function outcomes(
      paths: readonly string[],
      permissions: readonly string[],
      mask = "IN_CREATE",
    ): string[] {
      const source = `import * as io from "${moduleUrl("lib/io/mod.ts")}";
      const { IN_CREATE, IN_DELETE_SELF, IN_DONT_FOLLOW } = io;
      const inotify = new io.Inotify();
      for (const path of ${JSON.stringify(paths)}) {
        try { console.log(inotify.watch(path, ${mask}) > 0); } catch (error) { console.log(error.name + " " + error.message); }
      }`;
      return outputOf(source, { permissions: ["--allow-ffi", ...permissions], configured: true }).split("\n");
    }

    it("asks to read the path, and watches what may be read", () => {
      const other = join(root, "other");
      mkdirSync(other, { recursive: true });
      const [watched, refused] = outcomes([folder, other], [`--allow-read=${folder}`]);
      assertEquals(watched, "true");
      assertStringIncludes(refused, `NotCapable Requires read access to "${other}"`);
      rmdirSync(other);
    });

    it("does not reach /proc through a link", () => {
      const link = join(folder, "link");
      symlinkSync("/proc/self", link);
      const [through, straight] = outcomes([link, "/proc/self"], ["--allow-read"]);
      assertStringIncludes(through, "NotCapable Requires all access");
      assertStringIncludes(straight, "NotCapable Requires all access");
      assertEquals(outcomes([link], ["--allow-read"], "IN_DELETE_SELF | IN_DONT_FOLLOW"), ["true"]);
    });
  },
);
