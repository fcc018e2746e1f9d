import { describe, it } from "node:test";
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { existsSync } from "node:fs";
import { dlopen, type SymbolTable } from "../../ffi/mod.ts";
import { moduleUrl, outputOf } from "../child.ts";
import { skipping } from "../skip.ts";

describe("dlopen", () => {
  it("opens the first library that loads, and says which", () => {
    using library = dlopen(["liboxbow-none.so.1", "libm.so.6", "libc.so.6"], {
      sqrt: { parameters: [/* double x */ "f64"], result: "f64" },
    });
    assertEquals(library.path, "libm.so.6");
    assertEquals(library.symbols.sqrt(2), Math.SQRT2);
  });

  it("lists every name that it tried, and why each failed", () => {
    const names = ["liboxbow-none.so.1", "/nowhere/liboxbow.so", "/proc/self/maps"];
    const { message } = assertThrows(() => dlopen(names, {}), Error, "none of these loads");
    for (const name of names) {
      const line = message.split("\n").find((line) => line.startsWith(`  ${name}: `)) ?? "";
      assert(line.length > name.length + 10, `${message} says nothing of ${name}`);
    }
    assertStringIncludes(message, "liboxbow-none.so.1: cannot open shared object file: No such file");
    assertStringIncludes(message, "/nowhere/liboxbow.so: cannot open shared object file: No such file");
    assertStringIncludes(message, "invalid ELF header");
  });

  it("refuses a list without a name", () => {
    assertThrows(() => dlopen([], {}), TypeError, "cannot open []: names is no list of sonames or paths");
  });

  it("refuses a name with a NUL, where C would cut it", () => {
    assertThrows(() => dlopen(["libc.so.6\0.bak"], {}), TypeError, '"libc.so.6\\u0000.bak": it holds a NUL');
  });

  it("opens a library without a symbol", () => {
    using library = dlopen(["libc.so.6"], {});
    assertEquals(Object.keys(library.symbols), []);
  });

  it("binds a function when it is asked for, so that one that is missing hurts nobody", () => {
    using library = dlopen(["libc.so.6"], {
      abs: { parameters: ["i32"], result: "i32" },
      oxbow_none: { parameters: [], result: "void" },
    });
    assertEquals(library.symbols.abs(-3), 3);
    assertThrows(() => library.symbols.oxbow_none, Error, "cannot bind oxbow_none in libc.so.6");
    assertThrows(() => library.symbols.oxbow_none(), Error, "oxbow_none");
  });

  it("tells which functions there are", () => {
    using library = dlopen(["libc.so.6"], {
      abs: { parameters: ["i32"], result: "i32" },
      oxbow_none: { parameters: [], result: "void" },
    });
    assertEquals([library.has("abs"), library.has("oxbow_none")], [true, false]);
    for (const name of ["toString", "constructor", "__proto__", "labs"]) {
      assertEquals(Reflect.apply(library.has, undefined, [name]), false);
    }
  });

  it("gives the same function each time", () => {
    using library = dlopen(["libc.so.6"], { abs: { parameters: ["i32"], result: "i32" } });
    assert(library.symbols.abs === library.symbols.abs);
  });

  it("checks as the table said when the library was opened", () => {
    const parameters: ["i32"] = ["i32"];
    const table = { abs: { parameters, result: "i32" } } as const satisfies SymbolTable;
    using library = dlopen(["libc.so.6"], table);
    parameters.splice(0);
    assertEquals(library.symbols.abs(-3), 3);
    assertThrows(() => Reflect.apply(library.symbols.abs, undefined, []), TypeError, "it takes 1 argument");
  });

  it("binds one C function in two forms", () => {
    using library = dlopen(["libc.so.6"], {
      length: { symbol: "strlen", parameters: [/* const char *s */ "buffer"], result: "usize" },
      lengthAsInt: { symbol: "strlen", parameters: [/* const char *s */ "buffer"], result: "i32" },
    });
    const text = new TextEncoder().encode("oxbow\0");
    assertEquals([library.symbols.length(text), library.symbols.lengthAsInt(text)], [5n, 5]);
  });

  it("names C's function, and not the table's, where an argument is wrong", () => {
    using library = dlopen(["libc.so.6"], {
      absolute: { symbol: "abs", parameters: ["i32"], result: "i32" },
    });
    assertThrows(() => library.symbols.absolute(NaN), TypeError, "cannot call abs: argument 1 (i32) is NaN");
  });
});

describe("a closed library", () => {
  it("throws at each call, bound before or not", () => {
    const library = dlopen(["libc.so.6"], {
      abs: { parameters: ["i32"], result: "i32" },
      labs: { parameters: ["i64"], result: "i64" },
    });
    library.symbols.abs(1);
    library.close();
    assertThrows(() => library.symbols.abs(1), Error, "cannot call abs: libc.so.6 was closed");
    assertThrows(() => library.symbols.labs(1), Error, "cannot call labs: libc.so.6 was closed");
    assertEquals(library.has("abs"), false);
  });

  it("may be closed again", () => {
    const library = dlopen(["libc.so.6"], { abs: { parameters: ["i32"], result: "i32" } });
    library.close();
    library.close();
    library[Symbol.dispose]();
    assertThrows(() => library.symbols.abs(1), Error, "closed");
  });

  it("leaves others over the same file open", () => {
    const first = dlopen(["libm.so.6"], { sqrt: { parameters: ["f64"], result: "f64" } });
    using second = dlopen(["libm.so.6"], { sqrt: { parameters: ["f64"], result: "f64" } });
    assertEquals(second.symbols.sqrt(9), 3);
    first.close();
    assertEquals(second.symbols.sqrt(16), 4);
  });

  it("is unloaded, so that opening and closing leaves no mapping behind", {
    skip: skipping(!existsSync("/proc/self/maps") && "there is no /proc"),
  }, () => {
    const source = `
      import { readFileSync } from "node:fs";
      import { dlopen } from "${moduleUrl("ffi/mod.ts")}";
      function cycle(times) {
        for (let i = 0; i < times; i++) {
          using library = dlopen(["libresolv.so.2"], { ns_get16: { parameters: ["buffer"], result: "u32" } });
          if (library.symbols.ns_get16(Uint8Array.of(1, 2)) !== 0x102) throw new Error("a wrong answer");
        }
        const maps = readFileSync("/proc/self/maps", "latin1");
        return [maps.includes("libresolv"), maps.split("\\n").length];
      }
      const [, before] = cycle(20);
      const [loaded, after] = cycle(100);
      console.log(loaded, after - before);
    `;
    const [loaded, grown] = outputOf(source).split(" ");
    assertEquals(loaded, "false");
    assert(Number(grown) < 50, `${grown} mappings more after 100 libraries`);
  });
});
