import { afterEach, beforeEach, describe, it } from "node:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { environment } from "../../ffi/environment.ts";
import { dlopen, find } from "../../ffi/mod.ts";

const VARIABLES = ["OXBOW_LIBRARY_PATH", "MKLROOT", "ONEAPI_ROOT", "CONDA_PREFIX", "VIRTUAL_ENV"];
const before = VARIABLES.map((name) => [name, process.env[name]] as const);
let folder: string;

function set(name: string, value: string | undefined): void {
  if (value === undefined) delete process.env[name];
  else process.env[name] = value;
}

/** A file that is there and does not load. */
function place(path: string): string {
  const whole = join(folder, path);
  mkdirSync(join(whole, ".."), { recursive: true });
  writeFileSync(whole, "no library");
  return whole;
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "oxbow-find-"));
  for (const name of VARIABLES) set(name, undefined);
});

afterEach(() => {
  for (const [name, value] of before) set(name, value);
  rmSync(folder, { recursive: true });
});

describe("find", () => {
  it("gives the name itself to the system's loader where nothing else is said", () => {
    assertEquals(find(["liboxbow-none.so.1"]).map(({ path, place }) => [path, place]), [
      ["liboxbow-none.so.1", "the system's loader"],
    ]);
    const [first, ...later] = find(["libc.so.6"]);
    assertEquals(first, { path: "libc.so.6", place: "the system's loader", outcome: "chosen" });
    assert(later.every(({ outcome }) => outcome === "later"));
  });

  it("tells where each path comes from, in the order in which they are tried", () => {
    set("OXBOW_LIBRARY_PATH", `${folder}/own:${folder}/second`);
    set("MKLROOT", `${folder}/mkl`);
    set("ONEAPI_ROOT", `${folder}/oneapi`);
    set("CONDA_PREFIX", `${folder}/conda`);
    set("VIRTUAL_ENV", `${folder}/venv`);
    const files = [
      ["own/libox.so", "$OXBOW_LIBRARY_PATH"],
      ["second/libox.so", "$OXBOW_LIBRARY_PATH"],
      ["mkl/lib/libox.so", "$MKLROOT"],
      ["mkl/lib/intel64/libox.so", "$MKLROOT"],
      ["oneapi/mkl/latest/lib/libox.so", "oneAPI"],
      ["conda/lib/libox.so", "$CONDA_PREFIX"],
      ["venv/lib/libox.so", "$VIRTUAL_ENV"],
    ];
    const expected = files.map(([file, from]) => [place(file), from]);
    expected.splice(2, 0, ["libox.so", "the system's loader"]);
    const found = find(["libox.so"]);
    assertEquals(found.map(({ path, place }) => [path, place]), expected);
    for (const { path, outcome, reason } of found) {
      assertEquals(outcome, "failed");
      const why = path === "libox.so" ? /cannot open shared object/ : /invalid ELF header|file too short/;
      assert(why.test(reason ?? ""), `${path}: ${reason}`);
    }
  });

  it("takes an unversioned name for its versions too, the newest first", () => {
    set("VIRTUAL_ENV", folder);
    for (const name of ["so", "so.2", "so.10", "so.10.1", "so.9.3", "so.bak", "so.2.old", "sox.3"]) {
      place(`lib/libox.${name}`);
    }
    const names = find(["libox.so"]).map(({ path }) => path.slice(path.lastIndexOf("/") + 1));
    assertEquals(names.slice(1), ["libox.so", "libox.so.10.1", "libox.so.10", "libox.so.9.3", "libox.so.2"]);
    assertEquals(find(["libox.so.10"]).slice(1).map(({ path }) => path), [`${folder}/lib/libox.so.10`]);
  });

  it("tries a folder that was asked for by name even where nothing is in it", () => {
    set("OXBOW_LIBRARY_PATH", "/nowhere");
    assertEquals(find(["a.so", "b.so.1"]).slice(0, 2).map(({ path }) => path), [
      "/nowhere/a.so",
      "/nowhere/b.so.1",
    ]);
  });

  it("takes an empty variable, and empty folders in it, as none", () => {
    for (const value of [undefined, "", ":", "::"]) {
      set("OXBOW_LIBRARY_PATH", value);
      assertEquals(find(["liboxbow-none.so"]).map(({ path }) => path), ["liboxbow-none.so"]);
    }
  });

  it("takes a path as it is, and looks for it nowhere else", () => {
    set("OXBOW_LIBRARY_PATH", folder);
    const path = place("libox.so");
    assertEquals(find([path]).map(({ path, place }) => [path, place]), [[path, "the path itself"]]);
  });

  it("finds what dlopen chooses", () => {
    set("OXBOW_LIBRARY_PATH", folder);
    place("libc.so.6");
    const names = ["liboxbow-none.so", "libc.so.6"];
    const chosen = find(names).find(({ outcome }) => outcome === "chosen");
    using library = dlopen(names, { abs: { parameters: ["i32"], result: "i32" } });
    assertEquals([library.path, chosen?.path], ["libc.so.6", "libc.so.6"]);
    assertEquals(library.symbols.abs(-3), 3);
  });
});

describe("dlopen", () => {
  it("lists every path that it has tried, a broken library's too, with the loader's reason", () => {
    set("OXBOW_LIBRARY_PATH", folder);
    set("CONDA_PREFIX", folder);
    const paths = [place("libox.so"), "libox.so", place("lib/libox.so")];
    const { message } = assertThrows(() => dlopen(["libox.so"], {}), Error, "none of these loads");
    for (const path of paths) assertStringIncludes(message, `\n  ${path}: `);
    assert(/invalid ELF header|file too short/.test(message), message);
  });
});

describe("environment", () => {
  it("gives a variable's value, and undefined where it is unset or empty", () => {
    set("MKLROOT", "here");
    assertEquals(environment("MKLROOT"), "here");
    set("MKLROOT", "");
    assertEquals(environment("MKLROOT"), undefined);
    set("MKLROOT", undefined);
    assertEquals(environment("MKLROOT"), undefined);
  });
});
