import { after, before, describe, it } from "node:test";
import { existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assertEquals, assertStringIncludes } from "@std/assert";
import { hostName } from "../../ffi/mod.ts";
import { moduleUrl, outputOf, runChild } from "../child.ts";

const skip = hostName === "deno" ? false : "permissions are Deno's";
const mmap = moduleUrl("lib/mem/mmap.ts");
const io = moduleUrl("lib/io/mod.ts");
const ENTRIES = [
  "ffi/mod.ts",
  "lib/mem/mmap.ts",
  "lib/slab.ts",
  "lib/io/mod.ts",
  "lib/task/mod.ts",
  "lib/net/mod.ts",
];

let folder: string;
let file: string;

before(() => {
  folder = mkdtempSync(join(tmpdir(), "oxbow-permissions-"));
  file = join(folder, "file.bin");
  writeFileSync(file, "contents");
});

after(() => rmSync(folder, { recursive: true }));

/** A child's line for each attempt: what it threw, or `done`. */
function attempts(imports: string, lines: readonly string[]): string {
  return `${imports}
    function attempt(what) {
      try {
        what();
        console.log("done");
      } catch (error) {
        console.log(error.name + ": " + error.message);
      }
    }
    ${lines.map((line) => `attempt(() => { ${line} });`).join("\n")}`;
}

function linesOf(source: string, permissions: readonly string[]): string[] {
  return outputOf(source, { permissions }).split("\n");
}

describe("without a permission", () => {
  for (const entry of ENTRIES) {
    it(`${entry} can be imported`, { skip }, () => {
      const source = `import * as module from "${
        moduleUrl(entry)
      }"; console.log(Object.keys(module).length > 0);`;
      assertEquals(outputOf(source, { permissions: [] }), "true");
    });
  }

  it("each use fails with one sentence", { skip }, () => {
    const source = attempts(
      `import { Mmap } from "${mmap}"; import { Epoll, Socket } from "${io}";`,
      [
        `Mmap.open("${file}")`,
        `new Epoll()`,
        `Socket.listen({ hostname: "127.0.0.1", port: 0 })`,
        `Socket.connect({ hostname: "127.0.0.1", port: 1 })`,
      ],
    );
    assertEquals(linesOf(source, []), [
      `NotCapable: Requires read access to "${file}", run again with the --allow-read flag`,
      "NativeUnavailableError: cannot take an address: run it again with --allow-ffi, without a list of paths",
      'NotCapable: Requires net access to "127.0.0.1:0", run again with the --allow-net flag',
      'NotCapable: Requires net access to "127.0.0.1:1", run again with the --allow-net flag',
    ]);
  });
});

describe("with all but --allow-ffi", () => {
  const others = ["--allow-read", "--allow-write", "--allow-net"];

  it("each use names the flag", { skip }, () => {
    const source = attempts(
      `import { Mmap } from "${mmap}"; import { Epoll, Fd, Socket } from "${io}"; import { libc } from "${
        moduleUrl("ffi/mod.ts")
      }";`,
      [
        `Mmap.open("${file}")`,
        `Fd.open("${file}", { write: true })`,
        `Socket.listen({ hostname: "127.0.0.1", port: 0 })`,
        `new Epoll()`,
        `libc().close(-1)`,
      ],
    );
    const closed =
      "NativeUnavailableError: cannot open libc.so.6 or libc.musl-x86_64.so.1: it is not permitted: run this again with --allow-ffi, or with --allow-ffi=FILE for that file alone";
    const hidden =
      "NativeUnavailableError: cannot take an address: run it again with --allow-ffi, without a list of paths";
    assertEquals(linesOf(source, others), [closed, closed, closed, hidden, closed]);
  });

  it("a program that uses the runtime ends with a sentence about it, and no signal", { skip }, () => {
    const source = `import { run, sleep } from "${moduleUrl("lib/task/mod.ts")}"; await run(() => sleep(1));`;
    const { code, stderr } = runChild(source, { permissions: others });
    assertEquals(code, 1);
    assertStringIncludes(stderr.split("\n")[0], "--allow-ffi");
  });

  it("Node under --permission names the flag as well", {
    skip: hostName === "node" ? false : "the flag is Node's",
  }, () => {
    const source = attempts(`import { Epoll } from "${io}";`, ["new Epoll()"]);
    const before = "export NODE_OPTIONS='--permission --allow-fs-read=*'";
    assertStringIncludes(outputOf(source, { before }), "--allow-ffi");
  });
});

describe("with --allow-ffi for one library's path", () => {
  const libc = ["/lib", "/usr/lib", "/lib64", "/usr/lib64"]
    .flatMap((folder) => [`${folder}/x86_64-linux-gnu`, folder])
    .map((folder) => `${folder}/libc.so.6`).find((path) => existsSync(path)) ?? "";
  const only = [`--allow-ffi=${libc}`];
  const imports = `
    import { callback, cString, dlopen, errno, find, pointerTo, unsafeBufferAt, unsafeStringAt } from "${
    moduleUrl("ffi/mod.ts")
  }";
    const table = {
      abs: { parameters: ["i32"], result: "i32" },
      close: { parameters: ["i32"], result: "i32" },
      strlen: { parameters: ["cstring"], result: "usize" },
      memcmp: { parameters: ["buffer", "buffer", "usize"], result: "i32" },
      getenv: { parameters: ["cstring"], result: "pointer" },
    };
    const { symbols: { abs, close, strlen, memcmp, getenv } } = dlopen(["libc.so.6"], table);`;

  it("plain calls work, by the soname and by the path", { skip }, () => {
    const source = `${imports}
      using byPath = dlopen(["${libc}"], table);
      const views = [Uint8Array.of(1, 2), Uint8Array.of(1, 2)];
      console.log(abs(-3), strlen("oxbow"), memcmp(...views, 2), close(-1), errno(), byPath.symbols.abs(-4));`;
    assertEquals(outputOf(source, { permissions: only }), "3 5n 0 -1 9 4");
  });

  it("what views memory or makes code says that it needs the flag without a path", { skip }, () => {
    const source = attempts(imports, [
      "pointerTo(new Uint8Array(8))",
      'unsafeBufferAt(getenv("PATH"), 1)',
      'unsafeStringAt(getenv("PATH"))',
      'callback({ parameters: [], result: "void" }, () => {})',
    ]);
    const lines = linesOf(source, only);
    const what = ["take an address", "view memory", "read memory", "make a callback"];
    assertEquals(
      lines,
      what.map((what) =>
        `NativeUnavailableError: cannot ${what}: run it again with --allow-ffi, without a list of paths`
      ),
    );
  });

  it("another library is not opened, and the one that is permitted is found behind it", { skip }, () => {
    const source = `${attempts(imports, ['dlopen(["libm.so.6"], {})', 'dlopen(["/nowhere/libx.so"], {})'])}
      console.log(dlopen(["libm.so.6", "libc.so.6"], table).symbols.abs(-5));
      console.log(find(["libm.so.6", "libc.so.6"]).find(({ outcome }) => outcome === "chosen").path);`;
    const refused = (path: string): string =>
      `NativeUnavailableError: cannot open ${path}: it is not permitted: run this again with --allow-ffi, or with --allow-ffi=FILE for that file alone`;
    assertEquals(linesOf(source, only), [
      refused("libm.so.6"),
      refused("/nowhere/libx.so"),
      "5",
      "libc.so.6",
    ]);
  });

  it("libc has musl's name where glibc's is not to be had", { skip }, () => {
    const musl = join(folder, "libc.musl-x86_64.so.1");
    symlinkSync(libc, musl);
    const source = `import { libc } from "${moduleUrl("ffi/mod.ts")}"; console.log(libc().close(-1));`;
    const before = `export OXBOW_LIBRARY_PATH=${folder}`;
    const permissions = [`--allow-ffi=${musl}`, "--allow-env=OXBOW_LIBRARY_PATH"];
    assertEquals(outputOf(source, { permissions, before }), "-1");
  });

  it("a library is used without libc, and only errno is not there", { skip }, () => {
    const libm = libc.replace("libc.so", "libm.so");
    const source = attempts(
      `import { dlopen, errno } from "${moduleUrl("ffi/mod.ts")}";
       const { symbols } = dlopen(["libm.so.6"], { sqrt: { parameters: ["f64"], result: "f64" } });`,
      ["if (symbols.sqrt(9) !== 3) throw new Error('sqrt')", "errno()"],
    );
    const [called, number] = linesOf(source, [`--allow-ffi=${libm}`]);
    assertEquals(called, "done");
    assertStringIncludes(number, "NativeUnavailableError: cannot open libc.so.6");
  });
});

describe("with --allow-ffi alone", () => {
  it("no file is opened and no address is used that the sandbox keeps", { skip }, () => {
    const source = attempts(
      `import { Mmap } from "${mmap}"; import { Epoll, Fd, Socket } from "${io}";
       import { pathToFileURL } from "node:url";`,
      [
        `Mmap.open("${file}")`,
        `Mmap.open(pathToFileURL("${file}"))`,
        `Mmap.open("/nowhere/at/all")`,
        `Fd.open("${file}")`,
        `Fd.open("${file}", { write: true, truncate: true })`,
        `Fd.open("${file}", { read: true, write: true })`,
        `Socket.listen({ hostname: "127.0.0.1", port: 0 })`,
        `Socket.listen({ hostname: "::1", port: 8080 })`,
        `Socket.connect({ hostname: "192.0.2.1", port: 80 })`,
        `new Epoll()[Symbol.dispose]()`,
      ],
    );
    const read = `NotCapable: Requires read access to "${file}", run again with the --allow-read flag`;
    assertEquals(linesOf(source, ["--allow-ffi"]), [
      read,
      read,
      'NotCapable: Requires read access to "/nowhere/at/all", run again with the --allow-read flag',
      read,
      `NotCapable: Requires write access to "${file}", run again with the --allow-write flag`,
      read,
      'NotCapable: Requires net access to "127.0.0.1:0", run again with the --allow-net flag',
      'NotCapable: Requires net access to "[::1]:8080", run again with the --allow-net flag',
      'NotCapable: Requires net access to "192.0.2.1:80", run again with the --allow-net flag',
      "done",
    ]);
  });
});

describe("with just what is needed", () => {
  it("a map of a permitted folder opens, and of no other", { skip }, () => {
    const source = attempts(`import { Mmap } from "${mmap}";`, [
      `Mmap.open("${file}")[Symbol.dispose]()`,
      `Mmap.open("/etc/passwd")`,
      `Mmap.open("${folder}/../../etc/passwd")`,
    ]);
    const [inside, outside, around] = linesOf(source, ["--allow-ffi", `--allow-read=${folder}`]);
    assertEquals(inside, "done");
    assertStringIncludes(outside, 'NotCapable: Requires read access to "/etc/passwd"');
    assertStringIncludes(around, "NotCapable: Requires read access");
  });

  it("a file is written with --allow-write, and not read", { skip }, () => {
    const source = attempts(`import { Fd } from "${io}";`, [
      `Fd.open("${file}", { write: true }).close()`,
      `Fd.open("${file}")`,
    ]);
    const [written, read] = linesOf(source, ["--allow-ffi", `--allow-write=${folder}`]);
    assertEquals(written, "done");
    assertStringIncludes(read, "NotCapable: Requires read access");
  });

  it("an address that is permitted is listened on, and no other", { skip }, () => {
    const source = attempts(`import { Socket } from "${io}";`, [
      `Socket.listen({ hostname: "127.0.0.1", port: 0 })[Symbol.dispose]()`,
      `Socket.listen({ hostname: "127.0.0.2", port: 0 })`,
    ]);
    const [inside, outside] = linesOf(source, ["--allow-ffi", "--allow-net=127.0.0.1"]);
    assertEquals(inside, "done");
    assertStringIncludes(outside, 'NotCapable: Requires net access to "127.0.0.2:0"');
  });

  it("a runtime needs --allow-ffi alone", { skip }, () => {
    const source = `
      import { run, sleep, spawn } from "${moduleUrl("lib/task/mod.ts")}";
      console.log(await run(async () => { await sleep(1); return await spawn(async () => 42); }));
    `;
    assertEquals(outputOf(source, { permissions: ["--allow-ffi"] }), "42");
  });
});
