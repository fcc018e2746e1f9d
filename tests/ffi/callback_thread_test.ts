import { describe, it } from "node:test";
import { assertEquals, assertMatch } from "@std/assert";
import { moduleUrl, outputOf } from "../child.ts";
import { withoutGcc } from "./c_library.ts";
import { built } from "./callbacks.ts";

describe("another thread that calls a callback", () => {
  /** In a process of its own: the hosts would hang or abort. */
  function inChild(body: string): string[] {
    return outputOf(`
      import { callback, dlopen } from "${moduleUrl("ffi/mod.ts")}";
      const { symbols } = dlopen(["${built?.path}"], {
        call_once: { parameters: ["function", "i32"], result: "i32" },
        call_from_thread: { parameters: ["function", "i32"], result: "i32" },
        start_thread: { parameters: ["function", "i32", "i32"], result: "i32" },
        join_thread: { parameters: [], result: "i32" },
      });
      let calls = 0;
      const made = callback({ parameters: ["i32"], result: "i32" }, function made(x) { calls++; return x; });
      const message = (act) => { try { return act(); } catch (error) { return error.name + ": " + error.message; } };
      ${body}
    `).split("\n");
  }

  it("is refused with an error, while this one waits for it in C", { skip: withoutGcc }, () => {
    const lines = inChild(`
      console.log(message(() => symbols.call_from_thread(made.pointer, 5)));
      console.log(calls, symbols.call_once(made.pointer, 6), calls);
    `);
    assertMatch(lines[0], /^Error: callback made was called on another thread than the one that made it/);
    assertMatch(lines[0], /C was given zero, 1 time \(seen when call_from_thread was back\)$/);
    assertEquals(lines[1], "0 6 1");
  });

  it("is refused while this one runs JavaScript, or waits in its event loop", { skip: withoutGcc }, () => {
    for (
      const wait of [
        "const end = Date.now() + 100; while (Date.now() < end);",
        "await new Promise((r) => setTimeout(r, 100));",
      ]
    ) {
      const lines = inChild(`
        const started = message(() => symbols.start_thread(made.pointer, 5, 20_000));
        ${wait}
        console.log(started, message(() => symbols.join_thread()));
        console.log(message(() => symbols.join_thread === undefined), calls);
      `);
      assertMatch(lines[0], /^0 Error: callback made was called on another thread .*, 1 time/);
      assertEquals(lines[1], "false 0");
    }
  });

  it("is refused however often it comes", { skip: withoutGcc }, () => {
    const lines = inChild(`
      const counts = [];
      for (let i = 0; i < 200; i++) {
        const text = message(() => symbols.call_from_thread(made.pointer, i));
        counts.push(/, 1 time/.test(text));
      }
      console.log(counts.every(Boolean), calls);
    `);
    assertEquals(lines, ["true 0"]);
  });

  it("does not reach one that was disposed either", { skip: withoutGcc }, () => {
    const lines = inChild(`
      const { pointer } = made;
      made[Symbol.dispose]();
      symbols.start_thread(pointer, 5, 20_000);
      console.log(message(() => symbols.join_thread()));
    `);
    assertMatch(lines[0], /^Error: callback made was called after it was disposed/);
  });
});
