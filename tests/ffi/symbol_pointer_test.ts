import { describe, it } from "node:test";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { dlopen, symbolPointer, unsafeCopy, unsafeStringAt } from "../../ffi/mod.ts";

describe("symbolPointer", () => {
  it("is where a variable lies", () => {
    using libc = dlopen(["libc.so.6"], {});
    const loopback = symbolPointer(libc, "in6addr_loopback");
    assert(loopback !== null);
    assertEquals([...unsafeCopy(loopback, 16)], [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
  });

  it("is a function that another one calls", () => {
    using libc = dlopen(["libc.so.6"], {
      bsearch: {
        parameters: [
          "buffer",
          "buffer",
          "usize",
          "usize",
          /* int (*)(const void *, const void *) */ "function!",
        ],
        result: "pointer",
      },
    });
    const strcmp = symbolPointer(libc, "strcmp");
    assert(strcmp !== null);
    const names = new TextEncoder().encode("ale\0ash\0elm\0oak\0");
    const key = (text: string): Uint8Array => new TextEncoder().encode(`${text}\0`);
    const found = libc.symbols.bsearch(key("elm"), names, 4, 4, strcmp);
    assertEquals(found === null ? "" : unsafeStringAt(found), "elm");
    assertEquals(libc.symbols.bsearch(key("fir"), names, 4, 4, strcmp), null);
  });

  it("is null where the library has no such symbol", () => {
    using libm = dlopen(["libm.so.6"], {});
    assertEquals(symbolPointer(libm, "oxbow_none"), null);
  });

  it("is refused of a library that was closed", () => {
    const libm = dlopen(["libm.so.6"], {});
    assertEquals(libm.closed, false);
    libm.close();
    assertEquals(libm.closed, true);
    assertThrows(() => symbolPointer(libm, "sqrt"), Error, "cannot point to sqrt: libm.so.6 was closed");
  });
});
