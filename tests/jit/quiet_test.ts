import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { moduleUrl, outputOf } from "../child.ts";

describe("what a callback has left", () => {
  it("is thrown by the next call of a user's, and by none of Oxbow's own, which would lose what they have done", () => {
    const lines = outputOf(`
      import { callback, dlopen, pointerTo, word } from "${moduleUrl("ffi/mod.ts")}";
      import { cpu, guardRange, load, SignalWatch } from "${moduleUrl("lib/jit/mod.ts")}";
      import { handCode } from "${moduleUrl("tests/jit/hand_code.ts")}";
      import { sum } from "${moduleUrl("lib/vector/mod.ts")}";
      const { symbols: { qsort } } = dlopen(["libc.so.6"], {
        qsort: { parameters: ["buffer", "usize", "usize", "function"], result: "void", unchecked: true },
      });
      const compare = callback({ parameters: ["pointer", "pointer"], result: "i32" }, () => 0);
      const kernel = load({
        // mov eax, 7; ret
        seven: { signature: { parameters: [], result: "i32" }, code: handCode([0xb8, 7, 0, 0, 0, 0xc3]) },
      });
      const bytes = new Uint8Array(8192);
      const { pointer } = compare;
      compare[Symbol.dispose]();
      for (
        const act of [
          () => cpu().cores > 0,
          () => sum(Float32Array.of(1, 2)),
          () => new SignalWatch("SIGUSR2")[Symbol.dispose](),
          () => guardRange(pointerTo(bytes), 1, 1)[Symbol.dispose](),
          () => callback({ parameters: [], result: "void" }, () => {})[Symbol.dispose](),
        ]
      ) {
        qsort(bytes, word(2), word(1), pointer);
        act();
        try { console.log(kernel.symbols.seven()); } catch (error) { console.log(error.message.slice(0, 42)); }
        console.log(kernel.symbols.seven());
      }`);
    const each = ["a callback was called after it was disposed", "7"].map((line) => line.slice(0, 42));
    assertEquals(lines.split("\n"), Array.from({ length: 5 }, () => each).flat());
  });
});
