import { afterEach, beforeEach, describe, it } from "node:test";
import { Buffer } from "node:buffer";
import {
  chmodSync,
  chownSync,
  linkSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { check, dlopen, SystemError } from "../../ffi/mod.ts";
import { replaceFile } from "../../lib/io/replace_file.ts";
import { moduleUrl, outputOf } from "../child.ts";
import { skipping } from "../skip.ts";

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "oxbow-replace-"));
  path = join(folder, "file");
  writeFileSync(path, "old");
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** The permissions of the file that is being written. */
function temporaryMode(): number {
  const [name] = readdirSync(folder).filter((name) => name.startsWith(".oxbow-"));
  return statSync(join(folder, name)).mode & 0o777;
}

/** Puts a pipe, which fsync(2) refuses, in the place of what `descriptor` has open. */
function replaceByPipe(descriptor: number): void {
  using libc = dlopen(["libc.so.6"], {
    pipe: { parameters: ["buffer"], result: "i32" },
    dup2: { parameters: ["i32", "i32"], result: "i32" },
    close: { parameters: ["i32"], result: "i32" },
  });
  const ends = new Int32Array(2);
  check(libc.symbols.pipe(ends), "pipe");
  check(libc.symbols.dup2(ends[1], descriptor), "dup2");
  for (const end of ends) libc.symbols.close(end);
}

/** The descriptor of this process that has `name` open. */
function descriptorOf(isIt: (name: string) => boolean): number {
  for (const number of readdirSync("/proc/self/fd")) {
    try {
      if (isIt(readlinkSync(`/proc/self/fd/${number}`))) return Number(number);
    } catch {
      // That of the listing itself.
    }
  }
  throw new Error("nobody has it open");
}

const isRoot = process.getuid?.() === 0;

describe("replaceFile", () => {
  it("puts pieces of any size one after another", () => {
    const sizes = [0, 1, 262_143, 262_144, 262_145, 3, 700_001, 0, 5];
    const expected = Uint8Array.from({ length: sizes.reduce((a, b) => a + b) }, (_, i) => (i * 31) >> 3);
    replaceFile(path, (out) => {
      let at = 0;
      for (const size of sizes) out.put(expected.subarray(at, at += size));
    });
    assertEquals(Buffer.compare(readFileSync(path), expected), 0);
    assertEquals(readdirSync(folder), ["file"]);
  });

  it("lets nobody else read what replaces a private file, at no time", () => {
    for (const mode of [0o600, 0o640, 0o666, 0o400]) {
      chmodSync(path, mode);
      let meanwhile = 0o777;
      replaceFile(path, (out) => {
        out.put(new Uint8Array(1_000_000));
        meanwhile = temporaryMode();
      });
      assertEquals([meanwhile, statSync(path).mode & 0o7777], [0o600, mode]);
    }
  });

  it("leaves other names of the old file to the old file", () => {
    const other = join(folder, "other");
    linkSync(path, other);
    replaceFile(path, (out) => out.put(new TextEncoder().encode("new")));
    assertEquals([path, other].map((name) => readFileSync(name, "utf8")), ["new", "old"]);
  });

  it("leaves the old file, and nothing else, where filling it throws", () => {
    function fill(): void {
      throw new SyntaxError("half-way");
    }
    assertThrows(() => replaceFile(path, fill), SyntaxError, "half-way");
    assertEquals([readdirSync(folder), readFileSync(path, "utf8")], [["file"], "old"]);
  });

  it("brings the file to the disk before it is renamed", () => {
    function fill(): void {
      replaceByPipe(descriptorOf((name) => name.startsWith(join(folder, ".oxbow-"))));
    }
    const error = assertThrows(() => replaceFile(path, fill), SystemError, "the target is left as it was");
    assertEquals([error.syscall, error.code, error.path], ["fsync", "EINVAL", path]);
    assertEquals([readdirSync(folder), readFileSync(path, "utf8")], [["file"], "old"]);
  });

  it("brings the folder to the disk after, and says that the file is the new one where it cannot", () => {
    const error = assertThrows(
      () =>
        replaceFile(path, (out) => {
          replaceByPipe(descriptorOf((name) => name === folder));
          out.put(new TextEncoder().encode("new"));
        }),
      SystemError,
      "the target is the new file already",
    );
    assertEquals([error.syscall, error.code, error.path], ["fsync", "EINVAL", path]);
    assertEquals([readdirSync(folder), readFileSync(path, "utf8")], [["file"], "new"]);
  });

  it("keeps the owner and the group", { skip: skipping(!isRoot && "only root gives files away") }, () => {
    chownSync(path, 12_345, 12_346);
    chmodSync(path, 0o4640);
    let meanwhile = 0o777;
    replaceFile(path, (out) => {
      out.put(Uint8Array.of(1));
      out.flush();
      meanwhile = temporaryMode();
    });
    const { uid, gid, mode } = statSync(path);
    assertEquals([uid, gid, mode & 0o7777, meanwhile], [12_345, 12_346, 0o640, 0o600]);
  });

  it("takes the file over where its owner is not the process's to give", {
    skip: skipping(!isRoot && "only root has files of others"),
  }, () => {
    chmodSync(folder, 0o777);
    chownSync(path, 12_345, 12_346);
    chmodSync(path, 0o644);
    const output = outputOf(`
      import { statSync } from "node:fs";
      import process from "node:process";
      import { replaceFile } from "${moduleUrl("lib/io/replace_file.ts")}";
      process.setgroups?.([12_346]);
      process.setgid(12_347);
      process.setuid(12_348);
      replaceFile(${JSON.stringify(path)}, (out) => out.put(Uint8Array.of(1)));
      const { uid, gid, mode } = statSync(${JSON.stringify(path)});
      console.log(uid, gid, (mode & 0o7777).toString(8));
    `);
    assertMatch(output, /^12348 (12346|12347) 644$/);
  });

  it("refuses what is no name before anything is written", () => {
    let isCalled = false;
    for (const [name, message] of [["", "path is empty"], [`${path}\0`, "path has a NUL"]]) {
      assertThrows(() => replaceFile(name, () => isCalled = true), TypeError, message);
    }
    assertEquals([isCalled, readdirSync(folder)], [false, ["file"]]);
  });

  it("refuses a link before anything is written", () => {
    const link = join(folder, "link");
    symlinkSync(path, link);
    let isCalled = false;
    assertThrows(() => replaceFile(link, () => isCalled = true), TypeError, "symbolic link; name the file");
    assert(!isCalled);
  });
});
