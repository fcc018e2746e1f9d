import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { describe, it } from "node:test";
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import type { Feature } from "../../lib/jit/code.ts";
import { load, loadForProcess, MissingFeatureError } from "../../lib/jit/load.ts";
import { moduleUrl, outputOf } from "../child.ts";
import { add, bump, constant, handCode, jumpTo, returning } from "./hand_code.ts";

const NUMBER = { parameters: [], result: "i32" } as const;
const ADD = { parameters: ["i32", "i32"], result: "i32" } as const;

function descriptors(label: string): number {
  return readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).includes(`memfd:oxbow-${label}`);
    } catch {
      return false;
    }
  }).length;
}

describe("load", () => {
  it("gives functions as dlopen types and checks them", () => {
    using kernels = load({
      sum: { signature: ADD, code: add },
      wide: { signature: { parameters: ["i32", "i32"], result: "u32" }, code: add },
      answer: { signature: { ...NUMBER, unchecked: true }, code: constant },
    });
    const sum: (a: number, b: number) => number = kernels.symbols.sum;
    assertEquals([sum(40, 2), kernels.symbols.wide(-1, 0), kernels.symbols.answer()], [42, 2 ** 32 - 1, 42]);
    // @ts-expect-error: the signature takes no string.
    assertThrows(() => kernels.symbols.sum(1, "2"), TypeError, "argument 2 (i32)");
    // @ts-expect-error: there is no such function.
    assertEquals(kernels.symbols.other, undefined);
  });

  it("lets functions of one table refer to each other, under their names there", () => {
    using kernels = load({
      one: { signature: { ...NUMBER, symbol: "elsewhere" }, code: returning(1) },
      same: { signature: NUMBER, code: jumpTo("one") },
    });
    assertEquals([kernels.symbols.one(), kernels.symbols.same()], [1, 1]);
  });

  it("does not compile where a signature cannot be bound", () => {
    const signature = { parameters: ["cstring"], result: "i32", unchecked: true } as const;
    // @ts-expect-error: an unchecked function takes no cstring.
    assertThrows(() => load({ f: { signature, code: add } }), TypeError, "cannot bind f");
    assertThrows(() => load({}), TypeError, "it has no function");
  });

  it("unloads what nobody holds, and refuses a call from then on", () => {
    const kernels = load({ gone: { signature: NUMBER, code: returning(3) } });
    using same = load({ gone: { signature: NUMBER, code: returning(3) } });
    const { gone } = kernels.symbols;
    assertEquals([gone(), descriptors("gone")], [3, 1]);
    kernels[Symbol.dispose]();
    assertThrows(gone, Error, "was closed");
    assertThrows(() => kernels.symbols.gone(), Error, "was closed");
    assertEquals(descriptors("gone"), 1);
    same.close();
    assertEquals(descriptors("gone"), 0);
  });

  it("refuses code that the CPU cannot run, before anything is opened", () => {
    const invented = ["avx2", "oxbow"];
    const features = invented.filter((name): name is Feature => name !== "");
    const kernels = {
      fine: { signature: NUMBER, code: returning(1) },
      never: { signature: NUMBER, code: handCode([0x0f, 0x0b], { features }) },
    };
    const error = assertThrows(() => load(kernels), MissingFeatureError, "cannot load never: it needs");
    assert(error.missing.some((name) => String(name) === "oxbow"));
    assertEquals(descriptors("fine"), 0);
    assertThrows(() => loadForProcess(kernels), MissingFeatureError, "never");
    const source = `
      import { load } from "${moduleUrl("lib/jit/load.ts")}";
      import { handCode, returning } from "${moduleUrl("tests/jit/hand_code.ts")}";
      const signature = { parameters: [], result: "i32" };
      const attempt = (features) => {
        try {
          return load({ f: { signature, code: { ...returning(features.length), features: new Set(features) } } }).symbols.f();
        } catch (error) {
          return error.message;
        }
      };
      console.log([[], ["sse2"], ["avx2", "fma"]].map(attempt).join("; "));`;
    assertEquals(
      outputOf(source, { before: "export OXBOW_CPU=sse2" }),
      "0; 1; cannot load f: it needs avx2, fma, which this CPU has not, or OXBOW_CPU denies it",
    );
  });

  it("refuses what is no code, by its name", () => {
    const code = returning(1);
    const attempt = (code: unknown): unknown => {
      // @ts-expect-error: it is no Code.
      return load({ odd: { signature: NUMBER, code } });
    };
    for (const none of [undefined, null, 5, {}, new Uint8Array([0xc3]), { ...code, text: [0xc3] }]) {
      assertThrows(() => attempt(none), TypeError, "cannot load odd: code is not what the finish()");
    }
    assertThrows(() => attempt({ ...code, rodata: undefined }), TypeError, "cannot load odd");
    assertThrows(() => attempt({ ...code, relocations: undefined }), TypeError, "cannot load odd");
    assertThrows(() => attempt(handCode([])), TypeError, "cannot load odd: its code is empty");
    for (const offset of [-1, 3, 1.5, NaN, 1e9]) {
      const relocations = [{ kind: "rodata", offset, addend: 0 }] as const;
      assertThrows(
        () => attempt({ ...code, relocations }),
        RangeError,
        `a relocation's offset is ${offset}, past`,
      );
    }
    for (const addend of [2 ** 31, 0.5]) {
      const relocations = [{ kind: "rodata", offset: 0, addend }] as const;
      assertThrows(() => attempt({ ...code, relocations }), RangeError, `a relocation's addend is ${addend}`);
    }
  });

  it("loads a function of any name", () => {
    using kernels = load({
      ["__proto__"]: { signature: NUMBER, code: returning(7) },
      constructor: { signature: NUMBER, code: returning(8) },
    });
    assertEquals(Object.keys(kernels.symbols).sort(), ["__proto__", "constructor"]);
    assertEquals([kernels.symbols["__proto__"](), kernels.symbols.constructor()], [7, 8]);
  });

  it("says by name where no code can be loaded", () => {
    const source = `
      import { load } from "${moduleUrl("lib/jit/load.ts")}";
      import { returning } from "${moduleUrl("tests/jit/hand_code.ts")}";
      try { load({ f: { signature: { parameters: [], result: "i32" }, code: returning(1) } }); }
      catch (error) { console.log(error.name, error.message); }`;
    assertStringIncludes(
      outputOf(source, { before: "export OXBOW_NATIVE=0" }),
      "NativeUnavailableError cannot",
    );
  });
});

describe("loadForProcess", () => {
  it("gives memory to the code, which the process keeps", () => {
    const kernels = { held: { signature: NUMBER, code: bump("cell") } };
    assertEquals(loadForProcess(kernels, { cell: 4 }).symbols.held(), 1);
    loadForProcess(kernels, { cell: 4 }).close();
    assertEquals(loadForProcess(kernels, { cell: 4 }).symbols.held(), 2);
    assertStringIncludes(readFileSync("/proc/self/maps", "utf8"), "memfd:oxbow-held");
  });
});
