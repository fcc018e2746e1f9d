/**
 * GNU's word on machine code: its assembler and its disassembler, one process for thousands of lines.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Feature } from "../../lib/jit/code.ts";
import { skipping } from "../skip.ts";

const LIMIT_MS = 300_000;

/** Where `as` has another name for a feature. */
const gnuNames: Partial<Record<Feature, string>> = {
  sse41: "sse4.1",
  sse42: "sse4.2",
  bmi1: "bmi",
  avxvnni: "avx_vnni",
  avx512vnni: "avx512_vnni",
  avx512vbmi2: "avx512_vbmi2",
  avx512bitalg: "avx512_bitalg",
  avx512vpopcntdq: "avx512_vpopcntdq",
  avx512bf16: "avx512_bf16",
};

/** A feature as `.arch` takes it. */
export function gnuName(feature: Feature): string {
  return gnuNames[feature] ?? feature;
}

/** Skips what is compared with GNU as. */
export function unlessGnu(): string | false {
  const { status, stdout } = spawnSync("as", ["--version"], { encoding: "utf8" });
  const isOurs = status === 0 && stdout.includes("x86_64");
  return skipping(!isOurs && "GNU as for x86-64 is not installed");
}

function run(folder: string, command: string, args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd: folder,
    encoding: "utf8",
    timeout: LIMIT_MS,
    maxBuffer: 2 ** 30,
  });
  if (status !== 0) throw new Error(`${command} ended with ${status}:\n${stderr.slice(0, 20_000)}`);
  return stdout;
}

function inFolder<T>(use: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), "oxbow-gnu-"));
  try {
    return use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function section(folder: string, name: string): Uint8Array {
  run(folder, "objcopy", ["-O", "binary", "-j", name, "a.o", "section"]);
  return readFileSync(join(folder, "section"));
}

/** Makes a.o of a.s. Throws what `as` says, each with its line. */
function assemble(folder: string): void {
  const { status, stderr } = spawnSync("as", ["--64", "-O0", "-mmnemonic=intel", "-o", "a.o", "a.s"], {
    cwd: folder,
    encoding: "utf8",
    timeout: LIMIT_MS,
    maxBuffer: 2 ** 30,
  });
  if (status === 0) return;
  const lines = readFileSync(join(folder, "a.s"), "utf8").split("\n");
  throw new Error(stderr.replace(/^a\.s:(\d+):/gm, (_, line: string) => `${lines[Number(line) - 1]}:`));
}

/** The bytes of a program in Intel's syntax. Throws what `as` says. */
export function assembled(source: string): Uint8Array {
  return inFolder((folder) => {
    writeFileSync(join(folder, "a.s"), `.intel_syntax noprefix\n.text\n${source}\n`);
    assemble(folder);
    return section(folder, ".text");
  });
}

/** The bytes of each line by itself. Throws what `as` says. */
export function assembledLines(lines: readonly string[]): Uint8Array[] {
  return inFolder((folder) => {
    const text = lines.map((line, i) => `.Lline${i}: ${line}`).join("\n");
    const offsets = lines.map((_, i) => `.4byte .Lline${i + 1} - .Lline0`).join("\n");
    writeFileSync(
      join(folder, "a.s"),
      `.intel_syntax noprefix\n.text\n${text}\n.Lline${lines.length}:\n.data\n${offsets}\n`,
    );
    assemble(folder);
    const bytes = section(folder, ".text");
    const ends = section(folder, ".data");
    const view = new DataView(ends.buffer, ends.byteOffset, ends.byteLength);
    return lines.map((_, i) =>
      bytes.subarray(i === 0 ? 0 : view.getUint32(4 * i - 4, true), view.getUint32(4 * i, true))
    );
  });
}

/** A field that the linker fills. */
export interface GnuRelocation {
  readonly offset: number;
  readonly symbol: string;
  readonly addend: number;
}

/** What a program leaves to the linker. */
export function relocationsOf(source: string): GnuRelocation[] {
  return inFolder((folder) => {
    writeFileSync(join(folder, "a.s"), `.intel_syntax noprefix\n.text\n${source}\n`);
    assemble(folder);
    const listing = run(folder, "objdump", ["-r", "-w", "a.o"]);
    return [...listing.matchAll(/^([\da-f]+)\s+R_X86_64_\w+\s+(\w+)([+-]0x[\da-f]+)?$/gm)].map(
      ([, offset, symbol, addend = "+0x0"]) => ({
        offset: parseInt(offset, 16),
        symbol,
        addend: Number(addend.slice(1)) * (addend.startsWith("-") ? -1 : 1),
      }),
    );
  });
}

/** Which of the lines `as` refuses, each for a CPU that has what is named and no more, or all. */
export function refusedLines(
  lines: readonly { readonly has?: readonly string[]; readonly line: string }[],
): number[] {
  return inFolder((folder) => {
    // A `.arch` line is slow: one for each run of lines that have the same.
    const source: string[] = [".intel_syntax noprefix"];
    const numbers = new Map<number, number>();
    let last = "";
    lines.forEach(({ has, line }, i) => {
      const arch = has === undefined
        ? ""
        : [".arch generic64", ...has.map((name) => `.arch .${name}`)].join("; ");
      if (arch !== last) source.push(arch);
      last = arch;
      numbers.set(source.push(line), i);
    });
    writeFileSync(join(folder, "a.s"), `${source.join("\n")}\n`);
    const { stderr } = spawnSync("as", ["--64", "-O0", "-o", "a.o", "a.s"], {
      cwd: folder,
      encoding: "utf8",
      timeout: LIMIT_MS,
      maxBuffer: 2 ** 30,
    });
    return [...stderr.matchAll(/^a\.s:(\d+): Error: (.*)$/gm)].map(([text, line]) => {
      const i = numbers.get(Number(line));
      if (i === undefined) throw new Error(text);
      return i;
    });
  });
}

/** What each piece of code is, disassembled: each stands in a slot of 16 bytes, the rest being nops. */
export function disassembled(pieces: readonly Uint8Array[]): string[] {
  if (pieces.length === 0) return [];
  return inFolder((folder) => {
    const SLOT = 16;
    const image = new Uint8Array(SLOT * pieces.length).fill(0x90);
    pieces.forEach((piece, i) => image.set(piece, SLOT * i));
    writeFileSync(join(folder, "image"), image);
    const listing = run(folder, "objdump", [
      ...["-D", "-b", "binary", "-m", "i386:x86-64", "-M", "intel", "--no-show-raw-insn", "-w"],
      "image",
    ]);
    const texts = new Map<number, string>();
    for (const line of listing.split("\n")) {
      const [, at, text] = /^\s*([\da-f]+):\s+(.*?)\s*$/.exec(line) ?? [];
      if (at !== undefined) texts.set(parseInt(at, 16), text);
    }
    return pieces.map((_, i) => (texts.get(SLOT * i) ?? "").replace(/\s+/g, " "));
  });
}
