import {
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  truncateSync,
  writeSync,
} from "node:fs";
import process from "node:process";
import { describe, it } from "node:test";
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { callback, hostName, libc } from "../../ffi/mod.ts";
import { openForProcess, openLibrary } from "../../lib/jit/library.ts";
import { moduleUrl, outputOf } from "../child.ts";
import { tiered } from "../tier.ts";
import { add, bump, callBack, everything, jumpTo, returning } from "./hand_code.ts";
import { skipping } from "../skip.ts";

const CYCLES = tiered({ quick: 150, full: 100_000, soak: 1_000_000 });
const NUMBER = { parameters: [], result: "i32" } as const;
const ADD = { parameters: ["i32", "i32"], result: "i32" } as const;
const EPERM = /EPERM|operation not permitted/i;

/** How many descriptors of ours are open: the host has others, which come and go. */
function descriptors(): number {
  return readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).includes("memfd:oxbow-");
    } catch {
      return false;
    }
  }).length;
}

/** The lines of this process's map that hold files of ours with `label` in their names. */
function mapped(label: string): string[] {
  return readFileSync("/proc/self/maps", "utf8").split("\n").filter((line) =>
    line.includes("memfd:oxbow-") && line.includes(label)
  );
}

const URLS = `
  import { callback, dlopen, hostName, NativeUnavailableError, NULL, pointerTo } from "${
  moduleUrl("ffi/mod.ts")
}";
  import { openForProcess, openLibrary } from "${moduleUrl("lib/jit/library.ts")}";
  import { everything, returning } from "${moduleUrl("tests/jit/hand_code.ts")}";
  import { readdirSync, readFileSync } from "node:fs";
  const { symbols: libc } = dlopen(["libc.so.6"], {
    prctl: { parameters: ["i32", "u64", "u64", "u64", "u64"], result: "i32" },
    setrlimit: { parameters: ["i32", "buffer"], result: "i32" },
  });`;

/**
 * A seccomp filter that lets \`number\` fail with \`error\` where all of \`tests\` say so: an argument, bits of it,
 * whether one of them is set.
 */
const SECCOMP = `
  function forbid(number, error, tests = []) {
    const steps = [[0x20, 0, 0, 0], [0x15, 0, 1 + 2 * tests.length, number]];
    tests.forEach(([argument, bits, isSet = true], i) => {
      const far = 1 + 2 * (tests.length - i - 1);
      steps.push([0x20, 0, 0, 16 + 8 * argument]);
      steps.push([0x45, isSet ? 0 : far, isSet ? far : 0, bits]);
    });
    steps.push([0x06, 0, 0, 0x00050000 | error], [0x06, 0, 0, 0x7fff0000]);
    const filter = new Uint8Array(8 * steps.length);
    const view = new DataView(filter.buffer);
    steps.forEach(([code, yes, no, k], i) => {
      view.setUint16(8 * i, code, true);
      view.setUint8(8 * i + 2, yes);
      view.setUint8(8 * i + 3, no);
      view.setUint32(8 * i + 4, k, true);
    });
    const program = new BigUint64Array([BigInt(steps.length), BigInt(pointerTo(filter))]);
    if (libc.prctl(38, 1, 0, 0, 0) !== 0) throw new Error("no_new_privs");
    if (libc.prctl(22, 2, BigInt(pointerTo(program)), 0, 0) !== 0) throw new Error("seccomp");
  }
  function attempt() {
    try {
      return openLibrary({ functions: { seven: returning(7) } }, { seven: { parameters: [], result: "i32" } }).symbols.seven();
    } catch (error) {
      return error.name + ": " + error.message.split("\\n").join(" ");
    }
  }`;

describe("openLibrary", () => {
  it("calls the code, with its constants, its memory, and symbols of its own and of libraries", () => {
    using library = openLibrary(everything, {
      add: ADD,
      constant: NUMBER,
      again: NUMBER,
      bump: NUMBER,
      peek: NUMBER,
      parent: NUMBER,
      cosine: { parameters: ["f64"], result: "f64" },
      ours: NUMBER,
    });
    const { symbols } = library;
    assertEquals(symbols.add(-3, 2_000_000), 1_999_997);
    assertEquals([symbols.constant(), symbols.again()], [42, 42]);
    assertEquals([symbols.bump(), symbols.bump(), symbols.peek()], [1, 2, 1]);
    assertEquals(symbols.parent(), process.ppid);
    assertEquals(symbols.cosine(0), 1);
    assertEquals(symbols.ours(), 7);
  });

  it("has no page that is writable and executable, and no GOT that is writable", () => {
    using library = openLibrary({ functions: { pages: jumpTo("getppid") } }, { pages: NUMBER });
    assertEquals(library.symbols.pages(), process.ppid);
    const lines = mapped("pages");
    assertEquals(lines.map((line) => line.split(" ")[1]), ["r--p", "r-xp", "r--p"]);
  });

  it("seals the file, so that nobody can change the code", () => {
    using library = openLibrary({ functions: { sealed: returning(1) } }, { sealed: NUMBER });
    const fd = openSync(library.path, "r+");
    try {
      assert(EPERM.test(String(assertThrows(() => writeSync(fd, new Uint8Array(1)), Error))));
      assert(EPERM.test(String(assertThrows(() => truncateSync(library.path, 1_000_000), Error))));
      assert(EPERM.test(String(assertThrows(() => truncateSync(library.path, 0), Error))));
      // F_GET_SEALS: F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_GROW and F_SEAL_WRITE.
      assertEquals(libc().fcntl(fd, 1034, 0) & 0xf, 0xf);
    } finally {
      closeSync(fd);
    }
    assertEquals(library.symbols.sealed(), 1);
  });

  it("shares what is equal, and closes it with the last that uses it", () => {
    const object = { functions: { shared: bump("cell") }, memory: { cell: 4 } };
    const before = descriptors();
    const first = openLibrary(object, { shared: NUMBER });
    const second = openLibrary(object, { shared: { parameters: ["i32"], result: "i64" } });
    using other = openLibrary({ ...object, memory: { cell: 8 } }, { shared: NUMBER });
    assertEquals(second.path, first.path);
    assert(other.path !== first.path);
    assertEquals([first.symbols.shared(), second.symbols.shared(0), other.symbols.shared()], [1, 2n, 1]);
    first.close();
    first.close();
    assertThrows(() => first.symbols.shared(), Error, "was closed");
    assertEquals(second.symbols.shared(0), 3n);
    assertEquals(descriptors(), before + 2);
    second.close();
    assertThrows(() => second.symbols.shared(0), Error, "was closed");
    assertEquals(descriptors(), before + 1);
    using third = openLibrary(object, { shared: NUMBER });
    assertEquals(third.symbols.shared(), 1);
  });

  it("is not unloaded under a call that is inside, and is once it is back", () => {
    const library = openLibrary({ functions: { inside: callBack } }, {
      inside: { parameters: ["function!"], result: "i32" },
    }, true);
    const before = descriptors();
    let during: unknown[] = [];
    using dispose = callback({ parameters: [], result: "i32" }, () => {
      library.close();
      during = [mapped("inside").length > 0, descriptors()];
      return 5;
    });
    assertEquals(library.symbols.inside(dispose.pointer), 5);
    assertEquals(during, [true, before]);
    assertEquals([mapped("inside").length, descriptors()], [0, before - 1]);
  });

  it("says what is missing, and leaves nothing behind", () => {
    openLibrary({ functions: { warm: returning(1) } }, { warm: NUMBER }).close();
    const before = descriptors();
    const open = (code: typeof add): unknown => openLibrary({ functions: { add: code } }, { add: NUMBER });
    assertStringIncludes(
      assertThrows(() => open(jumpTo("oxbow_none")), Error).message,
      "cannot load add: it refers to oxbow_none, which neither the process has",
    );
    assertStringIncludes(
      assertThrows(() => open(jumpTo("cos", "liboxbow-none.so")), Error).message,
      "cannot load add: it needs liboxbow-none.so, which cannot be opened: No such file",
    );
    const table = { add: { parameters: ["i128"], result: "i32" } };
    // @ts-expect-error: it is no type, and nothing is opened for it.
    assertThrows(() => openLibrary({ functions: { add } }, table), TypeError, "i128");
    using library = openLibrary({ functions: { add } }, { add: ADD, none: NUMBER });
    assertThrows(() => library.symbols.none(), Error, "none");
    assertEquals(library.has("none"), false);
    library.close();
    assertEquals(descriptors(), before);
  });

  it("says by name where no file can be written or opened", () => {
    const line = outputOf(`${URLS} ${SECCOMP}
      const fill = () => {
        const libraries = [];
        try {
          for (let i = 0;; i++) libraries.push(openLibrary({ functions: { full: returning(i) } }, {}));
        } catch (error) {
          for (const library of libraries) library.close();
          return error.message;
        }
      };
      attempt();
      const limit = (resource, soft, hard = soft) => {
        if (libc.setrlimit(resource, new BigUint64Array([soft, hard].map(BigInt))) !== 0) throw new Error("setrlimit");
      };
      const descriptors = readdirSync("/proc/self/fd").map(Number);
      limit(7, Math.max(...descriptors) + 20);
      console.log(fill());
      console.log(attempt());
      limit(1, 4096, 2 ** 40);
      try {
        openLibrary({ functions: { long: returning(8) } }, {});
      } catch (error) {
        console.log(error.name, error.message);
      }
      limit(1, 2 ** 40);`);
    const [full, works, long] = line.split("\n");
    assert(
      /^(cannot load full: its file cannot be opened: Too many|memfd_create failed: .*\(EMFILE\))/.test(full),
      full,
    );
    assertEquals(works, "7");
    assert(/^SystemError write failed: .*\(EFBIG\); machine code takes a file of \d+ bytes/.test(long), long);
    const folder = outputOf(`${URLS} ${SECCOMP} console.log(attempt());`, {
      before: "export OXBOW_JIT_DIR=/dev/null/none",
    });
    assert(
      /^Error: cannot write machine code to \/dev\/null\/none\/.*; OXBOW_JIT_DIR names the folder$/.test(
        folder,
      ),
      folder,
    );
  });

  it("is closed with its worker", () => {
    const source = `${URLS}
      import { readlinkSync } from "node:fs";
      import process from "node:process";
      import { isMainThread, Worker } from "node:worker_threads";
      if (isMainThread) {
        const held = () => readdirSync("/proc/self/fd").filter((fd) => {
          try {
            return readlinkSync("/proc/self/fd/" + fd).includes("memfd:oxbow-held");
          } catch {
            return false;
          }
        }).length;
        const codes = [];
        for (let i = 0; i < 3; i++) {
          const worker = new Worker(new URL(import.meta.url));
          codes.push(await new Promise((resolve, reject) => worker.on("error", reject).on("exit", resolve)));
        }
        const mapped = readFileSync("/proc/self/maps", "utf8").includes("memfd:oxbow-held");
        console.log(codes.join(), held(), mapped);
      } else {
        const table = { held: { parameters: [], result: "i32" } };
        openLibrary({ functions: { held: returning(1) } }, table).close();
        const libraries = [1, 2].map((i) => openLibrary({ functions: { held: returning(i) } }, table));
        const same = openLibrary({ functions: { held: returning(2) } }, table);
        libraries[0].close();
        process.on("exit", () => {
          if (!libraries[1].closed || !same.closed) throw new Error("open");
        });
      }`;
    assertEquals(outputOf(source), "0,0,0 0 false");
  });

  it("loads and unloads for ever", async () => {
    function cycle(i: number): void {
      using library = openLibrary({ functions: { cycle: returning(i) } }, { cycle: NUMBER });
      assertEquals(library.symbols.cycle(), i);
    }
    function kilobytes(): number {
      return Number(/VmRSS:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))?.[1]);
    }
    async function cycles(count: number): Promise<void> {
      for (let i = 0; i < count; i++) {
        cycle(i);
        // The hosts let go of their own objects between the turns of their loops.
        if (i % 500 === 0) await new Promise((resolve) => setTimeout(resolve, 0));
      }
    }
    await cycles(CYCLES / 2);
    const before = [descriptors(), kilobytes()];
    await cycles(CYCLES);
    assertEquals([mapped("cycle").length, descriptors()], [0, before[0]]);
    const grown = kilobytes() - before[1];
    // One that is left behind is twelve and more; Deno's test runner takes two of its own for each cycle.
    assert(grown < 30_000 + 4 * CYCLES, `${grown} KiB more after ${CYCLES} cycles`);
  });

  it("can be told from where no code may be loaded", () => {
    const [EPERM, EACCES, EINVAL, EMFILE, ENOSYS] = [1, 13, 22, 24, 38];
    const [MEMFD_CREATE, MMAP] = [319, 9];
    const told = (forbid: string): string =>
      outputOf(`${URLS} ${SECCOMP}
        import { descriptors, openedSince } from "${moduleUrl("tests/descriptors.ts")}";
        ${forbid}
        const first = attempt();
        const before = descriptors();
        for (let i = 0; i < 20; i++) attempt();
        console.log(first, "/", openedSince(before).length);`);
    for (const [error, name] of [[EPERM, "EPERM"], [EACCES, "EACCES"], [ENOSYS, "ENOSYS"]]) {
      const line = told(`forbid(${MEMFD_CREATE}, ${error});`);
      assert(
        /^NativeUnavailableError: cannot load machine code: memfd_create failed: .* \/ 0$/.test(line),
        line,
      );
      assertStringIncludes(line, `(${name})`);
      assertEquals(line.includes("vm.memfd_noexec is 2"), name === "EACCES");
    }
    // PROT_EXEC of a file, which is what SELinux's execmem or a hardened sandbox denies; MAP_DENYWRITE is the loader's.
    const mapping = told(`forbid(${MMAP}, ${EPERM}, [[2, 4], [3, 0x800]]);`);
    assert(/^NativeUnavailableError: cannot load machine code: .* \/ 0$/.test(mapping), mapping);
    assertEquals(told(""), "7 / 0");
    // MFD_EXEC is asked for, which vm.memfd_noexec demands, and done without where the kernel does not know it.
    assertEquals(told(`forbid(${MEMFD_CREATE}, ${EACCES}, [[1, 0x10, false]]);`), "7 / 0");
    assertEquals(told(`forbid(${MEMFD_CREATE}, ${EINVAL}, [[1, 0x10]]);`), "7 / 0");
    const full = told(`forbid(${MEMFD_CREATE}, ${EMFILE});`);
    assert(/^SystemError: memfd_create failed: .*\(EMFILE\) \/ 0$/.test(full), full);
  });

  it(
    "says which flag Deno lacks",
    { skip: skipping(hostName !== "deno" && "permissions are Deno's") },
    () => {
      const source = `${URLS} ${SECCOMP} console.log(attempt());`;
      const attempt = (...permissions: string[]): string =>
        outputOf(source, { permissions: ["--allow-read", ...permissions] });
      assertEquals(attempt("--allow-ffi"), "7");
      const some = attempt("--allow-ffi=/lib/x86_64-linux-gnu/libc.so.6,/lib64/libc.so.6,/lib/libc.so.6");
      assert(
        /^NativeUnavailableError: cannot load machine code: .*needs --allow-ffi without a list/.test(some),
        some,
      );
      const none = outputOf(
        `
      import { openLibrary } from "${moduleUrl("lib/jit/library.ts")}";
      import { returning } from "${moduleUrl("tests/jit/hand_code.ts")}";
      try { openLibrary({ functions: { f: returning(1) } }, {}); } catch (error) { console.log(error.name, error.message); }
    `,
        { permissions: [] },
      );
      assert(/^NativeUnavailableError .*--allow-ffi/.test(none), none);
    },
  );

  it("works where no page may become executable that was not: PR_SET_MDWE", () => {
    const line = outputOf(`${URLS}
      const denied = libc.prctl(65, 1, 0, 0, 0);
      using library = openLibrary(everything, {
        add: { parameters: ["i32", "i32"], result: "i32" },
        bump: { parameters: [], result: "i32" },
        cosine: { parameters: ["f64"], result: "f64" },
      });
      console.log(denied, library.symbols.add(2, 3), library.symbols.bump(), library.symbols.cosine(0));`);
    // Linux before 6.3 has no such thing, and says -1.
    assert(/^(?:0|-1) 5 1 1$/.test(line), line);
  });
});

describe("openForProcess", () => {
  const object = { functions: { kept: bump("cell") }, memory: { cell: 4 } };
  const workers = `${URLS}
    import { isMainThread, Worker } from "node:worker_threads";
    import { bump } from "${moduleUrl("tests/jit/hand_code.ts")}";
    const object = { functions: { kept: bump("cell") }, memory: { cell: 4 } };
    const count = () => openForProcess(object, { kept: { parameters: [], result: "i32" } }).symbols.kept();
    const start = () => new Promise((resolve, reject) => {
      const worker = new Worker(new URL(import.meta.url));
      worker.on("error", reject).on("exit", resolve);
    });
    const mapped = () => new Set(readFileSync("/proc/self/maps", "utf8").split("\\n")
      .filter((line) => line.includes("memfd:oxbow-kept")).map((line) => line.split(/ +/)[4])).size;`;

  it("opens once, and stays when it is closed", () => {
    const first = openForProcess(object, { kept: NUMBER });
    assertEquals(first.symbols.kept(), 1);
    first.close();
    assertThrows(() => first.symbols.kept(), Error, "was closed");
    assertEquals(mapped("kept").length, 3);
    using second = openForProcess(object, { kept: NUMBER });
    assertEquals(second.symbols.kept(), 2);
    using other = openForProcess({ ...object, memory: { cell: 8 } }, { kept: NUMBER });
    assertEquals(other.symbols.kept(), 1);
  });

  it("leaves no descriptor behind where it does not load", () => {
    const before = descriptors();
    const broken = { functions: { broken: jumpTo("oxbow_none") } };
    assertThrows(() => openForProcess(broken, {}), Error, "cannot load broken: it refers to oxbow_none");
    assertEquals([descriptors(), mapped("broken").length], [before, 0]);
  });

  it("stays when the worker that opened it has ended", () => {
    const source = `${workers}
      if (isMainThread) {
        for (let i = 0; i < 3; i++) await start();
        console.log(mapped(), count());
      } else count();`;
    assertEquals(outputOf(source), "1 4");
  });

  it("is one for workers that open it at the same time", () => {
    const source = `${workers}
      if (isMainThread) {
        await Promise.all(Array.from({ length: 6 }, start));
        console.log(mapped(), count());
      } else for (let i = 0; i < 50; i++) count();`;
    assertEquals(outputOf(source), "1 301");
  });
});
