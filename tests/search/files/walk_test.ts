import { spawnSync } from "node:child_process";
import { Buffer } from "node:buffer";
import { lstatSync, mkdirSync, symlinkSync, utimesSync } from "node:fs";
import process from "node:process";
import { describe, it } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { walk } from "../../../examples/search/files/walk.ts";
import { TestFolder } from "../folder.ts";
import { skipping } from "../../skip.ts";

function paths(folder: TestFolder, except = folder.at("no such folder")): string[] {
  return walk(folder.path, except).files.map(({ path }) => path);
}

describe("walk()", () => {
  it("lists files in the order of their paths' bytes", () => {
    const names = ["b", "a/z", "a.txt", "a/b/c", "B", "é", "\u{1f600}", "\uff5e", "a-", "a"];
    using folder = new TestFolder(
      Object.fromEntries(names.filter((name) => name !== "a").map((name) => [name, ""])),
    );
    assertEquals(
      paths(folder),
      names.filter((name) => name !== "a").sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
    );
  });

  it("tells sizes and times of change", () => {
    using folder = new TestFolder({ "a.txt": "12345" });
    utimesSync(folder.at("a.txt"), 1000, 1234.5);
    const [{ size, modified, changed }] = walk(folder.path, "").files;
    assertEquals([size, modified], [5, 1_234_500]);
    assertEquals(changed, Math.floor(lstatSync(folder.at("a.txt")).ctimeMs / 1000));
  });

  it("does what each .gitignore says of its own folder", () => {
    using folder = new TestFolder({
      ".gitignore": "# a comment\n*.log\n/build\ndocs/*.tmp\n!keep.log\nwhole/\n",
      "a.log": "",
      "keep.log": "",
      "A.LOG": "",
      "build/x": "",
      "sub/build": "",
      "docs/a.tmp": "",
      "docs/b.md": "",
      "docs/deep/a.tmp": "",
      "whole/keep.log": "",
      "sub/.gitignore": "!a.log\n/only\n*.md\n",
      "sub/a.log": "",
      "sub/b.log": "",
      "sub/only": "",
      "sub/deep/only": "",
      "sub/deep/.gitignore": "!c.md\n",
      "sub/deep/c.md": "",
      "sub/deep/d.md": "",
      "only": "",
    });
    assertEquals(paths(folder), [
      ".gitignore",
      "A.LOG",
      "docs/b.md",
      "docs/deep/a.tmp",
      "keep.log",
      "only",
      "sub/.gitignore",
      "sub/a.log",
      "sub/build",
      "sub/deep/.gitignore",
      "sub/deep/c.md",
      "sub/deep/only",
    ]);
  });

  it("never enters .git, .oxbow, or the folder that is excepted", () => {
    using folder = new TestFolder({
      ".git/config": "",
      ".oxbow/index": "",
      "sub/.git": "",
      "sub/.oxbow/x": "",
      "out/index": "",
      "out2/x": "",
      ".github/x": "",
    });
    assertEquals(paths(folder, folder.at("sub/../out/")), [".github/x", "out2/x", "sub/.git"]);
  });

  it("follows no links, and takes nothing but regular files", () => {
    using folder = new TestFolder({ "a/b.txt": "" });
    symlinkSync(folder.path, folder.at("a/up"));
    symlinkSync(folder.at("a/b.txt"), folder.at("link.txt"));
    symlinkSync("nowhere", folder.at("dangling"));
    spawnSync("mkfifo", [folder.at("pipe")]);
    assertEquals(paths(folder), ["a/b.txt"]);
    assertEquals(walk(folder.path, "").unreadable, 0);
  });

  it("counts names that are no text as unreadable", () => {
    using folder = new TestFolder({ "a.txt": "" });
    spawnSync("sh", ["-c", `touch "$1/$(printf 'b\\377')"`, "sh", folder.path]);
    const { files, unreadable } = walk(folder.path, "");
    assertEquals([files.map(({ path }) => path), unreadable], [["a.txt"], 1]);
  });

  it("counts folders that may not be read", {
    skip: skipping(process.getuid?.() === 0 && "root may read all"),
  }, () => {
    using folder = new TestFolder({ "a.txt": "" });
    mkdirSync(folder.at("closed"), { mode: 0 });
    assertEquals(walk(folder.path, "").unreadable, 1);
  });

  it("says what is wrong with a folder that is none", () => {
    using folder = new TestFolder({ "a.txt": "" });
    assertThrows(
      () => walk(folder.at("b"), ""),
      Error,
      `cannot index ${folder.at("b")}: there is no such folder`,
    );
    assertThrows(() => walk(folder.at("a.txt"), ""), Error, "it is not a folder");
    assertEquals(paths(new TestFolder()), []);
  });
});
