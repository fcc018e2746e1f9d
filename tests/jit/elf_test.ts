import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import fc from "fast-check";
import { sharedObject } from "../../lib/jit/elf.ts";
import { add, everything, handCode, jumpTo } from "./hand_code.ts";
import { type Elf, readElf } from "./elf_reader.ts";
import { unlessInstalled } from "../skip.ts";

const [LOAD, DYNAMIC, STACK, RELRO] = [1, 2, 0x6474e551, 0x6474e552];
const [X, W, R] = [1, 2, 4];
const [GLOB_DAT, RELATIVE] = [6, 8];
const PAGE = 4096;

const skipBinutils = unlessInstalled("readelf");

/** What a tool of binutils prints about the object, on both streams. */
function told(command: string, flags: readonly string[], image: Uint8Array): string {
  const folder = mkdtempSync(join(tmpdir(), "oxbow-elf-"));
  try {
    const path = join(folder, "a.so");
    writeFileSync(path, image);
    const { stdout, stderr } = spawnSync(command, [...flags, path], { encoding: "utf8" });
    return stderr + stdout;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function segmentOf({ segments }: Elf, type: number): Elf["segments"][number] {
  const segment = segments.find((segment) => segment.type === type);
  if (segment === undefined) throw new Error(`there is no segment ${type}`);
  return segment;
}

const name = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_.$]{0,20}$/);
const piece = fc.record({
  text: fc.uint8Array({ minLength: 8, maxLength: 300 }),
  rodata: fc.uint8Array({ maxLength: 200 }),
  imports: fc.uniqueArray(fc.constantFrom("puts", "cos", "abs", "environ", "own", "cell"), { maxLength: 1 }),
});
const object = fc.record({
  // Neither is named as one of the other kind, which is refused.
  functions: fc.dictionary(name.map((name) => `f.${name}`), piece, {
    minKeys: 1,
    maxKeys: 12,
    noNullPrototype: true,
  }),
  memory: fc.dictionary(name.map((name) => `m.${name}`), fc.integer({ min: 1, max: 50_000 }), {
    maxKeys: 4,
    noNullPrototype: true,
  }),
});

describe("sharedObject", () => {
  it("makes what readelf has nothing to say against", { skip: skipBinutils }, () => {
    const text = told("readelf", ["-aW"], sharedObject({ ...everything, soname: "oxbow-a.so" }));
    assertEquals(/(warning|error|corrupt|<unknown|out of range).*/i.exec(text)?.[0], undefined);
    assertStringIncludes(text, "DYN (Shared object file)");
    assertStringIncludes(text, "Library soname: [oxbow-a.so]");
    assertStringIncludes(text, "Shared library: [libm.so.6]");
    assertStringIncludes(text, "UND getppid");
    assertStringIncludes(text, "R_X86_64_RELATIVE");
    assertStringIncludes(text, "R_X86_64_GLOB_DAT");
  });

  it("names the functions for a disassembler", { skip: skipBinutils }, () => {
    const text = told("objdump", ["-d", "-M", "intel", "--no-show-raw-insn"], sharedObject(everything));
    assert(/<add>:\n\s+[0-9a-f]+:\s+lea +eax,\[rdi\+rsi\*1\]\n\s+[0-9a-f]+:\s+ret/.test(text), text);
    for (const name of Object.keys(everything.functions)) assertStringIncludes(text, `<${name}>:`);
  });

  it("makes nothing that is both writable and executable, and a stack that is not executable", () => {
    const elf = readElf(sharedObject(everything));
    const loads = elf.segments.filter(({ type }) => type === LOAD);
    assertEquals(loads.map(({ flags }) => flags), [R, R | X, R | W]);
    assertEquals(segmentOf(elf, STACK).flags, R | W);
  });

  it("puts everything where the loader finds it, whatever there is", () => {
    fc.assert(fc.property(object, ({ functions, memory }) => {
      const codes = Object.fromEntries(
        Object.entries(functions).map(([name, { text, rodata, imports }]) => [
          name,
          handCode([...text], {
            rodata: [...rodata],
            relocations: [
              { kind: "rodata", offset: 0, addend: 3 },
              ...imports.map((name) => ({
                kind: "symbol" as const,
                offset: 4,
                addend: -4,
                name,
                library: name === "cos" ? "libm.so.6" : undefined,
              })),
            ],
          }),
        ]),
      );
      const image = sharedObject({ functions: codes, memory });
      const view = new DataView(image.buffer);
      const elf = readElf(image);

      const loads = elf.segments.filter(({ type }) => type === LOAD);
      let end = 0;
      for (const { offset, address, fileSize, size } of loads) {
        assertEquals(address % PAGE, offset % PAGE);
        assert(Math.floor(address / PAGE) >= Math.ceil(end / PAGE), "segments share a page");
        assert(offset + fileSize <= image.length && fileSize <= size);
        end = address + size;
      }
      const [constants, text, data] = loads;
      const within = (segment: typeof text, from: number, size: number): boolean =>
        from >= segment.address && from + size <= segment.address + segment.size;
      const relro = segmentOf(elf, RELRO);
      assertEquals([relro.address % PAGE, relro.size % PAGE], [0, 0]);
      assert(within(data, segmentOf(elf, DYNAMIC).address, segmentOf(elf, DYNAMIC).size));

      const taken: [from: number, to: number][] = [];
      for (const [name, code] of Object.entries(codes)) {
        const symbol = elf.find(name);
        assert(symbol !== undefined && symbol.isDefined, `${name} is not found`);
        const { address, size } = symbol;
        assertEquals([address % 64, size], [0, code.text.length]);
        assert(within(text, address, size));
        assertEquals(image.slice(address + 8, address + size), code.text.slice(8));
        const rodata = address + view.getInt32(address, true) - 3;
        assertEquals(rodata % 64, 0);
        assert(within(constants, rodata, code.rodata.length));
        assertEquals(image.slice(rodata, rodata + code.rodata.length), code.rodata);
        taken.push([address, address + size], [rodata, rodata + code.rodata.length]);
        for (const relocation of code.relocations) {
          if (relocation.kind !== "symbol") continue;
          const slot = address + 4 + view.getInt32(address + 4, true) + 4;
          assert(slot >= relro.address && slot + 8 <= relro.address + relro.size);
          const [rela] = elf.relocations.filter(({ address }) => address === slot);
          assertEquals(rela.type, GLOB_DAT);
          assertEquals(elf.symbols[rela.symbol].name, relocation.name);
          assert(!elf.symbols[rela.symbol].isDefined);
          if (relocation.library !== undefined) assertEquals(elf.needed, [relocation.library]);
        }
      }
      for (const [name, size] of Object.entries(memory)) {
        const symbol = elf.find(name);
        assertEquals(symbol?.size, size);
        const address = symbol?.address ?? 0;
        assert(address % 64 === 0 && within(data, address, size) && address >= relro.address + relro.size);
        taken.push([address, address + size]);
      }
      taken.sort(([a], [b]) => a - b);
      for (let i = 1; i < taken.length; i++) assert(taken[i][0] >= taken[i - 1][1], "two things overlap");
      assertEquals(elf.find("missing"), undefined);
    }));
  });

  it("takes a name of its own object for that, whatever else has it", () => {
    const elf = readElf(
      sharedObject({
        functions: { abs: add, ours: jumpTo("abs"), other: jumpTo("cell") },
        memory: { cell: 8 },
      }),
    );
    assertEquals(elf.relocations.map(({ type }) => type), [RELATIVE, RELATIVE]);
    assertEquals(elf.relocations.map(({ addend }) => addend), [
      elf.find("abs")?.address,
      elf.find("cell")?.address,
    ]);
    assertEquals(elf.symbols.filter(({ name, isDefined }) => name !== "" && !isDefined), []);
  });

  it("refuses what no object can be made of, naming it", () => {
    assertThrows(() => sharedObject({ functions: {} }), TypeError, "it has no function");
    for (const bad of ["", "a b", "a\0b", "Joch\u00f6", "a\n"]) {
      assertThrows(
        () => sharedObject({ functions: { [bad]: add } }),
        TypeError,
        `a function ${JSON.stringify(bad)}`,
      );
      assertThrows(
        () => sharedObject({ functions: { add }, memory: { [bad]: 1 } }),
        TypeError,
        "cannot name memory",
      );
      assertThrows(
        () => sharedObject({ functions: { add }, soname: bad }),
        TypeError,
        "cannot name a library",
      );
      assertThrows(() => sharedObject({ functions: { a: jumpTo(bad) } }), TypeError, "cannot name a symbol");
      assertThrows(
        () => sharedObject({ functions: { a: jumpTo("b", bad) } }),
        TypeError,
        "cannot name a library",
      );
    }
    assertThrows(
      () => sharedObject({ functions: { add }, memory: { add: 1 } }),
      TypeError,
      "a function has that name",
    );
    for (const size of [0, -1, 1.5, NaN, 2 ** 31 + 1]) {
      assertThrows(
        () => sharedObject({ functions: { add }, memory: { cell: size } }),
        RangeError,
        `its size is ${size}`,
      );
    }
    const memory = { cell: 2 ** 31, other: 2 ** 31 };
    assertEquals(readElf(sharedObject({ functions: { add }, memory })).find("other")?.size, 2 ** 31);
  });
});
