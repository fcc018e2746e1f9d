import { afterEach, beforeEach, describe, it } from "node:test";
import { spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { assert, assertEquals, assertMatch, assertNotEquals, assertThrows } from "@std/assert";
import { hostName, SystemError } from "../../ffi/mod.ts";
import { Overlay } from "../../lib/mem/cow.ts";
import { MapTruncatedError, Mmap } from "../../lib/mem/mmap.ts";
import { moduleUrl, outputOf, runChild } from "../child.ts";
import { skipping } from "../skip.ts";
import { tiered } from "../tier.ts";
import { countedSource } from "./counted_source.ts";
import { bytesOf, noise } from "./overlaid.ts";

const PAGE = 4096;
let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "oxbow-commit-"));
  path = join(folder, "file");
});

afterEach(() => {
  chmodSync(folder, 0o755);
  rmSync(folder, { recursive: true, force: true });
});

describe("Overlay.commit", () => {
  it("keeps the permissions of the file that it replaces, and makes a new one as any", () => {
    using overlay = new Overlay(noise(10));
    for (const mode of [0o600, 0o640, 0o755, 0o444]) {
      rmSync(path, { force: true });
      writeFileSync(path, "old");
      chmodSync(path, mode);
      const { ino } = statSync(path);
      overlay.commit(path);
      const now = statSync(path);
      assertEquals([now.mode & 0o7777, bytesOf(path)], [mode, noise(10)]);
      assertNotEquals(now.ino, ino);
    }
    const beside = join(folder, "beside");
    writeFileSync(beside, "");
    const other = join(folder, "new");
    overlay.commit(other);
    assertEquals(statSync(other).mode, statSync(beside).mode);
    assertEquals(readdirSync(folder).sort(), ["beside", "file", "new"]);
  });

  it("gives no set-user-ID to a file whose owner may be another", () => {
    writeFileSync(path, "old");
    chmodSync(path, 0o4755);
    using overlay = new Overlay(noise(10));
    overlay.commit(path);
    assertEquals(statSync(path).mode & 0o7777, 0o755);
  });

  it("refuses what is not a regular file, and leaves it", () => {
    using overlay = new Overlay(noise(10));
    writeFileSync(path, "old");
    const link = join(folder, "link");
    symlinkSync(path, link);
    assertThrows(
      () => overlay.commit(link),
      TypeError,
      `cannot replace ${link}: it is no regular file but a sym`,
    );
    const dangling = join(folder, "dangling");
    symlinkSync(join(folder, "nothing"), dangling);
    assertThrows(() => overlay.commit(dangling), TypeError, "symbolic link");
    const pipe = join(folder, "pipe");
    spawnSync("mkfifo", [pipe]);
    assertThrows(() => overlay.commit(pipe), TypeError, "but a pipe");
    assertThrows(() => overlay.commit("/dev/null"), TypeError, "but a device");
    const directory = join(folder, "directory");
    mkdirSync(directory);
    assertEquals(assertThrows(() => overlay.commit(directory), SystemError, directory).code, "EISDIR");
    const within = join(path, "x");
    assertEquals(assertThrows(() => overlay.commit(within), SystemError, within).code, "ENOTDIR");
    const nowhere = join(folder, "none", "x");
    assertEquals(assertThrows(() => overlay.commit(nowhere), SystemError, nowhere).code, "ENOENT");
    assertThrows(() => Reflect.apply(overlay.commit, overlay, [3]), TypeError, "path is no string");
    assertEquals([readFileSync(path, "utf8"), lstatSync(link).isSymbolicLink()], ["old", true]);
    assertEquals(readdirSync(folder).sort(), ["dangling", "directory", "file", "link", "pipe"]);
  });

  it("leaves the file where the source says that its bytes are no more what they were", () => {
    writeFileSync(path, "old");
    const source = countedSource(noise(3 * PAGE));
    let isWhole = false;
    using overlay = new Overlay({
      byteLength: source.byteLength,
      bytes: source.bytes,
      check() {
        if (!isWhole) throw new RangeError("the file was cut short");
      },
    });
    assertThrows(() => overlay.commit(path), RangeError, "cut short");
    assertEquals([readFileSync(path, "utf8"), readdirSync(folder)], ["old", ["file"]]);
    isWhole = true;
    overlay.commit(path);
    assertEquals(bytesOf(path), noise(3 * PAGE));
  });

  it("leaves the file where the map below has lost bytes, disposed or not", () => {
    const lower = join(folder, "lower");
    for (const isDisposed of [false, true]) {
      for (const use of ["read", "diff", "write", "page", "nothing"]) {
        writeFileSync(lower, noise(16 * PAGE));
        writeFileSync(path, "old");
        const map = Mmap.open(lower);
        using overlay = new Overlay(map);
        overlay.write(15 * PAGE, new Uint8Array(PAGE));
        if (isDisposed) map[Symbol.dispose]();
        truncateSync(lower, 2 * PAGE);
        if (use === "read") assertThrows(() => overlay.read(14 * PAGE, 4), MapTruncatedError, "was cut to");
        if (use === "diff") assertThrows(() => overlay.diff(), MapTruncatedError, "was cut to");
        if (use === "write") {
          assertThrows(() => overlay.write(14 * PAGE, Uint8Array.of(1)), MapTruncatedError, "was cut to");
        }
        assertEquals(overlay.dirtyPages(), [15]);
        assertThrows(() => overlay.commit(path), MapTruncatedError, "was cut to");
        if (use === "page") assertThrows(() => overlay.page(0), MapTruncatedError, "was cut to");
        assertEquals(readFileSync(path, "utf8"), "old");
        map[Symbol.dispose]();
      }
    }
    assertEquals(readdirSync(folder).sort(), ["file", "lower"]);
  });

  it("names the path where that is no file's name", () => {
    using overlay = new Overlay(noise(10));
    assertThrows(() => overlay.commit(""), TypeError, "path is empty");
    assertThrows(() => overlay.commit(`${path}\0`), TypeError, "it holds a NUL");
    assertEquals(readdirSync(folder), []);
  });

  it("leaves the file where the disk takes no more", () => {
    writeFileSync(path, "old");
    const { stdout } = runChild(
      `
      import { Overlay } from "${moduleUrl("lib/mem/cow.ts")}";
      using overlay = new Overlay(new Uint8Array(1_000_000));
      try {
        overlay.commit(${JSON.stringify(path)});
      } catch (error) {
        console.log(error.name, error.message);
      }
    `,
      { before: "trap '' XFSZ; ulimit -f 64" },
    );
    assertMatch(
      stdout,
      /^SystemError write .* failed: File too large \(EFBIG\); the target is left as it was/,
    );
    assertEquals([readFileSync(path, "utf8"), readdirSync(folder)], ["old", ["file"]]);
  });

  it("asks Deno for the permission to read and write there", {
    skip: skipping(hostName !== "deno" && "this host has no permissions"),
  }, () => {
    writeFileSync(path, "old");
    const source = `
      import { Overlay } from "${moduleUrl("lib/mem/cow.ts")}";
      using overlay = new Overlay(Uint8Array.of(0x6e, 0x65, 0x77));
      try {
        overlay.commit(${JSON.stringify(path)});
        console.log("committed");
      } catch (error) {
        console.log(error.name);
      }
    `;
    const [read, write] = [`--allow-read=${folder}`, `--allow-write=${folder}`];
    for (const permissions of [[], [read], [write], [`${read}/file`, `${write}/file`]]) {
      assertEquals([outputOf(source, { permissions }), readFileSync(path, "utf8")], ["NotCapable", "old"]);
    }
    assertEquals([outputOf(source, { permissions: [read, write] }), readdirSync(folder)], ["committed", [
      "file",
    ]]);
    assertEquals(readFileSync(path, "utf8"), "new");
  });

  it("leaves the old file where it is killed half-way", () => {
    writeFileSync(path, "old");
    const { code } = runChild(`
      import process from "node:process";
      import { Overlay } from "${moduleUrl("lib/mem/cow.ts")}";
      const overlay = new Overlay({
        byteLength: 1 << 22,
        bytes: (offset, length) => new Uint8Array(length),
        check: () => process.kill(process.pid, "SIGKILL"),
      });
      overlay.commit(${JSON.stringify(path)});
      for (;;);
    `);
    assert(code === "SIGKILL" || code === 137, `it ended with ${code}`);
    assertEquals(readFileSync(path, "utf8"), "old");
    const left = readdirSync(folder).filter((name) => name !== "file");
    assertMatch(left.join(), /^\.oxbow-[\w-]+\.tmp$/);
  });

  it("leaves one whole file, whenever it is killed", async () => {
    const length = 1 << 20;
    writeFileSync(path, new Uint8Array(length));
    const program = join(folder, "program.mjs");
    writeFileSync(
      program,
      `
      import { Overlay } from "${moduleUrl("lib/mem/cow.ts")}";
      using overlay = new Overlay(new Uint8Array(${length}));
      console.log("ready");
      for (let i = 1;; i++) {
        overlay.write(0, new Uint8Array(${length}).fill(i));
        overlay.commit(${JSON.stringify(path)});
      }
    `,
    );
    const host = hostName === "deno" ? ["run", "-A", "--no-config", "--quiet"] : [];
    for (let round = 0; round < tiered({ quick: 5, full: 50, soak: 1000 }); round++) {
      const child = spawn(process.execPath, [...host, program], { stdio: ["ignore", "pipe", "ignore"] });
      const ended = new Promise((resolve) => child.on("close", resolve));
      await Promise.race([ended, new Promise((resolve) => child.stdout.once("data", resolve))]);
      assertEquals([child.exitCode, child.signalCode], [null, null]);
      await new Promise((resolve) => setTimeout(resolve, 3 + (round * 7919) % 40));
      child.kill("SIGKILL");
      await ended;
      const file = bytesOf(path);
      assertEquals(file.length, length);
      assert(file.every((byte) => byte === file[0]), "it is torn");
    }
  });
});
