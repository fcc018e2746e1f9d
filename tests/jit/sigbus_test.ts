import { describe, it } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { NULL, pointerTo } from "../../ffi/mod.ts";
import { guardRange } from "../../lib/jit/sigbus.ts";
import { type ChildResult, moduleUrl, outputOf, runChild } from "../child.ts";
import { tiered } from "../tier.ts";
import { Together } from "../together.ts";

const PAGE = 4096;
const ROUNDS = tiered({ quick: 10, full: 2_000, soak: 50_000 });

/** What a child needs to map a file and to cut it. */
const TOOLS = `
  import { ftruncateSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
  import { tmpdir } from "node:os";
  import { join } from "node:path";
  import process from "node:process";
  import {
    addressOf, cString, dlopen, errno, libc, NULL, offset, pointerAt, pointerTo, sigaction, unsafeBufferAt,
  } from "${moduleUrl("ffi/mod.ts")}";
  import { guardRange } from "${moduleUrl("lib/jit/sigbus.ts")}";
  import { openForProcess } from "${moduleUrl("lib/jit/library.ts")}";
  import { handCode } from "${moduleUrl("tests/jit/hand_code.ts")}";
  const PAGE = 4096;
  const folder = mkdtempSync(join(tmpdir(), "oxbow-sigbus-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  let files = 0;
  /** A file of pages that are full of 7, mapped. */
  function map(pages, flags = 2) {
    const path = join(folder, "file" + process.pid + "-" + files++ + "-" + Math.random());
    writeFileSync(path, new Uint8Array(pages * PAGE).fill(7));
    const fd = libc().open(cString(path), 2, 0);
    const pointer = pointerAt(libc().mmap(NULL, pages * PAGE, 1 | 2, flags, fd, 0));
    libc().close(fd);
    const bytes = new Uint8Array(unsafeBufferAt(pointer, pages * PAGE));
    const file = openSync(path, "r+");
    return { pointer, bytes, length: pages * PAGE, cut: (length) => ftruncateSync(file, length) };
  }
  const { symbols: c } = dlopen(["libc.so.6"], {
    sigaction: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
    raise: { parameters: ["i32"], result: "i32" },
    close: { parameters: ["i32"], result: "i32" },
  });
  /** To this very thread: it has arrived when the call is back. */
  const raise = () => c.raise(7);
  function handler() {
    const old = new Uint8Array(sigaction.size);
    c.sigaction(7, null, old);
    return sigaction.view(old).sa_handler;
  }
  function setHandler(address, flags = 0) {
    const action = new Uint8Array(sigaction.size);
    new DataView(action.buffer).setBigUint64(0, BigInt(address), true);
    sigaction.view(action).sa_flags = flags;
    if (c.sigaction(7, action, null) !== 0) throw new Error("sigaction");
  }
  // Counts its calls, and notes its first argument and the code of its second.
  // mov rax, [rip+seen]; lock inc dword [rax]; mov [rax+4], edi; mov ecx, [rsi+8]; mov [rax+8], ecx; ret
  const witness = openForProcess({
    functions: {
      witness: handCode(
        [0x48, 0x8b, 5, 0, 0, 0, 0, 0xf0, 0xff, 0, 0x89, 0x78, 4, 0x8b, 0x4e, 8, 0x89, 0x48, 8, 0xc3],
        { relocations: [{ kind: "symbol", offset: 3, addend: -4, name: "seen" }] },
      ),
      // The same without its second argument: mov ..., [rip+seen]; lock inc; mov [rax+4], edi; ret
      blind: handCode([0x48, 0x8b, 5, 0, 0, 0, 0, 0xf0, 0xff, 0, 0x89, 0x78, 4, 0xc3], {
        relocations: [{ kind: "symbol", offset: 3, addend: -4, name: "seen" }],
      }),
      witnessAddress: handCode([0x48, 0x8b, 5, 0, 0, 0, 0, 0xc3], {
        relocations: [{ kind: "symbol", offset: 3, addend: -4, name: "witness" }],
      }),
      blindAddress: handCode([0x48, 0x8b, 5, 0, 0, 0, 0, 0xc3], {
        relocations: [{ kind: "symbol", offset: 3, addend: -4, name: "blind" }],
      }),
      seenAddress: handCode([0x48, 0x8b, 5, 0, 0, 0, 0, 0xc3], {
        relocations: [{ kind: "symbol", offset: 3, addend: -4, name: "seen" }],
      }),
    },
    memory: { seen: 12 },
  }, {
    witnessAddress: { parameters: [], result: "u64" },
    blindAddress: { parameters: [], result: "u64" },
    seenAddress: { parameters: [], result: "pointer" },
  }).symbols;
  const seen = () => [...new Int32Array(unsafeBufferAt(witness.seenAddress(), 12))].join();
  /** At once: what a process printed is lost where it ends in a signal. */
  const write = (text) => writeSync(1, text);
  const install = () => guardRange(map(1).pointer, PAGE, 3);
`;

function told(source: string): string {
  return outputOf(TOOLS + source);
}

/** Those that need no process of their own: each disposes what it guards. */
const together = new Together(TOOLS);

/** How a process ends: what it says of its own death is the host's. */
function end(source: string): ChildResult["code"] {
  return runChild(TOOLS + source).code;
}

/** The code of a signal by raise(3), and flags and handlers of sigaction(2). */
const [SI_TKILL, SA_SIGINFO, SA_RESETHAND, SIG_DFL, SIG_IGN] = [-6, 4, 0x80000000 | 0, 0, 1];

describe("guardRange", () => {
  const past = together.add(`
    for (const flags of [1, 2]) {
      const { bytes, pointer, length, cut } = map(10, flags);
      const range = guardRange(pointer, length, 3);
      const sum = () => bytes.reduce((sum, byte) => sum + byte, 0);
      const before = [sum(), range.faults];
      cut(2 * PAGE + 100);
      console.log(...before, sum(), range.faults, sum(), range.faults);
      bytes[9 * PAGE] = 1;
      cut(10 * PAGE);
      console.log(sum(), range.faults);
      range[Symbol.dispose]();
      range[Symbol.dispose]();
      console.log(range.faults);
    }`);
  it("lets what is past the end of a truncated file read zeros, and counts its pages", () => {
    const shared = `${7 * 10 * PAGE} 0 ${7 * (2 * PAGE + 100)} 7 ${7 * (2 * PAGE + 100)} 7\n${
      7 * (2 * PAGE + 100) + 1
    } 7\n7`;
    assertEquals(past(), `${shared}\n${shared}`);
  });

  const agreement = together.add(`
    const random = (n) => Math.floor(Math.random() * n);
    let wrong = 0;
    let faults = 0;
    for (let round = 0; round < ${ROUNDS}; round++) {
      const maps = Array.from({ length: 1 + random(6) }, () => map(1 + random(8)));
      const ranges = maps.map(({ pointer, length }) => guardRange(pointer, length, 3));
      const ends = maps.map(({ length, cut }) => {
        const end = random(length + 1);
        cut(end);
        return end;
      });
      const gone = maps.map(() => new Set());
      for (let i = 0; i < 200; i++) {
        const which = random(maps.length);
        const at = random(maps[which].length);
        const isGone = at >= Math.ceil(ends[which] / PAGE) * PAGE;
        if (isGone) gone[which].add(Math.floor(at / PAGE));
        if (maps[which].bytes[at] !== (at < ends[which] ? 7 : 0)) wrong++;
      }
      ranges.forEach((range, i) => {
        faults += range.faults;
        if (range.faults !== gone[i].size) wrong++;
        range[Symbol.dispose]();
        if (range.faults !== gone[i].size) wrong++;
      });
    }
    console.log(wrong, faults > 0);`);
  it("agrees with the file, whatever is cut and read", () => {
    assertEquals(agreement(), "0 true");
  });

  const pages = together.add(`
    const { bytes, pointer, cut } = map(4);
    using range = guardRange(offset(pointer, PAGE + 4095), 2, 3);
    cut(0);
    console.log(bytes[PAGE], bytes[3 * PAGE - 1], range.faults);`);
  it("guards the whole pages that a range touches", () => {
    assertEquals(pages(), "0 0 2");
    const before =
      `const { bytes, pointer, cut } = map(4); guardRange(offset(pointer, PAGE + 4095), 2, 3); cut(0);`;
    const without = end("const m = map(1); m.cut(0); console.log(m.bytes[0]);");
    assertEquals(end(`${before} bytes[PAGE - 1];console.log(bytes[PAGE - 1]);`), without);
    assertEquals(end(`${before} console.log(bytes[3 * PAGE]);`), without);
  });

  it("puts pages of the protection there that it was given", () => {
    const cut =
      "const { bytes, pointer, cut } = map(1, 1); const range = guardRange(pointer, PAGE, 1); cut(0);";
    const written = runChild(`${TOOLS} ${cut} write(bytes[5] + " " + range.faults); bytes[5] = 1;`);
    assertEquals([written.stdout, written.code === 0], ["0 1", false]);
  });

  const kernel = together.add(`
    const { bytes, pointer, cut } = map(1);
    using range = guardRange(pointer, PAGE, 3);
    cut(0);
    const fd = libc().memfd_create("oxbow-test", 0);
    console.log(libc().write(fd, bytes, 8), errno(), range.faults, bytes[0], libc().write(fd, bytes, 8));`);
  it("is not asked where the kernel itself reads: EFAULT, and no fault is counted", () => {
    assertEquals(kernel(), "-1n 14 0 0 8n");
  });

  const errno = together.add(`
    const { bytes, pointer, cut } = map(1);
    using range = guardRange(pointer, PAGE, 3);
    cut(0);
    errno();
    const failed = c.close(-1);
    console.log(failed, bytes[0], errno(), range.faults);`);
  it("leaves errno alone", () => {
    assertEquals(errno(), "-1 0 9 1");
  });

  it("guards on each thread, and is installed once however many ask", () => {
    const source = `
      import { isMainThread, parentPort, Worker } from "node:worker_threads";
      const use = () => {
        const { bytes, pointer, length, cut } = map(64);
        using range = guardRange(pointer, length, 3);
        cut(PAGE);
        for (let i = 0; i < length; i += 512) if (bytes[i] !== (i < PAGE ? 7 : 0)) throw new Error("wrong");
        if (range.faults !== 63) throw new Error("counted " + range.faults);
      };
      if (!isMainThread) {
        for (let i = 0; i < 20; i++) use();
        parentPort.postMessage(String(handler()));
      } else {
        const start = () => new Promise((resolve, reject) => {
          const worker = new Worker(new URL(import.meta.url));
          worker.on("error", reject).once("message", (message) => worker.on("exit", () => resolve(message)));
        });
        const handlers = await Promise.all([start(), start(), start(), start()]);
        use();
        handlers.push(await start(), String(handler()));
        use();
        console.log(new Set(handlers).size);
        process.exit(0);
      }`;
    assertEquals(told(source), "1");
  });

  it("puts a page in once, of which two threads write different parts at the same time", () => {
    const source = `
      import { isMainThread, Worker, workerData } from "node:worker_threads";
      const PAGES = 200;
      const [READY, TURN, DONE] = [0, 1, 2];
      const view = (pointer) => new Uint8Array(unsafeBufferAt(pointer, PAGES * PAGE));
      if (isMainThread) {
        const { pointer, length, cut } = map(PAGES, 1);
        using range = guardRange(pointer, length, 3);
        cut(0);
        const steps = new Int32Array(new SharedArrayBuffer(12));
        new Worker(new URL(import.meta.url), { workerData: { address: String(addressOf(pointer)), steps } });
        while (Atomics.load(steps, READY) === 0) await new Promise((resolve) => setTimeout(resolve, 1));
        const bytes = view(pointer);
        let lost = 0;
        for (let i = 0; i < PAGES; i++) {
          Atomics.store(steps, TURN, i + 1);
          bytes[i * PAGE] = 1;
          while (Atomics.load(steps, DONE) !== i + 1);
          if (bytes[i * PAGE] !== 1 || bytes[i * PAGE + 64] !== 2) lost++;
        }
        console.log(lost, range.faults);
        process.exit(0);
      } else {
        const { address, steps } = workerData;
        const bytes = view(pointerAt(BigInt(address)));
        Atomics.store(steps, READY, 1);
        for (let i = 0; i < PAGES; i++) {
          while (Atomics.load(steps, TURN) !== i + 1);
          bytes[i * PAGE + 64] = 2;
          Atomics.store(steps, DONE, i + 1);
        }
      }`;
    assertEquals(told(source), "0 200");
  });

  it("is installed again by the next range, where a listener of the host has taken the signal", () => {
    const source = `
      const first = map(2);
      using range = guardRange(first.pointer, first.length, 3);
      const own = handler();
      const listener = () => {};
      const settled = () => new Promise((resolve) => setTimeout(resolve, 20));
      process.on("SIGBUS", listener);
      await settled();
      const second = map(1);
      using during = guardRange(second.pointer, PAGE, 3);
      const isOwn = handler() === own;
      first.cut(0);
      second.cut(0);
      console.log(isOwn, first.bytes[0], second.bytes[0], range.faults, during.faults);
      process.off("SIGBUS", listener);
      await settled();
      install();
      console.log(handler() === own, first.bytes[PAGE], range.faults);`;
    assertEquals(told(source), "true 0 0 1 1\ntrue 0 2");
  });

  it("hands a signal on once, where who took it since hands it back", () => {
    // mov rax, [rip+chain]; lock inc dword [rax]; jmp [rax+8]
    const chain = `
      const { symbols: chain } = openForProcess({
        functions: {
          chaining: handCode([0x48, 0x8b, 5, 0, 0, 0, 0, 0xf0, 0xff, 0, 0xff, 0x60, 8], {
            relocations: [{ kind: "symbol", offset: 3, addend: -4, name: "chain" }],
          }),
          chainingAddress: handCode([0x48, 0x8b, 5, 0, 0, 0, 0, 0xc3], {
            relocations: [{ kind: "symbol", offset: 3, addend: -4, name: "chaining" }],
          }),
          chainAddress: handCode([0x48, 0x8b, 5, 0, 0, 0, 0, 0xc3], {
            relocations: [{ kind: "symbol", offset: 3, addend: -4, name: "chain" }],
          }),
        },
        memory: { chain: 16 },
      }, {
        chainingAddress: { parameters: [], result: "u64" },
        chainAddress: { parameters: [], result: "pointer" },
      });
      const memory = new BigUint64Array(unsafeBufferAt(chain.chainAddress(), 16));
      function takeOver() {
        install();
        memory[1] = BigInt(handler());
        setHandler(chain.chainingAddress(), ${SA_SIGINFO});
      }
      const guarded = map(2);
      using range = guardRange(guarded.pointer, guarded.length, 3);`;
    const source = `setHandler(${SIG_IGN}); ${chain}
      takeOver();
      guarded.cut(0);
      console.log(guarded.bytes[0], range.faults, memory[0]);
      install();
      console.log(BigInt(handler()) === memory[1], guarded.bytes[PAGE], range.faults, memory[0]);
      raise();
      console.log(memory[0]);
      raise();
      console.log(memory[0]);`;
    assertEquals(told(source), "0 1 1n\ntrue 0 2 1n\n2n\n3n");
    const fault = "const other = map(1); other.cut(0); other.bytes[0]; console.log(other.bytes[0]);";
    assertEquals(end(`setHandler(${SIG_DFL}); ${chain} takeOver(); install(); ${fault}`), "SIGBUS");
    assertEquals(end(`setHandler(${SIG_DFL}); ${chain} takeOver(); install(); raise();`), "SIGBUS");
  });

  it("works beside the handlers that the host has for WebAssembly", () => {
    // (memory 1) (func (export "f") (param i32) (result i32) local.get 0 i32.load)
    const wasm = [
      ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 6, 1, 96, 1, 127, 1, 127, 3, 2, 1, 0, 5, 3, 1, 0, 1],
      ...[7, 5, 1, 1, 102, 0, 0, 10, 9, 1, 7, 0, 32, 0, 40, 2, 0, 11],
    ];
    const source = `
      const { bytes, pointer, length, cut } = map(3);
      using range = guardRange(pointer, length, 3);
      const { instance } = await WebAssembly.instantiate(new Uint8Array(${JSON.stringify(wasm)}));
      const trap = () => {
        try {
          return instance.exports.f(0x7ffffff0);
        } catch (error) {
          return error.name;
        }
      };
      for (let i = 0; i < 100_000; i++) instance.exports.f(8);
      const first = trap();
      cut(0);
      console.log(first, bytes[0], range.faults, trap(), bytes[PAGE], range.faults);`;
    assertEquals(told(source), "RuntimeError 0 1 RuntimeError 0 2");
  });

  it("ends as it would have without, where a fault is elsewhere", () => {
    const fault = "const other = map(2); other.cut(PAGE); console.log(other.bytes[0], other.bytes[PAGE]);";
    const without = end(fault);
    assertEquals(without === 0, false);
    assertEquals(end(`install(); ${fault}`), without);
    assertEquals(end(`setHandler(${SIG_DFL}); install(); ${fault}`), "SIGBUS");
    assertEquals(end(`setHandler(${SIG_IGN}); install(); ${fault}`), "SIGBUS");
    assertEquals(
      end(`const other = map(2); guardRange(other.pointer, PAGE, 3)[Symbol.dispose]();
      other.cut(0); console.log(other.bytes[0]);`),
      without,
    );
  });

  it("ends as it would have without, where the signal is sent", () => {
    assertEquals(
      end("install(); raise(); raise();"),
      end("raise(); raise();"),
    );
    assertEquals(end(`setHandler(${SIG_DFL}); install(); raise();`), "SIGBUS");
    assertEquals(told(`setHandler(${SIG_IGN}); install(); raise(); console.log("ignored");`), "ignored");
  });

  it("gives other signals to who had them before, with what they ask for", () => {
    assertEquals(
      told(
        `setHandler(witness.witnessAddress(), ${SA_SIGINFO}); install(); raise(); raise(); console.log(seen());`,
      ),
      `2,7,${SI_TKILL}`,
    );
    assertEquals(
      told(`setHandler(witness.blindAddress()); install(); raise(); console.log(seen());`),
      "1,7,0",
    );
    const reset = `setHandler(witness.witnessAddress(), ${SA_SIGINFO | SA_RESETHAND});
      install(); raise(); write(seen());`;
    const { code, stdout } = runChild(`${TOOLS} ${reset} raise();`);
    assertEquals([stdout, code], [`1,7,${SI_TKILL}`, "SIGBUS"]);
  });

  it("guards as many ranges as a process may have maps, and says when they are too many", () => {
    const source = `
      const { pointer, bytes, cut } = map(1);
      const ranges = [];
      let failure;
      while (failure === undefined) {
        try {
          ranges.push(guardRange(pointer, PAGE, 3));
        } catch (error) {
          failure = error;
        }
      }
      console.log(ranges.length, failure.name, failure.code);
      ranges.splice(1, 65_000).forEach((range) => range[Symbol.dispose]());
      const again = guardRange(pointer, PAGE, 3);
      ranges.splice(1).forEach((range) => range[Symbol.dispose]());
      cut(0);
      console.log(bytes[0], ranges[0].faults + again.faults);`;
    assertEquals(told(source), "65536 SystemError ENOSPC\n0 1");
  });

  it("refuses what is no range", () => {
    const pointer = pointerTo(new Uint8Array(PAGE));
    for (const length of [0, -1, 1.5, NaN, Infinity]) {
      assertThrows(() => guardRange(pointer, length, 3), RangeError, `byteLength is ${length}`);
    }
    assertThrows(() => guardRange(NULL, PAGE, 3), TypeError, "where C follows the pointer");
    for (const protection of [-1, 0, 1.5, 4, 8, 0x1000003, 0xffffffff, NaN]) {
      assertThrows(
        () => guardRange(pointer, PAGE, protection),
        RangeError,
        `cannot guard memory: protection is ${protection}`,
      );
    }
  });

  it("says by name where no code can be loaded", () => {
    const source = `
      import { pointerAt } from "${moduleUrl("ffi/mod.ts")}";
      import { guardRange } from "${moduleUrl("lib/jit/sigbus.ts")}";
      try { guardRange(pointerAt(4096n), 1, 3); } catch (error) { console.log(error.name); }`;
    assertEquals(outputOf(source, { before: "export OXBOW_NATIVE=0" }), "NativeUnavailableError");
  });
});
