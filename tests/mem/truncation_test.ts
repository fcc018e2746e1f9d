/** Files that are cut short under their maps, each in a process of its own: what ends it would end the suite. */
import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { moduleUrl, outputOf, runChild } from "../child.ts";
import { skipping } from "../skip.ts";
import { TOOLS } from "./scratch.ts";

function told(source: string): string {
  return outputOf(TOOLS + source);
}

/** A disk of 16 pages, which goes with the child: it is of a namespace of the child's own. */
const FULL = `[ "$OXBOW_UNSHARED" ] || OXBOW_UNSHARED=1 exec unshare -rm sh "$0"
  mkdir full && mount -t tmpfs -o size=64k none full`;

const withoutMount = skipping(
  runChild("", { before: `set -e\n${FULL}` }).code !== 0 &&
    "a disk that is full needs a namespace of users and mounts",
);

/** What the sentences below say of a map that was cut. */
const TELL = `
  function tell(call) {
    try {
      call();
      return "nothing";
    } catch (error) {
      return [error.name, error.path === undefined ? "?" : error.path.split("/").at(-1), error.offset, error.length]
        .join(" ");
    }
  }
  const sum = (bytes) => bytes.reduce((sum, byte) => sum + byte, 0);
`;

describe("a file that is cut under a map", () => {
  it("reads zeros behind its end, in every mode, and then the map throws", () => {
    const source = `${TELL}
      for (const mode of ["r", "r+", "c"]) {
        for (const end of [0, 3 * PAGE + 100]) {
          const path = file(10);
          const map = Mmap.open(path, { mode });
          const bytes = map.bytes();
          const before = sum(bytes);
          fs.truncateSync(path, end);
          const after = sum(bytes);
          console.log(mode, before === 70 * PAGE, after === 7 * end, map.faults(), tell(() => map.check()));
          const uses = [
            () => map.bytes(), () => map.view(Int32Array, 0, 1), () => map.dataView(), () => map.copy(Uint8Array, 0, 1),
            () => map.windows(100), () => map.share(),
          ];
          if (mode === "r+") uses.push(() => map.flushSync(), () => map.flush());
          console.log(new Set(uses.map(tell)).size, tell(uses.at(-1)).split(" ")[0], bytes[0]);
          map[Symbol.dispose]();
          console.log(bytes.length, tell(() => map.check()).split(" ")[0], map.faults());
        }
      }`;
    let files = 0;
    const expected = ["r", "r+", "c"].flatMap((mode) =>
      [[0, 10, "0 40960", 0], [3 * 4096 + 100, 6, "16384 24576", 7]].flatMap(([, faults, where, first]) => [
        `${mode} true true ${faults} MapTruncatedError file-${files++}.bin ${where}`,
        `1 MapTruncatedError ${first}`,
        `0 Error ${faults}`,
      ])
    );
    assertEquals(told(source).split("\n"), expected);
  });

  it("is told with its name, its length, and what to do", () => {
    const source = `
      const path = file(4);
      using map = Mmap.open(path, { offset: 4000, length: 9000 });
      const bytes = map.bytes();
      fs.truncateSync(path, 4097);
      bytes[8999];
      try {
        map.bytes();
      } catch (error) {
        console.log(error.message.replace(path, "PATH"));
      }
      fs.unlinkSync(path);
      try {
        map.check();
      } catch (error) {
        console.log(error.message.replace(path, "PATH"));
      }`;
    const where = "bytes 8288 to 9000 of the map read zeros, and what was written there is lost; map it anew";
    assertEquals(told(source).split("\n"), [
      `cannot view PATH as Uint8Array: the file was cut to 4097 bytes; ${where}`,
      `cannot use PATH: the file was cut short; ${where}`,
    ]);
  });

  it("survives loops that write, of which what lies behind the end is lost", () => {
    const source = `${TELL}
      for (const mode of ["r", "r+", "c"]) {
        const path = file(16);
        using map = Mmap.open(path, { mode });
        const bytes = map.bytes();
        let size = 16 * PAGE;
        for (let round = 0; round < 50; round++) {
          bytes.fill(round);
          if (round === 20) fs.truncateSync(path, 5 * PAGE + 1);
        }
        fs.truncateSync(path, 16 * PAGE);
        const written = fs.readFileSync(path);
        console.log(mode, map.faults(), tell(() => map.check()), written[5 * PAGE], written[10 * PAGE]);
      }`;
    // What a private page holds already, no file takes away; its pages are gone from the file alone.
    const lines = told(source).split("\n");
    assertEquals(lines[1], "r+ 10 MapFaultError file-1.bin 24576 40960 49 0");
    assertEquals(lines.length, 3);
    for (const line of [lines[0], lines[2]]) assert(/^(r|c) \d+ \w+/.test(line), line);
  });

  it("does not matter where the map does not look behind the end", () => {
    const source = `${TELL}
      const path = file(10);
      using map = Mmap.open(path);
      fs.truncateSync(path, PAGE);
      const bytes = map.bytes(0, PAGE);
      console.log(sum(bytes), map.faults(), tell(() => map.check()));`;
    assertEquals(told(source), `${7 * 4096} 0 nothing`);
  });

  it("may be mapped anew, and by remap", () => {
    const source = `${TELL}
      for (const mode of ["r", "r+"]) {
        const path = file(4);
        using map = Mmap.open(path, { mode });
        const before = map.bytes();
        fs.truncateSync(path, PAGE);
        before[3 * PAGE];
        using anew = Mmap.open(path);
        console.log(mode, sum(anew.bytes()), tell(() => map.bytes()), map.faults());
        if (mode === "r") console.log(tell(() => map.remap(2 * PAGE)), before.length);
        map.remap(mode === "r" ? PAGE : 4 * PAGE);
        console.log(before.length, map.faults(), sum(map.bytes()), map.byteLength);
        fs.truncateSync(path, 0);
        anew.bytes()[0];
        console.log(sum(map.bytes()), tell(() => map.bytes()));
      }`;
    assertEquals(told(source).split("\n"), [
      "r 28672 MapTruncatedError file-0.bin 12288 4096 1",
      "RangeError ?   16384",
      "0 0 28672 4096",
      "0 MapTruncatedError file-0.bin 0 4096",
      "r+ 28672 MapTruncatedError file-1.bin 12288 4096 1",
      "0 0 28672 16384",
      "0 MapTruncatedError file-1.bin 0 16384",
    ]);
  });

  it("is not remapped in mode c, whose pages would be lost in silence", () => {
    const source = `${TELL}
      const path = file(4);
      using map = Mmap.open(path, { mode: "c" });
      const bytes = map.bytes();
      bytes[0] = 1;
      fs.truncateSync(path, PAGE);
      bytes[2 * PAGE];
      console.log(tell(() => map.remap(PAGE)), bytes.length, bytes[0]);`;
    assertEquals(told(source), "MapTruncatedError file-0.bin 8192 4096 16384 1");
  });

  it("may be a file in memory, which somebody else's descriptor cuts", () => {
    const source = `${TELL}
      const map = Mmap.memfd("cut", 4 * PAGE);
      map.bytes().fill(7);
      const fd = fs.readdirSync("/proc/self/fd").find((fd) => {
        try { return fs.readlinkSync("/proc/self/fd/" + fd).startsWith("/memfd:cut"); } catch { return false; }
      });
      const bytes = map.bytes();
      fs.truncateSync("/proc/self/fd/" + fd, PAGE);
      console.log(sum(bytes), map.faults(), tell(() => map.bytes()));
      const sealed = Mmap.memfd("sealed", 4 * PAGE, { seals: ["shrink"] });
      const other = fs.readdirSync("/proc/self/fd").find((fd) => {
        try { return fs.readlinkSync("/proc/self/fd/" + fd).startsWith("/memfd:sealed"); } catch { return false; }
      });
      console.log(thrown(() => fs.truncateSync("/proc/self/fd/" + other, PAGE)) !== "nothing", sum(sealed.bytes()));`;
    assertEquals(told(source), `${7 * 4096} 3 MapTruncatedError cut 4096 12288\ntrue 0`);
  });

  it("may be cut by another process, in the middle of a loop", () => {
    const source = `${TELL}
      import { spawn } from "node:child_process";
      const path = file(64);
      using map = Mmap.open(path);
      const bytes = map.bytes();
      const other = spawn("truncate", ["-s", "100", path]);
      let last = 0;
      for (const end = Date.now() + 20_000; map.faults() === 0 && Date.now() < end;) {
        last = sum(bytes);
        await sleep(0);
      }
      last = sum(bytes);
      console.log(last, map.faults(), tell(() => map.check()));`;
    assertEquals(told(source), `700 63 MapTruncatedError file-0.bin 4096 258048`);
  });

  it("does not end the process after the thread has ended that mapped first", () => {
    const source = `${TELL}
      import { once } from "node:events";
      import { Worker } from "node:worker_threads";
      const path = file(4);
      const worker = join(folder, "worker.mjs");
      fs.writeFileSync(worker, \`
        import { parentPort } from "node:worker_threads";
        import { truncateSync } from "node:fs";
        import { Mmap } from "${moduleUrl("lib/mem/mmap.ts")}";
        using map = Mmap.open(\${JSON.stringify(path)});
        const bytes = map.bytes();
        truncateSync(\${JSON.stringify(path)}, 100);
        parentPort.postMessage([bytes[5000], map.faults()]);
      \`);
      for (let round = 0; round < 2; round++) {
        fs.writeFileSync(path, new Uint8Array(4 * PAGE));
        const thread = new Worker(worker);
        const exit = once(thread, "exit");
        const [[byte, faults]] = await once(thread, "message");
        await exit;
        console.log(byte, faults);
      }
      await sleep(50);
      fs.writeFileSync(path, new Uint8Array(4 * PAGE).fill(7));
      using map = Mmap.open(path);
      const bytes = map.bytes();
      fs.truncateSync(path, 0);
      console.log(sum(bytes), map.faults());
      process.exit(0);`;
    assertEquals(told(source), "0 1\n0 1\n0 4");
  });

  it("is survived by several threads that read it at once", () => {
    const source = `${TELL}
      import { once } from "node:events";
      import { Worker } from "node:worker_threads";
      const path = file(64);
      const worker = join(folder, "worker.mjs");
      fs.writeFileSync(worker, \`
        import { parentPort } from "node:worker_threads";
        import { Mmap } from "${moduleUrl("lib/mem/mmap.ts")}";
        using map = Mmap.open(\${JSON.stringify(path)});
        const bytes = map.bytes();
        parentPort.postMessage("ready");
        let sum = 1;
        for (const end = Date.now() + 20_000; sum > 0 && Date.now() < end;) {
          sum = bytes.reduce((sum, byte) => sum + byte, 0);
        }
        let error = "";
        try { map.check(); } catch ({ name }) { error = name; }
        parentPort.postMessage([sum, map.faults(), error].join(" "));
      \`);
      const threads = [new Worker(worker), new Worker(worker)];
      await Promise.all(threads.map((thread) => once(thread, "message")));
      using map = Mmap.open(path);
      const bytes = map.bytes();
      fs.truncateSync(path, 0);
      console.log(sum(bytes), map.faults());
      const results = await Promise.all(threads.map((thread) => once(thread, "message")));
      console.log(results.join(", "));
      process.exit(0);`;
    assertEquals(told(source), "0 64\n0 64 MapTruncatedError, 0 64 MapTruncatedError");
  });

  it("does not hide bus errors that are none of a map's", () => {
    const plain = `${TOOLS}
      import { cString, libc, NULL, pointerAt, unsafeBufferAt } from "${moduleUrl("ffi/mod.ts")}";
      const path = file(1);
      const fd = libc().open(cString(path), 2, 0);
      const other = new Uint8Array(unsafeBufferAt(pointerAt(libc().mmap(NULL, PAGE, 3, 1, fd, 0)), PAGE));
      fs.truncateSync(path, 0);`;
    const unguarded = runChild(`${plain} console.log(other[0]);`);
    const guarded = runChild(
      `${plain} const map = Mmap.open(file(1)); map.bytes()[0]; console.log(other[0]);`,
    );
    assert(unguarded.code !== 0);
    assertEquals([guarded.code, guarded.stdout], [unguarded.code, ""]);
  });
});

describe("a full disk under a sparse file", { skip: withoutMount }, () => {
  it("is survived, and the bytes are told that are lost", () => {
    const source = `${TOOLS}${TELL}
      const path = join(process.cwd(), "full", "sparse.bin");
      const map = Mmap.open(path, { mode: "w+", length: 64 * PAGE });
      const bytes = map.bytes();
      bytes.fill(7);
      const kept = fs.statSync(path).blocks / 8;
      console.log(kept > 0 && kept < 64, map.faults() === 64 - kept);
      console.log(tell(() => map.flushSync()) === ["MapFaultError sparse.bin", kept * PAGE, (64 - kept) * PAGE].join(" "));
      console.log(bytes[0], bytes[64 * PAGE - 1], fs.readFileSync(path).lastIndexOf(7) === kept * PAGE - 1);
      try {
        map.check();
      } catch (error) {
        console.log(error.message.replace(path, "PATH").replaceAll(/[0-9]+/g, "N"));
      }
      map[Symbol.dispose]();`;
    assertEquals(outputOf(source, { before: FULL }).split("\n"), [
      "true true",
      "true",
      "7 7 true",
      "cannot use PATH: its pages could not be had: the disk is full or fails, or the file was cut short for a while; " +
      "bytes N to N of the map read zeros, and what was written there is lost",
    ]);
  });
});
