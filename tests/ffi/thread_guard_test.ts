import { after, describe, it } from "node:test";
import { assert, assertEquals, assertMatch, assertStrictEquals, assertThrows } from "@std/assert";
import { addressOf, type Callback, callback, dlopen, hostName } from "../../ffi/mod.ts";
import { type ChildResult, moduleUrl, outputOf, runChild } from "../child.ts";
import { buildLibrary, withoutGcc } from "./c_library.ts";

const built = withoutGcc === false ? buildLibrary() : undefined;
/** Stays where it is, whatever the hosts close. */
const staying = withoutGcc === false ? buildLibrary("-Wl,-z,nodelete") : undefined;
after(() => {
  built?.[Symbol.dispose]();
  staying?.[Symbol.dispose]();
});

const INT_TO_INT = { parameters: ["i32"], result: "i32" } as const;
/** The hosts that run what atexit(3) has registered: Bun leaves without. */
const AT_EXIT = hostName === "bun" ? "" : "at exit: 0";

function open() {
  return dlopen([built?.path ?? ""], {
    call_once: { parameters: ["function", "i32"], result: "i32" },
    call_from_thread: { parameters: ["function", "i32"], result: "i32", unchecked: true },
    call_unchecked: { symbol: "call_once", parameters: ["function", "i32"], result: "i32", unchecked: true },
    pass_f64: { parameters: ["f64", "function"], result: "f64", unchecked: true },
    pass_f32: { parameters: ["f32", "function"], result: "f32", unchecked: true },
    has_ended: { parameters: [], result: "i32" },
  }).symbols;
}

function addOne(): Callback {
  return callback(INT_TO_INT, (x) => x + 1);
}

/** The head of a child's module: the library and a callback's maker. */
function head(path: string | undefined): string {
  return `
    import process from "node:process";
    import { writeSync } from "node:fs";
    import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
    import { callback, dlopen } from "${moduleUrl("ffi/mod.ts")}";
    const { symbols } = dlopen(["${path}"], {
      call_once: { parameters: ["function", "i32"], result: "i32" },
      call_at_exit: { parameters: ["function"], result: "i32" },
      call_at_thread_end: { parameters: ["function"], result: "i32" },
      has_ended: { parameters: [], result: "i32" },
      keep: { parameters: ["function"], result: "void" },
      call_kept: { parameters: ["i32"], result: "i32" },
    });
    const make = () => callback({ parameters: ["i32"], result: "i32" }, (x) => x + 41);
    const start = (data) => new Worker(new URL(import.meta.url), { workerData: data });
  `;
}

describe("a shut door", () => {
  it("gives C the zero of a floating-point result", { skip: withoutGcc }, () => {
    const { pass_f64, pass_f32, has_ended } = open();
    const wide = callback({ parameters: [], result: "f64" }, () => 1);
    const narrow = callback({ parameters: [], result: "f32" }, () => 1);
    assertEquals([pass_f64(2.5, wide.pointer), pass_f32(2.5, narrow.pointer)], [1, 1]);
    wide[Symbol.dispose]();
    narrow[Symbol.dispose]();
    assertStrictEquals(pass_f64(2.5, wide.pointer), 0);
    assertStrictEquals(pass_f32(2.5, narrow.pointer), 0);
    assertThrows(() => has_ended(), Error, "was called after it was disposed");
  });

  it("becomes another callback's once 64 more were shut, and not before", { skip: withoutGcc }, () => {
    const { call_unchecked, has_ended } = open();
    const gone = addOne();
    gone[Symbol.dispose]();
    const held = Array.from({ length: 200 }, addOne);
    for (const [i, one] of held.slice(0, 63).entries()) {
      assertEquals([i, call_unchecked(gone.pointer, 7)], [i, 0]);
      one[Symbol.dispose]();
      const next = addOne();
      assert(addressOf(next.pointer) !== addressOf(gone.pointer));
      held.push(next);
    }
    assertThrows(() => has_ended(), Error, "was called after it was disposed: C was given zero, 63 times");
    const addresses = new Set<bigint>();
    for (let i = 0; i < 1000; i++) {
      const one = addOne();
      addresses.add(addressOf(one.pointer));
      one[Symbol.dispose]();
    }
    assert(addresses.size < 200, `${addresses.size} doors for one callback at a time`);
    for (const one of held) one[Symbol.dispose]();
  });
});

describe("a refusal that nobody was told of", () => {
  it("is not thrown from the making of a callback", { skip: withoutGcc }, () => {
    const { call_from_thread, has_ended } = open();
    const made = addOne();
    assertEquals(call_from_thread(made.pointer, 5), 0);
    const more = Array.from({ length: 200 }, addOne);
    assertThrows(() => has_ended(), Error, "on another thread than the one that made it");
    for (const one of [made, ...more]) one[Symbol.dispose]();
  });
});

describe("a worker that has made a callback", () => {
  const endings = {
    "has done its work": "",
    "leaves": "process.exit(0);",
    "fails": 'throw new Error("of the worker");',
    "is terminated": "setInterval(() => {}, 1000);",
  };
  for (const [what, ending] of Object.entries(endings)) {
    it(`shuts its doors when its thread ends, where it ${what}`, { skip: withoutGcc }, () => {
      const output = outputOf(`${head(staying?.path)}
        if (isMainThread) {
          const worker = start("");
          worker.on("error", () => {});
          worker.on("message", () => { if (${what === "is terminated"}) worker.terminate(); });
          const wait = () => { if (symbols.has_ended() === 0) setTimeout(wait, 5); };
          wait();
        } else {
          const made = make();
          symbols.call_at_thread_end(made.pointer);
          parentPort.postMessage(symbols.call_once(made.pointer, 1));
          ${ending}
        }`);
      assertEquals(output, "at the thread's end: 0");
    });
  }

  it(
    "leaves C a pointer that does nothing, also on a thread that looks the same",
    { skip: withoutGcc },
    () => {
      const output = outputOf(`${head(staying?.path)}
      if (isMainThread) {
        const run = (data) => new Promise((resolve, reject) => {
          const worker = start(data);
          worker.on("error", reject);
          worker.on("message", (result) => worker.terminate().then(() => setTimeout(resolve, 20, result)));
        });
        const results = [];
        for (let i = 0; i < 5; i++) results.push(await run("make"), await run("use"));
        console.log(results.join(" "));
      } else if (workerData === "make") {
        symbols.keep(make().pointer);
        parentPort.postMessage(symbols.call_kept(1));
      } else {
        parentPort.postMessage(symbols.call_kept(1));
      }`);
      assertEquals(output, "42 0 42 0 42 0 42 0 42 0");
    },
  );
});

describe("a process that exits", () => {
  /** What atexit(3) has registered calls a callback, in a library that stays or that the host may close. */
  function exitWith(ending: string, path: string | undefined): ChildResult {
    return runChild(`${head(path)}
      symbols.call_at_exit(make().pointer);
      ${ending}`);
  }

  for (
    const [what, ending, code, message] of [
      ["at its end", "", 0, /^/],
      ["by process.exit", "process.exit(3);", 3, /^/],
      ["by the host's own exit", "(globalThis.Deno ?? process).exit(4);", 4, /^/],
      ["by an exit code", "process.exitCode = 5;", 5, /^/],
      ["by an uncaught error", 'throw new Error("uncaught");', 1, /uncaught/],
      ["by a later uncaught error", 'setTimeout(() => { throw new Error("late"); });', 1, /late/],
      ["by an unhandled rejection", 'Promise.reject(new Error("rejected"));', 1, /rejected/],
    ] as const
  ) {
    it(`${what} has shut its doors before C's own handlers run`, { skip: withoutGcc }, () => {
      const result = exitWith(ending, staying?.path);
      assertEquals([result.code, result.stdout.trim()], [code, AT_EXIT]);
      assertMatch(result.stderr, message);
    });
  }

  it("has shut its doors before the host closes a library", { skip: withoutGcc }, () => {
    for (const [ending, code] of [["", 0], ["process.exitCode = 5;", 5]] as const) {
      const result = exitWith(ending, built?.path);
      assertEquals([result.code, result.stdout.trim(), result.stderr], [code, AT_EXIT, ""]);
    }
  });

  it("can be called back by its last listeners, whenever they came", { skip: withoutGcc }, () => {
    const output = outputOf(`${head(built?.path)}
      const tell = (name) => () => writeSync(1, name + " " + symbols.call_once(made.pointer, 1) + "\\n");
      process.on("exit", tell("before"));
      const made = make();
      symbols.call_at_exit(made.pointer);
      process.on("exit", tell("after"));
      process.once("exit", tell("once"));
      setTimeout(() => process.on("exit", tell("later")), 1);`);
    assertEquals(output.split("\n"), [
      ...["before 42", "after 42", "once 42", "later 42"],
      ...(AT_EXIT === "" ? [] : [AT_EXIT]),
    ]);
  });
});
