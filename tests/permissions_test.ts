import { after, before, describe, it } from "node:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assertEquals, assertStringIncludes } from "@std/assert";
import denoConfig from "../deno.json" with { type: "json" };
import { find, hostName } from "../ffi/mod.ts";
import { vectorLevel } from "../lib/vector/mod.ts";
import { moduleUrl, outputOf } from "./child.ts";
import { skipping } from "./skip.ts";

/** A row of the guide's table. */
interface Row {
  readonly entry: string;
  readonly use: string;
  readonly flags: readonly string[];
}

/** What a row is for: each step needs every flag, and no other. */
interface Program {
  readonly imports: string;
  readonly steps: readonly string[];
  readonly skip?: string | false;
}

function readRows(guide: string): Row[] {
  return guide.split("\n").filter((line) => line.startsWith("| `@oxbow/oxbow")).map((line) => {
    const [, entry, use, flags] = line.split("|").map((cell) => cell.trim());
    return { entry: entry.replaceAll("`", ""), use, flags: flags.match(/--[^`]+/g) ?? [] };
  });
}

const rows = readRows(readFileSync(new URL("../docs/ffi.md", import.meta.url), "utf8"));

function hasOpenBlas(): boolean {
  return find(["libopenblas.so.0"]).some(({ outcome }) => outcome === "chosen");
}

/** By the row's entry point and use; the table's words in capitals are paths and a host. */
const programs: Readonly<Record<string, Program>> = {
  "@oxbow/oxbow: `run`, `spawn`, `sleep`; the rest as below": {
    imports: "run, sleep, spawn",
    steps: ["await run(async () => { await sleep(1); await spawn(async () => 1); });"],
  },
  "@oxbow/oxbow/ffi: `dlopen`, calls, `errno`, `struct`": {
    imports: "check, cString, dlopen, errno, struct",
    steps: [
      `const timespec = struct({ tv_sec: "i53", tv_nsec: "i53" });
       const bytes = new Uint8Array(timespec.size);
       const time = timespec.view(bytes);
       using library = dlopen(["libc.so.6"], {
         clock_gettime: { parameters: ["i32", "buffer"], result: "i32" },
         close: { parameters: ["i32"], result: "i32" },
         strlen: { parameters: ["cstring"], result: "usize" },
       });
       const { clock_gettime, close, strlen } = library.symbols;
       check(clock_gettime(0, bytes), "clock_gettime");
       if (time.tv_sec === 0) throw new Error("the clock stands at 0");
       if (close(-1) !== -1 || errno() !== 9) throw new Error("errno is " + errno());
       if (strlen("ox") !== 2n) throw new Error("strlen");`,
    ],
  },
  "@oxbow/oxbow/ffi: `pointerTo`, `callback`, `unsafe…`, a `cstring` result": {
    imports: "callback, dlopen, pointerTo, unsafeBufferAt, unsafeCopy, unsafeStringAt",
    steps: [
      "pointerTo(new Uint8Array(1));",
      'callback({ parameters: [], result: "void" }, () => {})[Symbol.dispose]();',
      ...["unsafeBufferAt(text, 1);", "unsafeCopy(text, 1);", "unsafeStringAt(text);"].map((use) =>
        `using library = dlopen(["libc.so.6"], { strerror: { parameters: ["i32"], result: "pointer" } });
         const text = library.symbols.strerror(1);
         ${use}`
      ),
      'dlopen(["libc.so.6"], { strerror: { parameters: ["i32"], result: "cstring" } }).symbols.strerror(1);',
    ],
  },
  "@oxbow/oxbow/mmap: `Mmap.open` to read": {
    imports: "Mmap",
    steps: ["r", "c"].map((mode) =>
      `using map = Mmap.open("FILE", { mode: "${mode}" });
       if (map.bytes().length !== 10) throw new Error("not ten bytes");`
    ),
  },
  "@oxbow/oxbow/mmap: `Mmap.open` to write": {
    imports: "Mmap",
    steps: ["r+", "a+"].map((mode) => `using map = Mmap.open("FILE", { mode: "${mode}" }); map.bytes();`),
  },
  "@oxbow/oxbow/mmap: `anonymous`, `memfd`, `adopt`": {
    imports: "Mmap",
    steps: [
      "using map = Mmap.anonymous(10); map.bytes()[0] = 1;",
      'using map = Mmap.memfd("ox", 10, { seals: ["shrink"] }); map.bytes()[0] = 1;',
      "using map = Mmap.anonymous(10); using other = Mmap.adopt(map.share()); other.bytes();",
    ],
  },
  "@oxbow/oxbow/cow: `Cow`, `Utf8`, `CowTable`, `Overlay`": {
    imports: "Cow, CowTable, Overlay, Utf8",
    steps: [
      "Cow.borrowed(Uint8Array.of(1)).toMut()[0] = 2;",
      'Utf8.fromString("ox").equals(Utf8.fromString("bow"));',
      "using table = new CowTable(); table.pushOwned(Uint8Array.of(1));",
      "using overlay = new Overlay(new Uint8Array(10)); overlay.write(0, Uint8Array.of(1));",
    ],
  },
  "@oxbow/oxbow/cow: `Overlay.commit`": {
    imports: "Overlay",
    steps: ['using overlay = new Overlay(new Uint8Array(10)); overlay.commit("FOLDER/overlaid");'],
  },
  "@oxbow/oxbow/yoke: `Yoke`, `Rc`, `PinnedBytes`": {
    imports: "PinnedBytes, Rc, Yoke",
    steps: [
      "using bytes = PinnedBytes.zeros(4); using yoke = Yoke.attach(bytes, (cart) => cart.bytes(0, 1));",
      "using rc = Rc.of(1); rc.clone()[Symbol.dispose]();",
    ],
  },
  "@oxbow/oxbow/yoke: `Arc`": {
    imports: "Arc",
    steps: [
      `const { Mmap } = await import("@oxbow/oxbow/mmap");
       using map = Mmap.anonymous(4);
       using arc = Arc.share(map);
       arc.bytes();`,
    ],
  },
  "@oxbow/oxbow/shared: everything, in a map of memory": {
    imports: "SharedMutex",
    steps: [
      `const { Mmap } = await import("@oxbow/oxbow/mmap");
       using map = Mmap.anonymous(SharedMutex.byteSize);
       using guard = SharedMutex.create(map, 0).lockSync();`,
    ],
  },
  "@oxbow/oxbow/slab: everything": { imports: "Slab", steps: ["new Slab().insert(1);"] },
  "@oxbow/oxbow/io: `Fd.open` to read": { imports: "Fd", steps: ['Fd.open("FILE").close();'] },
  "@oxbow/oxbow/io: `Fd.open` to write": {
    imports: "Fd",
    steps: ['Fd.open("FILE", { write: true }).close();'],
  },
  "@oxbow/oxbow/io: `Socket`": {
    imports: "Socket",
    steps: [
      'Socket.listen({ hostname: "HOST", port: 0 })[Symbol.dispose]();',
      'Socket.connect({ hostname: "HOST", port: 1 })[Symbol.dispose]();',
    ],
  },
  "@oxbow/oxbow/io: `Epoll`, `NativeBuffer`": {
    imports: "Epoll, NativeBuffer",
    steps: ["new Epoll()[Symbol.dispose]();", "new NativeBuffer(8);"],
  },
  "@oxbow/oxbow/io: `EventFd`, `TimerFd`": {
    imports: "EventFd, TimerFd",
    steps: ["new EventFd().close();", "new TimerFd().close();"],
  },
  "@oxbow/oxbow/io: `PidFd`": {
    imports: "PidFd",
    steps: ["PidFd.open((await import('node:process')).default.pid).close();"],
  },
  "@oxbow/oxbow/io: `Inotify.watch`": {
    imports: "Inotify, IN_CREATE",
    steps: ["new Inotify().watch('FOLDER', IN_CREATE);"],
  },
  "@oxbow/oxbow/task: everything": {
    imports: "run, sleep, spawn",
    steps: ["await run(() => sleep(1));", "await run(() => spawn(async () => 1));"],
  },
  "@oxbow/oxbow/stream: everything": {
    imports: "Stream",
    steps: ["Stream.from([1, 2]).map((n) => n + 1).drop();"],
  },
  "@oxbow/oxbow/channel: everything": {
    imports: "broadcast, mpsc, oneshot, watch",
    steps: [
      "mpsc(1)[0].trySend(1);",
      "oneshot()[0].send(1);",
      "broadcast(1)[0].send(1);",
      "watch(1)[0].send(2);",
    ],
  },
  "@oxbow/oxbow/sync: everything but what processes share": {
    imports: "Mutex, Notify, Semaphore",
    steps: ["new Mutex(1).tryLock();", "new Notify().notifyOne();", "new Semaphore(1).tryAcquire();"],
  },
  "@oxbow/oxbow/pool: `Pool`; and what its jobs need": {
    imports: "Pool",
    steps: [
      `await using pool = Pool.open({ threads: 1 });
       const { join } = pool.jobs("node:path");
       if (await join("a", "b") !== "a/b") throw new Error("not a/b");`,
    ],
  },
  "@oxbow/oxbow/testing: everything": {
    imports: "clock",
    steps: [`await onRuntime(async () => { clock.pause(); await clock.advance(5); });`],
  },
  "@oxbow/oxbow/net: TCP, UDP": {
    imports: "TcpListener, TcpStream, UdpSocket",
    steps: [
      `await onRuntime(async () => TcpListener.bind({ hostname: "HOST", port: 0 })[Symbol.dispose]());`,
      `await onRuntime(async () => {
         using listener = TcpListener.bind({ hostname: "HOST", port: 0 });
         using stream = await TcpStream.connect(listener.address);
       });`,
      `await onRuntime(async () => UdpSocket.bind({ hostname: "HOST", port: 0 })[Symbol.dispose]());`,
    ],
  },
  "@oxbow/oxbow/net: Unix sockets by path": {
    imports: "UnixListener, UnixStream",
    steps: [
      `await onRuntime(async () => {
         using listener = UnixListener.bind({ path: "FOLDER/socket" });
         using stream = await UnixStream.connect({ path: "FOLDER/socket" });
         Deno.removeSync("FOLDER/socket");
       });`,
    ],
  },
  "@oxbow/oxbow/async_io: everything, in memory": {
    imports: "BufReader, copy, duplex, Framed, LinesCodec, sink",
    steps: [
      `const [one, other] = duplex(64);
       await new Framed(one, new LinesCodec()).send("ox");
       await one.shutdown();
       if (await copy(new BufReader(other), sink()) !== 3) throw new Error("not three bytes");`,
    ],
  },
  "@oxbow/oxbow/process: `Command`": {
    imports: "Command",
    steps: [`await onRuntime(async () => { await new Command("/bin/true").status(); });`],
  },
  "@oxbow/oxbow/fs: `File.open` to read, `readFile`, `readDir`, `metadata`": {
    imports: "File, metadata, readDir, readFile, symlinkMetadata",
    steps: [
      'await using file = await File.open("FILE"); await file.readAt(new Uint8Array(4), 0);',
      'if ((await readFile("FILE")).length !== 10) throw new Error("not ten bytes");',
      'for await (const entry of readDir("FOLDER")) if (entry.name === "") throw new Error("no name");',
      'if ((await metadata("FILE")).size !== 10) throw new Error("not ten bytes");',
      'if ((await symlinkMetadata("FILE")).kind !== "regular") throw new Error("no file");',
    ],
  },
  "@oxbow/oxbow/fs: `writeFile`, `rename`, `remove`, `mkdir`": {
    imports: "mkdir, remove, rename, writeFile",
    steps: [
      `await mkdir("FOLDER/made", { recursive: true });
       await writeFile("FOLDER/made/a", new Uint8Array(3));
       await writeFile("FOLDER/made/a", new Uint8Array(4), { atomic: true });
       await rename("FOLDER/made/a", "FOLDER/made/b");
       await remove("FOLDER/made/b");
       await remove("FOLDER/made");`,
    ],
  },
  "@oxbow/oxbow/tls: over a stream of `/net`": {
    imports: "connectTls",
    steps: [
      `await onRuntime(async () => {
         const { TcpListener, TcpStream } = await import("${moduleUrl("lib/net/mod.ts")}");
         using listener = TcpListener.bind({ hostname: "HOST", port: 0 });
         const stream = await TcpStream.connect(listener.address);
         (await listener.accept()).stream.close();
         await connectTls(stream, { servername: "localhost" }).then(
           () => { throw new Error("TLS with nobody"); },
           (error) => { if (error.name === "NotCapable") throw error; },
         );
       });`,
    ],
  },
  "@oxbow/oxbow/http: `serve`, `serveLean`": {
    imports: "serve, serveLean",
    steps: [
      `await onRuntime(async () => {
         await using server = serve(() => new Response("x"), { hostname: "HOST", port: 0 });
         await (await fetch("http://HOST:" + server.address.port)).text();
       });`,
      `await onRuntime(async () => {
         await using server = serveLean((_, response) => response.end("x"), { hostname: "HOST", port: 0 });
         await (await fetch("http://HOST:" + server.address.port)).text();
       });`,
    ],
  },
  "@oxbow/oxbow/http: `serveFiles`": {
    imports: "serve, serveFiles",
    steps: [
      `await onRuntime(async () => {
         await using server = serve(serveFiles("FOLDER"), { hostname: "HOST", port: 0 });
         const response = await fetch("http://HOST:" + server.address.port + "/file");
         if ((await response.bytes()).length !== 10) throw new Error("not ten bytes");
       });`,
    ],
  },
  "@oxbow/oxbow/websocket: `upgradeWebSocket`": {
    imports: "upgradeWebSocket",
    steps: [
      `await onRuntime(async () => {
         const { serve } = await import("${moduleUrl("lib/net/http.ts")}");
         await using server = serve((request) => {
           const { socket, response } = upgradeWebSocket(request);
           socket.onmessage = ({ data }) => socket.send(data);
           return response;
         }, { hostname: "HOST", port: 0 });
         const client = new WebSocket("ws://HOST:" + server.address.port);
         client.onopen = () => client.send("x");
         await new Promise((resolve, reject) => { client.onmessage = resolve; client.onerror = reject; });
         client.close();
       });`,
    ],
  },
  "@oxbow/oxbow/jit: `Assembler`": { imports: "Assembler", steps: ["new Assembler().ret();"] },
  "@oxbow/oxbow/jit: `load`, `cpu` and all that runs code": {
    imports: "Assembler, cpu, eax, edi, load, SignalWatch, UnsafeSyscallBatch, unsafeSyscalls",
    steps: [
      `const a = new Assembler();
       a.mov(eax, edi);
       a.ret();
       using kernels = load({ same: { signature: { parameters: ["i32"], result: "i32" }, code: a.finish() } });
       if (kernels.symbols.same(7) !== 7) throw new Error("not 7");`,
      'if (!cpu().features.has("sse2")) throw new Error("no x86-64");',
      'new SignalWatch("SIGHUP")[Symbol.dispose]();',
      "new UnsafeSyscallBatch(1);",
      'using kernel = unsafeSyscalls({ getpid: { number: 39, parameters: [], result: "i32" } });',
    ],
  },
  "@oxbow/oxbow/vector: everything, in TypeScript": {
    imports: "sum",
    steps: ['if (sum(Float32Array.of(1, 2)) !== 3) throw new Error("the sum is wrong");'],
  },
  "@oxbow/oxbow/vector: everything, in machine code": {
    imports: "vectorLevel",
    steps: ['if (vectorLevel() === "portable") throw new Error("in TypeScript, without --allow-ffi");'],
    skip: skipping(vectorLevel() === "portable" && "no machine code runs here"),
  },
  "@oxbow/oxbow/blas: the portable backend": {
    imports: "Blas",
    steps: ['Blas.open({ backend: "portable" })[Symbol.dispose]();', "Blas.open()[Symbol.dispose]();"],
  },
  "@oxbow/oxbow/blas: MKL, OpenBLAS": {
    imports: "Blas",
    steps: ['Blas.open({ backend: "openblas" })[Symbol.dispose]();'],
    skip: skipping(!hasOpenBlas() && "OpenBLAS is not installed"),
  },
  "@oxbow/oxbow/safetensors: `SafeTensors.open`": {
    imports: "SafeTensors",
    steps: ['SafeTensors.open("FILE")[Symbol.dispose]();'],
  },
  "@oxbow/oxbow/safetensors: `SafeTensors.write`": {
    imports: "SafeTensors",
    steps: ['SafeTensors.write("FOLDER/written.safetensors", {});'],
  },
  "@oxbow/oxbow/safetensors: `SafeTensors.fromBytes`": {
    imports: "SafeTensors",
    steps: ['SafeTensors.fromBytes(new TextEncoder().encode("\\x02" + "\\0".repeat(7) + "{}"));'],
  },
  "@oxbow/oxbow/search: `indexFolder`": {
    imports: "indexFolder",
    steps: ['await indexFolder("FOLDER/notes");'],
  },
  "@oxbow/oxbow/search: `SearchIndex`": {
    imports: "SearchIndex",
    steps: [
      'using index = SearchIndex.open("FOLDER/indexed"); if (index.search(["yoke"], 1)[0].length !== 1) throw new Error("no hit");',
    ],
  },
};

const exports: Readonly<Record<string, string>> = denoConfig.exports;
let paths: Readonly<Record<string, string>>;

/** The libc that this process itself has loaded. */
function pathOfLibc(): string {
  const [path] = readFileSync("/proc/self/maps", "utf8").match(/\/\S*\/(?:libc\.so\.6|ld-musl-\S+)$/m) ?? [];
  if (path === undefined) throw new Error("this process has no libc");
  return path;
}

function filled(text: string): string {
  return Object.entries(paths).reduce((text, [word, path]) => text.replaceAll(word, path), text);
}

function programOf({ entry, use }: Row): Program {
  return programs[`${entry}: ${use}`] ?? { imports: "", steps: [] };
}

/** The row's steps, as functions. */
function stepsOf(row: Row): string[] {
  const { imports, steps } = programOf(row);
  const url = moduleUrl(exports[row.entry.replace("@oxbow/oxbow", ".")]);
  // Imported by each step, since a package that an entry point stands on may ask as well.
  const first = `const { ${imports.replaceAll(" as ", ": ")} } = await import("${url}");`;
  return steps.map((step) => `async () => { ${first} ${filled(step)} }`);
}

/** For each step of the rows what it threw, or `done`: by row, in one process. */
function outcomes(rows: readonly Row[], flags: readonly string[]): string[][] {
  const source = `import { run as onRuntime } from "${moduleUrl("lib/task/mod.ts")}";
    const steps = [${rows.flatMap(stepsOf).join(", ")}];
    for (const step of steps) {
      const line = await step().then(() => "done", (error) => error.name + ": " + error.message);
      console.log(line.replaceAll("\\n", " "));
    }
    // A program that waits for what it may not have would never end.
    Deno.exit();`;
  const lines = outputOf(source, { permissions: flags.map(filled), configured: true }).split("\n");
  assertEquals(lines.length, rows.flatMap(stepsOf).length);
  return rows.map((row) => lines.splice(0, programOf(row).steps.length));
}

/** What `outcomes` tells of one row, under these flags: all rows that need the same are asked at once. */
class Outcomes {
  #asked = new Map<string, string[][]>();

  of(row: Row, flags: readonly string[]): string[] {
    const alike = rows.filter((other) => String(other.flags) === String(row.flags) && !programOf(other).skip);
    const key = `${row.flags} ${flags}`;
    const asked = this.#asked.get(key) ?? outcomes(alike, flags);
    this.#asked.set(key, asked);
    return asked[alike.indexOf(row)];
  }
}

describe("the guide's table of permissions", () => {
  const notDeno = skipping(hostName !== "deno" && "permissions are Deno's");

  before(() => {
    const FOLDER = mkdtempSync(join(tmpdir(), "oxbow-flags-"));
    const FILE = join(FOLDER, "file");
    paths = { FOLDER, FILE, LIBC: notDeno ? "" : pathOfLibc(), HOST: "127.0.0.1" };
    // The smallest safetensors file.
    writeFileSync(FILE, "\x02\0\0\0\0\0\0\0{}");
    for (const folder of ["notes", "indexed"]) {
      mkdirSync(join(FOLDER, folder));
      writeFileSync(join(FOLDER, folder, "ox.md"), "An oxbow fastens an ox to its yoke.\n");
    }
    if (notDeno) return;
    const url = moduleUrl(exports["./search"]);
    outputOf(filled(`import { indexFolder } from "${url}"; await indexFolder("FOLDER/indexed");`), {
      configured: true,
    });
  });

  after(() => rmSync(paths.FOLDER, { recursive: true }));

  it("has a row for each entry point, and each row is tried here", () => {
    assertEquals(
      [...new Set(rows.map(({ entry }) => entry))].sort(),
      Object.keys(exports).map((entry) => entry.replace(".", "@oxbow/oxbow")).sort(),
    );
    assertEquals(rows.map(({ entry, use }) => `${entry}: ${use}`), Object.keys(programs));
  });

  const told = new Outcomes();
  for (const row of rows) {
    const { entry, use, flags } = row;
    const program = programOf(row);
    const skip = notDeno || program.skip;
    const needs = flags.length === 0 ? "asks for no flag" : `needs ${flags.join(" ")} and no less`;

    it(`${entry}, ${use}: ${needs}`, { skip }, () => {
      assertEquals(told.of(row, flags), program.steps.map(() => "done"));
      for (const flag of flags) {
        const [name] = flag.split("=");
        const others = flags.filter((other) => other !== flag);
        for (const line of told.of(row, others)) assertStringIncludes(line, name);
        if (flag !== "--allow-ffi") continue;
        const limited = [...others, "--allow-ffi=LIBC"];
        for (const line of told.of(row, limited)) assertStringIncludes(line, name);
      }
    });
  }
});
