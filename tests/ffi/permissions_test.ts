import { after, before, describe, it } from "node:test";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { hostName } from "../../ffi/mod.ts";
import { moduleUrl, outputOf, runChild } from "../child.ts";
import { skipping } from "../skip.ts";

const skip = skipping(hostName !== "deno" && "permissions are Deno's");
const mmap = moduleUrl("lib/mem/mmap.ts");
const io = moduleUrl("lib/io/mod.ts");
const safetensors = moduleUrl("lib/formats/safetensors.ts");
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
    skip: skipping(hostName !== "node" && "the flag is Node's"),
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

describe("special files", () => {
  const files = ["--allow-read", "--allow-write", "--allow-ffi"];

  before(() => {
    if (skip !== false) return;
    mkdirSync(join(folder, "sub"));
    spawnSync("mkfifo", [join(folder, "fifo")]);
    for (
      const [name, target] of [
        ["mem", "/proc/self/mem"],
        ["twice", "sub/../mem"],
        ["self", "/proc/self"],
        ["shm", "/dev/shm"],
        ["null", "/dev/null"],
        ["input", "/dev/stdin"],
        ["plain", "file.bin"],
        ["dangling", join(folder, "nothing")],
        ["dangling-shm", "/dev/shm/oxbow-nothing"],
        ["loop", "loop"],
        ["temporary", tmpdir()],
      ]
    ) symlinkSync(target, join(folder, name));
  });

  /** FIFO and FILE stand for descriptors; what is relative is made as well. */
  const paths = [
    // The folder that is the process's "/".
    join("/proc/self", "root", "etc/passwd"),
    ...`
    /proc/self/mem /proc/self/environ /proc/self/maps /proc/self/cwd /proc/self/task
    /proc/self/fd/0 /proc/self/fd/FIFO /proc/self/fd/FILE /dev/fd /dev/fd/1 /dev/fd/FIFO /dev/fd/FILE /dev/fd/99
    /dev/null /dev/zero /dev/random /dev/urandom /dev/tty /dev/stdin /dev/stdout /dev/null/ /dev//null
    /dev/shm/oxbow-made /dev /proc /proc/ /sys /sys/kernel/mm/transparent_hugepage/enabled /procession
    /proc/pressure/cpu /proc/pressure/../self/mem /tmp/../proc/self/mem //proc/self/mem
    mem twice sub/../mem ./mem ../../../../../proc/self/mem temporary/../proc/self/mem self self/mem self/environ
    self/../file.bin shm/oxbow-made null input plain plain/ plain/made sub dangling dangling-shm loop made sub/made
    none/made`.trim().split(/\s+/),
  ];

  /** How Deno and Oxbow each open each path, to read, to write, to make. */
  function outcomes(permissions: readonly string[]): string[] {
    const source = `
      import { Fd } from "${io}";
      Deno.chdir("${folder}");
      using fifo = Fd.open("fifo", { read: true, write: true });
      using file = Fd.open("file.bin");
      const made = ["made", "sub/made", "nothing", "/dev/shm/oxbow-made", "/dev/shm/oxbow-nothing"];
      function outcome(open) {
        try {
          open();
          for (const path of made) try { Deno.removeSync(path) } catch {}
          return "done";
        } catch (error) {
          if (error.name === "NotCapable") return error.message;
          return "errno " + (error.errno ?? /os error (\\d+)/.exec(error.message)[1]);
        }
      }
      for (const name of ${JSON.stringify(paths)}) {
        const path = name.replace("FIFO", fifo.number).replace("FILE", file.number);
        for (const options of [{ read: true }, { write: true }, { write: true, create: !path.startsWith("/") }]) {
          const theirs = outcome(() => Deno.openSync(path, options).close()).replace('"//', '"/');
          const ours = outcome(() => Fd.open(path, options).close());
          console.log(name, theirs, theirs === ours ? "same" : ours);
        }
      }`;
    return linesOf(source, permissions);
  }

  for (
    const [what, permissions, refuses] of [
      ["the three that file access needs", files, true],
      ["all but a host", ["-A", "--deny-net=192.0.2.1"], true],
      [
        "all by name",
        [...files, ...["env", "net", "run", "sys", "import"].map((name) => `--allow-${name}`)],
        false,
      ],
    ] as const
  ) {
    it(`open as Deno opens them, with ${what}`, { skip }, () => {
      const lines = outcomes(permissions);
      assertEquals(lines.filter((line) => !line.endsWith(" same")), []);
      assertEquals(lines.some((line) => line.includes("Requires all")), refuses);
    });
  }

  it("are no reason to take an empty path for a folder", { skip }, () => {
    const [line] = linesOf(attempts(`import { Fd } from "${io}";`, ['Fd.open("")']), files);
    assertStringIncludes(line, 'TypeError: cannot open "": path is empty');
  });

  it("are not mapped, nor read as tensors", { skip }, () => {
    const source = attempts(
      `import { Mmap } from "${mmap}"; import { SafeTensors } from "${safetensors}";`,
      [
        'Mmap.open("/proc/self/environ")',
        `Mmap.open("${folder}/self/environ")`,
        'SafeTensors.open("/proc/self/environ")',
      ],
    );
    for (const line of linesOf(source, ["--allow-ffi", "--allow-read"])) {
      assertMatch(
        line,
        /^NotCapable: Requires all access to "\/proc\/[^/]+\/environ", run again with the --allow-all flag$/,
      );
    }
  });
});

describe("a path through a link and back", () => {
  it("leads where its text says, as it was permitted", { skip }, () => {
    const inside = join(folder, "inside");
    const outside = join(folder, "outside");
    for (const path of [inside, join(outside, "deep")]) mkdirSync(path, { recursive: true });
    for (const path of [inside, outside]) writeFileSync(join(path, "secret"), path);
    symlinkSync(join(outside, "deep"), join(inside, "link"));
    const source = `
      import { Mmap } from "${mmap}";
      using map = Mmap.open("${inside}/link/../secret");
      console.log(new TextDecoder().decode(map.bytes()));`;
    assertEquals(outputOf(source, { permissions: ["--allow-ffi", `--allow-read=${inside}`] }), inside);
  });
});
