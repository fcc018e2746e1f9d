import { describe, it } from "node:test";
import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { callback } from "../../ffi/mod.ts";
import { moduleUrl, outputOf } from "../child.ts";
import { withoutGcc } from "./c_library.ts";
import { built, INT_TO_INT, libc, open } from "./callbacks.ts";

describe("a disposed callback", () => {
  it("may be disposed again", () => {
    const once = callback(INT_TO_INT, (x) => x);
    once[Symbol.dispose]();
    once[Symbol.dispose]();
    assertEquals(libc.abs(-1), 1);
  });

  it("is not run: C is given zero, and the call throws", { skip: withoutGcc }, () => {
    const { call_once } = open();
    const gone = callback(INT_TO_INT, function gone(x) {
      return x;
    });
    gone[Symbol.dispose]();
    for (let i = 0; i < 2; i++) {
      const { message } = assertThrows(() => call_once(gone.pointer, 7), Error);
      assertMatch(message, /^callback gone was called after it was disposed: C was given zero, 1 time/);
    }
    assertEquals(libc.abs(-1), 1);
  });

  it("may have disposed itself while it ran", { skip: withoutGcc }, () => {
    const { call_once, call_twice } = open();
    const own = callback(INT_TO_INT, (x) => {
      own[Symbol.dispose]();
      return x;
    });
    assertEquals(call_once(own.pointer, 7), 7);
    const another = callback(INT_TO_INT, (x) => {
      another[Symbol.dispose]();
      return x;
    });
    assertThrows(() => call_twice(another.pointer, 7), Error, "a callback was called after it was disposed");
    assertEquals(libc.abs(-1), 1);
  });

  it(
    "may have closed the library that called it, which is unloaded once C is back",
    { skip: withoutGcc },
    () => {
      const lines = outputOf(`
      import { readFileSync } from "node:fs";
      import { callback, dlopen } from "${moduleUrl("ffi/mod.ts")}";
      const path = ${JSON.stringify(built?.path)};
      const library = dlopen([path], { call_twice: { parameters: ["function", "i32"], result: "i32" } });
      const { call_twice } = library.symbols;
      const loaded = () => readFileSync("/proc/self/maps", "utf8").includes(path);
      const closing = callback({ parameters: ["i32"], result: "i32" }, (x) => {
        library.close();
        return loaded() ? x : -1;
      });
      console.log(call_twice(closing.pointer, 2), loaded());
      try { call_twice(closing.pointer, 2); } catch (error) { console.log(error.message); }
    `).split("\n");
      assertEquals(lines[0], "2003 false");
      assertMatch(lines[1], /^cannot call call_twice: .* was closed$/);
    },
  );

  it(
    "may have closed it and thrown, in a call within another of the same library",
    { skip: withoutGcc },
    () => {
      const lines = outputOf(`
      import { copyFileSync, readFileSync, rmSync } from "node:fs";
      import { callback, dlopen } from "${moduleUrl("ffi/mod.ts")}";
      const path = ${JSON.stringify(built?.path)};
      const other = path + ".copy.so";
      copyFileSync(path, other);
      const table = { call_once: { parameters: ["function", "i32"], result: "i32" } };
      const [outer, inner] = [dlopen([path], table), dlopen([other], table)];
      rmSync(other);
      const int = { parameters: ["i32"], result: "i32" };
      const closing = callback(int, () => { outer.close(); throw new SyntaxError("within"); });
      const calling = callback(int, (x) => {
        try { inner.symbols.call_once(closing.pointer, 1); } catch (error) { console.log(error.name); }
        return x;
      });
      console.log(outer.symbols.call_once(calling.pointer, 5), readFileSync("/proc/self/maps", "utf8").includes(path + "\\n"));
    `).split("\n");
      assertEquals(lines, ["SyntaxError", "5 false"]);
    },
  );
});
