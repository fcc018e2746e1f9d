import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { moduleUrl, outputOf } from "../child.ts";
import { tiered } from "../tier.ts";

const CALLS = tiered({ quick: 1_000_000, full: 10_000_000, soak: 1_000_000_000 });
/** Less than 32 bytes for each of the fewest calls. */
const LIMIT = 32_000_000;

describe("many mixed calls", () => {
  it("leave nothing behind", () => {
    const source = `
      import process from "node:process";
      import { callback, cString, dlopen, errno, pointerTo, unsafeStringAt } from "${
      moduleUrl("ffi/mod.ts")
    }";
      import { collect } from "${moduleUrl("tests/collector.ts")}";
      const { symbols: libc } = dlopen(["libc.so.6"], {
        abs: { parameters: ["i32"], result: "i32" },
        llabs: { parameters: ["i64"], result: "i64" },
        memcmp: { parameters: ["buffer", "pointer", "usize"], result: "i32" },
        strlen: { parameters: ["cstring"], result: "usize" },
        text: { symbol: "memcpy", parameters: ["buffer", "pointer", "usize"], result: "cstring" },
        close: { parameters: ["i32"], result: "i32" },
        qsort: { parameters: ["buffer", "usize", "usize", "function"], result: "void" },
      });
      const bytes = cString("a text of some length");
      const at = pointerTo(bytes);
      const numbers = new Int32Array(8);
      const kinds = [
        (i) => libc.abs(-1 - i) === i + 1,
        (i) => libc.llabs(-1 - i) === BigInt(i + 1),
        (i) => libc.llabs(-BigInt(i) - (1n << 60n)) === BigInt(i) + (1n << 60n),
        () => libc.memcmp(bytes, at, bytes.length) === 0,
        (i) => libc.memcmp(new Uint8Array(i % 500 + 1), null, 0) === 0,
        (i) => libc.strlen("x".repeat(i % 200)) === BigInt(i % 200),
        () => libc.text(bytes, null, 0) === "a text of some length",
        () => unsafeStringAt(at).length === 21,
        () => libc.close(-1) === -1 && errno() === 9,
        (i) => {
          if (i % 100 !== 0) return true;
          using equal = callback({ parameters: ["pointer", "pointer"], result: "i32" }, () => 0);
          libc.qsort(numbers, 8, 4, equal.pointer);
          return true;
        },
        (i) => {
          if (i % 100 !== 0) return true;
          try { libc.abs(0.5); } catch (error) { return error instanceof TypeError; }
          return false;
        },
      ];
      let wrong = 0;
      let i = 0;
      async function run(calls) {
        for (const end = i + calls; i < end; i++) if (!kinds[i % kinds.length](i)) wrong++;
        await collect();
        return process.memoryUsage().rss;
      }
      let before = await run(${CALLS} / 4);
      before = Math.max(before, await run(${CALLS} / 4));
      console.log(await run(${CALLS}) - before, wrong);
    `;
    const [grown, wrong] = outputOf(source).split(" ").map(Number);
    assertEquals(wrong, 0);
    assert(grown < LIMIT, `${grown} bytes more after ${CALLS} calls`);
  });
});
