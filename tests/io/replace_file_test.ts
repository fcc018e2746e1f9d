import { afterEach, beforeEach, describe, it } from "node:test";
import { Buffer } from "node:buffer";
import {
  chmodSync,
  linkSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { replaceFile } from "../../lib/io/replace_file.ts";

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

  it("refuses a link before anything is written", () => {
    const link = join(folder, "link");
    symlinkSync(path, link);
    let isCalled = false;
    assertThrows(() => replaceFile(link, () => isCalled = true), TypeError, "symbolic link; name the file");
    assert(!isCalled);
  });
});
