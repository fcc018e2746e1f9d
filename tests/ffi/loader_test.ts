import { describe, it } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { keepLoaded, openGlobally, withEnvironment } from "../../ffi/loader.ts";
import { cString, dlopen, unsafeStringAt } from "../../ffi/mod.ts";

const NAME = "OXBOW_LOADER_TEST";
const { symbols: libc } = dlopen(["libc.so.6"], {
  getenv: { parameters: [/* const char *name */ "buffer"], result: "pointer" },
});

function get(): string | undefined {
  const value = libc.getenv(cString(NAME));
  return value === null ? undefined : unsafeStringAt(value);
}

describe("withEnvironment", () => {
  it("sets a variable as C reads it while it runs, and unsets it afterwards", () => {
    assertEquals(withEnvironment(NAME, "inside", () => [get()]), ["inside"]);
    assertEquals(get(), undefined);
    assertThrows(
      () =>
        withEnvironment(NAME, "inside", () => {
          throw new SyntaxError("from within");
        }),
      SyntaxError,
      "from within",
    );
    assertEquals(get(), undefined);
  });

  it("leaves a variable alone that is set already", () => {
    withEnvironment(NAME, "outer", () => {
      assertEquals(withEnvironment(NAME, "inner", get), "outer");
      assertEquals(get(), "outer");
    });
    assertEquals(get(), undefined);
  });
});

describe("openGlobally", () => {
  it("says whether the library loads", () => {
    assertEquals(openGlobally("libm.so.6"), true);
    assertEquals(openGlobally("liboxbow-none.so"), false);
  });
});

describe("keepLoaded", () => {
  it("says whether the library is loaded, and loads none", () => {
    assertEquals(keepLoaded("libc.so.6"), true);
    assertEquals(keepLoaded("liboxbow-none.so"), false);
  });
});
