import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { hostName } from "../../ffi/mod.ts";
import { moduleUrl, outputOf } from "../child.ts";
import { skipping, unlessInstalled } from "../skip.ts";

const skipGdb = unlessInstalled("gdb");
/** A kernel may forbid profiling, or be older than the tool. */
const skipPerf = skipping(
  spawnSync("perf", ["record", "-e", "cpu-clock", "-o", "/dev/null", "true"]).status !== 0 &&
    "perf is not installed, or may not be used",
);

const PROGRAM = `
  import { openLibrary } from "${moduleUrl("lib/jit/library.ts")}";
  import { handCode } from "${moduleUrl("tests/jit/hand_code.ts")}";
  // mov rax, rdi; again: dec rax; jnz again; ret
  const spin = handCode([0x48, 0x89, 0xf8, 0x48, 0xff, 0xc8, 0x75, 0xfb, 0xc3]);
  const library = openLibrary({ functions: { spin_here: spin } }, { spin_here: { parameters: ["i64"], result: "i64" } });
  console.log("spinning");
  library.symbols.spin_here(200_000_000_000n);`;

/** Runs the program, which spins for a minute or until \`act\` is done. */
async function whileSpinning<T>(env: Record<string, string>, act: (pid: number) => T): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "oxbow-spin-"));
  writeFileSync(join(folder, "spin.mjs"), PROGRAM);
  const flags = { deno: ["run", "-A", "--no-config", "--no-lock"], bun: ["run"], node: [] }[hostName];
  const child = spawn(process.execPath, [...flags, join(folder, "spin.mjs")], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = new Promise((resolve) => child.on("exit", resolve));
  try {
    await new Promise((resolve) => child.stdout.once("data", resolve));
    return act(child.pid ?? 0);
  } finally {
    child.kill("SIGKILL");
    await exited;
    rmSync(folder, { recursive: true });
  }
}

describe("a function of machine code", () => {
  it("has its name in gdb", { skip: skipGdb }, async () => {
    const text = await whileSpinning({}, (pid) => {
      const commands = ["-ex", "bt 1", "-ex", "info symbol spin_here", "-ex", "x/4i spin_here"];
      return spawnSync("gdb", ["-nx", "-batch", "-p", String(pid), ...commands], { encoding: "utf8" }).stdout;
    });
    assert(/#0 .* in spin_here \(\)/.test(text), text);
    assertStringIncludes(text, "spin_here in section .text");
    assert(/<spin_here\+3>:\s+dec\s+%rax/.test(text), text);
  });

  it("has its name in perf, from a file in $OXBOW_JIT_DIR", { skip: skipPerf }, async () => {
    const folder = mkdtempSync(join(tmpdir(), "oxbow-perf-"));
    try {
      const text = await whileSpinning({ OXBOW_JIT_DIR: folder }, (pid) => {
        const data = join(folder, "perf.data");
        spawnSync("perf", ["record", "-q", "-e", "cpu-clock", "-o", data, "-p", String(pid), "sleep", "0.5"]);
        return spawnSync("perf", ["report", "-i", data, "--stdio", "--sort", "symbol"], { encoding: "utf8" })
          .stdout;
      });
      assert(/\[\.\] spin_here/.test(text), text);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("is loaded from files of its own in $OXBOW_JIT_DIR, which stay", () => {
    const folder = mkdtempSync(join(tmpdir(), "oxbow-jit-"));
    try {
      const source = `
        import { readFileSync } from "node:fs";
        import { openLibrary } from "${moduleUrl("lib/jit/library.ts")}";
        import { returning } from "${moduleUrl("tests/jit/hand_code.ts")}";
        const open = (value) => openLibrary({ functions: { "of/file": returning(value) } }, {
          f: { symbol: "of/file", parameters: [], result: "i32" },
        });
        using one = open(1);
        using two = open(2);
        const maps = readFileSync("/proc/self/maps", "utf8");
        console.log(one.symbols.f(), two.symbols.f(), maps.includes(one.path), maps.includes("memfd:oxbow"));`;
      const before = `export OXBOW_JIT_DIR='${folder}'`;
      assertEquals(outputOf(source, { before }), "1 2 true false");
      const files = readdirSync(folder);
      assertEquals(files.length, 2);
      assert(files.every((file) => /^\d+-\d+-of_file\.so$/.test(file)), files.join());
      if (hostName === "deno") {
        const permissions = ["--allow-ffi", "--allow-env=OXBOW_JIT_DIR", "--allow-read=/proc"];
        const denied = source.replace(
          "using one",
          "try { open(1); } catch (error) { console.log(error.name); Deno.exit(0); } using one",
        );
        assertEquals(outputOf(denied, { before, permissions }), "NotCapable");
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
