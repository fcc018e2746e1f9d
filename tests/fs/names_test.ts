import * as fs from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import { SystemError } from "../../ffi/mod.ts";
import {
  type DirectoryEntry,
  File,
  metadata,
  mkdir,
  readDir,
  readFile,
  remove,
  rename,
  symlinkMetadata,
  writeFile,
} from "../../lib/fs/mod.ts";
import { run } from "../../lib/task/mod.ts";
import { descriptors, openedSince } from "../descriptors.ts";
import { tiered } from "../tier.ts";
import { bytesOf, Folder, pattern } from "./folder.ts";

async function failure(call: () => PromiseLike<unknown>): Promise<SystemError> {
  return await assertRejects(async () => await call(), SystemError);
}

async function entriesOf(path: string | Uint8Array): Promise<DirectoryEntry[]> {
  const entries: DirectoryEntry[] = [];
  for await (const entry of readDir(path)) entries.push(entry);
  return entries;
}

const NUMBERS: Readonly<Record<string, string>> = { EEXIST: "EEXIST", ERR_FS_EISDIR: "EISDIR" };

/** The code of what it fails with, or "ok". */
function codeOf(error: unknown): string {
  if (!(error instanceof Error && "code" in error)) throw error;
  return NUMBERS[String(error.code)] ?? String(error.code);
}

async function outcome(call: () => PromiseLike<unknown>): Promise<string> {
  try {
    await call();
    return "ok";
  } catch (error) {
    return codeOf(error);
  }
}

function outcomeSync(call: () => unknown): string {
  try {
    call();
    return "ok";
  } catch (error) {
    return codeOf(error);
  }
}

/** A tree as text: names, kinds, contents. */
function treeOf(path: string): string[] {
  return fs.readdirSync(path, { recursive: true, encoding: "utf8" }).sort().map((name) => {
    const at = join(path, name);
    return fs.lstatSync(at).isFile() ? `${name}: ${fs.readFileSync(at, "utf8")}` : `${name}/`;
  });
}

describe("names of files", () => {
  it("are made, renamed, written and removed as node:fs does, over random trees", async () => {
    using folder = new Folder();
    const name = fc.constantFrom("a", "b", "a/a", "a/b", "b/a", "a/a/a");
    const operation = fc.record({
      kind: fc.constantFrom("mkdir", "mkdirs", "write", "atomic", "rename", "remove", "read", "look"),
      name,
      other: name,
    });
    let round = 0;
    await run(() =>
      fc.assert(
        fc.asyncProperty(fc.array(operation, { minLength: 1, maxLength: 25 }), async (operations) => {
          const [ours, theirs] = [folder.at(`ours${round}`), folder.at(`theirs${round++}`)];
          fs.mkdirSync(ours);
          fs.mkdirSync(theirs);
          for (const [i, { kind, name, other }] of operations.entries()) {
            const [a, b] = await both(
              kind,
              join(ours, name),
              join(theirs, name),
              other,
              String(i),
              ours,
              theirs,
            );
            assertEquals(a, b);
            assertEquals(treeOf(ours), treeOf(theirs));
          }
        }),
        { numRuns: tiered({ quick: 25, full: 400, soak: 5000 }) },
      )
    );
  });

  it("tell what they are", async () => {
    using folder = new Folder();
    fs.writeFileSync(folder.at("file"), "12345", { mode: 0o640 });
    fs.chmodSync(folder.at("file"), 0o640);
    fs.linkSync(folder.at("file"), folder.at("second"));
    fs.symlinkSync("file", folder.at("link"));
    fs.symlinkSync("nowhere", folder.at("dangling"));
    const theirs = fs.lstatSync(folder.at("file"), { bigint: true });
    // Some of Deno's times are whole seconds.
    const { mtimeMs, atimeMs, ctimeMs } = fs.lstatSync(folder.at("file"));
    for (const found of [await metadata(folder.at("link")), await symlinkMetadata(folder.at("file"))]) {
      assertEquals([found.kind, found.size, found.mode, found.links], ["regular", 5, 0o640, 2]);
      assertEquals([found.inode, found.device], [theirs.ino, theirs.dev]);
      assertEquals([BigInt(found.uid), BigInt(found.gid)], [theirs.uid, theirs.gid]);
      assertEquals(Math.floor(found.modified), Math.floor(mtimeMs));
      assertEquals(Math.floor(found.accessed), Math.floor(atimeMs));
      assertEquals(Math.floor(found.changed / 1000), Math.floor(ctimeMs / 1000));
    }
    assertEquals((await symlinkMetadata(folder.at("link"))).kind, "symlink");
    assertEquals((await metadata(pathToFileURL(folder.path))).kind, "directory");
    assertEquals((await metadata("/dev/null")).kind, "character");
    const missing = await failure(() => metadata(folder.at("dangling")));
    assertEquals([missing.code, missing.syscall, missing.path], ["ENOENT", "statx", folder.at("dangling")]);
  });

  it("say in errors both paths of a rename", async () => {
    using folder = new Folder();
    const error = await failure(() => rename(folder.at("a"), folder.at("b")));
    assertEquals([error.code, error.path, error.dest], ["ENOENT", folder.at("a"), folder.at("b")]);
    assertThrows(() => rename("", "b"), TypeError, "path is empty");
    assertThrows(() => mkdir("a", { mode: -1 }), RangeError, "mode is");
    assertThrows(() => Reflect.apply(remove, undefined, ["a", { recursive: true }]), TypeError, "no option");
  });
});

async function both(
  kind: string,
  ours: string,
  theirs: string,
  other: string,
  text: string,
  ourRoot: string,
  theirRoot: string,
): Promise<[unknown, unknown]> {
  switch (kind) {
    case "mkdir":
      return [await outcome(() => mkdir(ours)), outcomeSync(() => fs.mkdirSync(theirs))];
    case "mkdirs":
      return [
        await outcome(() => mkdir(ours, { recursive: true })),
        outcomeSync(() => fs.mkdirSync(theirs, { recursive: true })),
      ];
    case "write":
      return [
        await outcome(() => writeFile(ours, bytesOf(text))),
        outcomeSync(() => fs.writeFileSync(theirs, text)),
      ];
    case "atomic":
      return [
        await outcome(() => writeFile(ours, bytesOf(text), { atomic: true })),
        outcomeSync(() => fs.writeFileSync(theirs, text)),
      ];
    case "rename":
      return [
        await outcome(() => rename(ours, join(ourRoot, other))),
        outcomeSync(() => fs.renameSync(theirs, join(theirRoot, other))),
      ];
    case "remove":
      return [await outcome(() => remove(ours)), outcomeSync(() => removeSync(theirs))];
    case "read":
      return [await outcome(() => readFile(ours)), outcomeSync(() => fs.readFileSync(theirs))];
    default:
      return [
        (await entriesOf(ourRoot)).map(({ name, kind }) => `${name} ${kind}`).sort(),
        fs.readdirSync(theirRoot, { withFileTypes: true }).map((entry) =>
          `${entry.name} ${entry.isDirectory() ? "directory" : "regular"}`
        ).sort(),
      ];
  }
}

function removeSync(path: string): void {
  if (fs.lstatSync(path).isDirectory()) fs.rmdirSync(path);
  else fs.unlinkSync(path);
}

describe("readDir()", () => {
  it("lists all of a directory of many files, with their kinds", async () => {
    using folder = new Folder();
    const count = tiered({ quick: 1200, full: 100_000, soak: 1_000_000 });
    const names = new Set<string>();
    for (let i = 0; i < count; i++) {
      // Short ones, long ones, and others than ASCII.
      const name = i % 3 === 0 ? `${i}` : i % 3 === 1 ? `${i}-`.padEnd(100, "x") : `${i}-ö`;
      names.add(name);
      fs.writeFileSync(folder.at(name), "");
    }
    await run(async () => {
      const found = await entriesOf(folder.path);
      assertEquals(found.length, count);
      assert(found.every(({ name, kind, isUtf8 }) => names.delete(name) && kind === "regular" && isUtf8));
      assertEquals(names.size, 0);
    });
  });

  it("gives batches, and closes its directory at the end, by leaving and by disposing", async () => {
    using folder = new Folder();
    const isOpen = () => openedSince(before).some((one) => one.includes(folder.path));
    // More than one call gives.
    const files = 700;
    for (let i = 0; i < files; i++) fs.writeFileSync(folder.at(`${i}`.padEnd(250, "x")), "");
    const before = descriptors();
    const listing = readDir(folder.path);
    let count = 0;
    for (let batch = await listing.nextBatch(); batch.length > 0; batch = await listing.nextBatch()) {
      count += batch.length;
    }
    assertEquals([count, isOpen(), (await listing.nextBatch()).length], [files, false, 0]);
    for await (const _ of readDir(folder.path)) {
      assert(isOpen());
      break;
    }
    assertEquals(isOpen(), false);
    {
      await using half = readDir(folder.path);
      assert((await half.nextBatch()).length < files);
      assert(isOpen());
    }
    assertEquals(isOpen(), false);
  });

  it("tells names that are no UTF-8 by their bytes", async () => {
    using folder = new Folder();
    const name = Uint8Array.of(0x61, 0xff, 0x62);
    const path = new Uint8Array([...bytesOf(`${folder.path}/`), ...name]);
    await writeFile(path, bytesOf("x"));
    const [entry] = await entriesOf(folder.path);
    assertEquals([entry.name, entry.isUtf8, [...entry.nameBytes]], ["a\ufffdb", false, [...name]]);
    assertEquals((await readFile(path)).length, 1);
    assertEquals(
      (await failure(() => mkdir(new Uint8Array([...path, 0x2f, 0x63]), { recursive: true }))).code,
      "ENOTDIR",
    );
    await rename(path, folder.at("c"));
    assertEquals((await entriesOf(bytesOf(folder.path))).map(({ name }) => name), ["c"]);
  });

  it("fails where there is no directory", async () => {
    using folder = new Folder();
    fs.writeFileSync(folder.at("file"), "");
    assertEquals((await failure(() => entriesOf(folder.at("file")))).code, "ENOTDIR");
    assertEquals((await failure(() => entriesOf(folder.at("missing")))).code, "ENOENT");
    assertEquals(await entriesOf(folder.at("..", "..")).then((entries) => entries.length > 0), true);
    fs.mkdirSync(folder.at("empty"));
    assertEquals(await entriesOf(folder.at("empty")), []);
  });
});

describe("readFile() and writeFile()", () => {
  it("give back what was written, of any size, and what has no size", async () => {
    using folder = new Folder();
    await run(async () => {
      for (const size of [0, 1, 4096, 262_144, 262_145, 3_000_000]) {
        const bytes = pattern(size, size);
        await writeFile(folder.at("a"), bytes, { mode: 0o600 });
        assertEquals(Buffer.compare(await readFile(folder.at("a")), bytes), 0);
      }
      assertEquals(fs.statSync(folder.at("a")).mode & 0o777, 0o600);
      assertEquals(new TextDecoder().decode(await readFile("/proc/self/comm")).length > 0, true);
      const maps = new TextDecoder().decode(await readFile("/proc/self/maps"));
      assert(maps.endsWith("\n") && maps.length > 1000);
    });
  });

  it("replace a file at once, with its permissions, and leave nothing beside it", async () => {
    using folder = new Folder();
    fs.writeFileSync(folder.at("a"), "old", { mode: 0o640 });
    fs.chmodSync(folder.at("a"), 0o640);
    const { ino } = fs.statSync(folder.at("a"));
    await using reader = await File.open(folder.at("a"));
    await writeFile(folder.at("a"), bytesOf("new"), { atomic: true });
    const after = fs.statSync(folder.at("a"));
    assertEquals([after.mode & 0o777, after.ino === ino], [0o640, false]);
    const old = new Uint8Array(10);
    assertEquals([await reader.readAt(old, 0), new TextDecoder().decode(old.subarray(0, 3))], [3, "old"]);
    assertEquals(fs.readdirSync(folder.path), ["a"]);
    fs.symlinkSync("a", folder.at("link"));
    await assertRejects(
      async () => await writeFile(folder.at("link"), bytesOf("x"), { atomic: true }),
      TypeError,
      "no regular file but a symlink",
    );
    assertEquals(
      (await failure(() => writeFile(folder.path, bytesOf("x"), { atomic: true }))).code,
      "EISDIR",
    );
    assertEquals(fs.readdirSync(folder.path).sort(), ["a", "link"]);
  });

  it("write atomically in the current folder, by a name alone", async () => {
    using folder = new Folder();
    const before = process.cwd();
    process.chdir(folder.path);
    try {
      await writeFile("alone", bytesOf("x"), { atomic: true });
      assertEquals(fs.readdirSync(folder.path), ["alone"]);
      await mkdir("b/c/d", { recursive: true });
      assert(fs.statSync(folder.at("b", "c", "d")).isDirectory());
    } finally {
      process.chdir(before);
    }
  });
});
