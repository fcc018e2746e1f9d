import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { appendFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { MAX_FILE_BYTES, readFile, toText } from "../../../examples/search/files/read_text.ts";
import { walk } from "../../../examples/search/files/walk.ts";
import { TestFolder } from "../folder.ts";

/** Reads `content`, as the walk found it, after `change` was made to the file. */
function readAfter(content: string | Uint8Array, change: (path: string) => void = () => {}): unknown {
  using folder = new TestFolder({ file: content });
  const [found] = walk(folder.path, "").files;
  change(folder.at("file"));
  return readFile(folder.at("file"), found);
}

function decoded(bytes: Uint8Array<ArrayBuffer>): string | undefined {
  const text = toText(bytes);
  return text && new TextDecoder("utf-8", { ignoreBOM: true }).decode(text);
}

describe("readFile()", () => {
  it("reads the bytes of a file", () => {
    for (const content of ["", "a", "é".repeat(100_000)]) {
      assertEquals(readAfter(content), new TextEncoder().encode(content));
    }
  });

  it("knows a binary file by a NUL near its beginning", () => {
    assertEquals(readAfter("text\0"), "binary");
    assertEquals(readAfter(`${"x".repeat(7999)}\0`), "binary");
    assert(readAfter(`${"x".repeat(8000)}\0`) instanceof Uint8Array);
  });

  it("says that a file changed which grew, shrank, was replaced or went", () => {
    assertEquals(readAfter("text", (path) => appendFileSync(path, "more")), "changed");
    assertEquals(readAfter("text", (path) => truncateSync(path, 2)), "changed");
    assertEquals(readAfter("text", (path) => rmSync(path)), "changed");
    assertEquals(
      readAfter("text", (path) => {
        rmSync(path);
        symlinkSync("/etc/hostname", path);
      }),
      "changed",
    );
  });

  it("waits for no pipe that came in a file's place", () => {
    const result = readAfter("", (path) => {
      rmSync(path);
      spawnSync("mkfifo", [path]);
    });
    assertEquals(result, "changed");
  });

  it("skips what is too large without reading it", () => {
    using folder = new TestFolder({ file: "" });
    truncateSync(folder.at("file"), MAX_FILE_BYTES + 1);
    const [found] = walk(folder.path, "").files;
    assertEquals(readFile(folder.at("file"), found), "large");
  });

  it("tells a file that changed within the size by its time", () => {
    const result = readAfter("text", (path) => {
      spawnSync("sleep", ["0.05"]);
      writeFileSync(path, "TEXT");
    });
    assertEquals(result, "changed");
  });
});

describe("toText()", () => {
  it("takes UTF-8 as it is, with its byte order mark", () => {
    for (const text of ["", "plain", "é漢😀", "\ufeffmarked"]) {
      assertEquals(decoded(new TextEncoder().encode(text)), text);
    }
    const bytes = new TextEncoder().encode("é");
    assertEquals(toText(bytes), bytes);
  });

  it("replaces what is not UTF-8 where there is little of it", () => {
    assertEquals(
      decoded(Uint8Array.from("a caf\xe9 in latin-1", (c) => c.charCodeAt(0))),
      "a caf\ufffd in latin-1",
    );
    assertEquals(
      decoded(Uint8Array.of(...new TextEncoder().encode("cut in the mid"), 0xe6, 0xbc)),
      "cut in the mid\ufffd",
    );
  });

  it("takes what is mostly not UTF-8 as binary", () => {
    assertEquals(toText(Uint8Array.from({ length: 100 }, (_, i) => 128 + i)), undefined);
    assertEquals(toText(new Uint8Array(randomBytes(4096))), undefined);
  });

  it("makes text that is UTF-8", () => {
    const bytes = Uint8Array.from({ length: 1000 }, (_, i) => i % 20 === 0 ? 0xc0 + (i / 20) % 64 : 97);
    assertEquals(new TextDecoder("utf-8", { fatal: true }).decode(toText(bytes)).length, 1000);
  });
});
