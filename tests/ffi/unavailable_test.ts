import { describe, it } from "node:test";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import denoConfig from "../../deno.json" with { type: "json" };
import { hostName } from "../../ffi/mod.ts";
import { moduleUrl, outputOf } from "../child.ts";

const OFF = { before: "export OXBOW_NATIVE=0", configured: true };
const WHY = "OXBOW_NATIVE is 0 in the environment: unset it";
const url = (entry: keyof typeof denoConfig.exports): string => moduleUrl(denoConfig.exports[entry]);

/** A child's line for each attempt: what it gave, or the error. */
function attempts(lines: readonly string[]): string {
  return lines.map((line) => `
    try {
      console.log(String(await (async () => { ${line} })()));
    } catch (error) {
      console.log(error.name + ": " + error.message.split("\\n")[0]);
    }`).join("\n");
}

describe("with OXBOW_NATIVE=0", () => {
  it("every entry point can be imported", () => {
    const urls = Object.values(denoConfig.exports).map(moduleUrl);
    const source = `
      for (const url of ${JSON.stringify(urls)}) {
        console.log(url, Object.keys(await import(url)).length > 0);
      }`;
    assertEquals(outputOf(source, OFF).split("\n"), urls.map((url) => `${url} true`));
  });

  it("what calls C throws by name, each time", () => {
    const source = `
      import * as ffi from "${url("./ffi")}";
      import { Mmap } from "${url("./mmap")}";
      import { Epoll, Fd, Socket } from "${url("./io")}";
      import { run, sleep } from "${url("./task")}";
      import { serve } from "${url("./http")}";
      import { Blas } from "${url("./blas")}";
      import { SafeTensors } from "${url("./safetensors")}";
      import { cpu, SignalWatch } from "${url("./jit")}";
      const address = { hostname: "127.0.0.1", port: 0 };
      ${
      attempts([
        'ffi.dlopen(["libm.so.6"], {})',
        'ffi.dlopen(["libm.so.6"], {})',
        "ffi.libc()",
        "ffi.errno()",
        "ffi.pointerTo(new Uint8Array(8))",
        "ffi.unsafeBufferAt(ffi.pointerAt(4096n), 1)",
        "ffi.unsafeStringAt(ffi.pointerAt(4096n))",
        'ffi.callback({ parameters: [], result: "void" }, () => {})',
        'Mmap.open("/etc/passwd")',
        'Fd.open("/etc/passwd")',
        "Socket.listen(address)",
        "new Epoll()",
        "await run(() => sleep(1))",
        "serve(() => new Response(), address)",
        'Blas.open({ backend: "openblas" })',
        'SafeTensors.open("/etc/passwd")',
        "cpu()",
        'new SignalWatch("SIGHUP")',
      ])
    }`;
    const lines = outputOf(source, OFF).split("\n");
    assertEquals(lines.length, 18);
    for (const line of lines) {
      assert(line.startsWith("NativeUnavailableError: cannot "), line);
      assert(line.endsWith(`: ${WHY}`), line);
    }
    assertEquals(lines[0], `NativeUnavailableError: cannot open libm.so.6: ${WHY}`);
    assertEquals(lines[4], `NativeUnavailableError: cannot take an address: ${WHY}`);
  });

  it("find says of each path why it is not opened", () => {
    const source = `
      import { find } from "${url("./ffi")}";
      console.log(JSON.stringify(find(["libc.so.6"])[0]));`;
    const found = JSON.parse(outputOf(source, OFF));
    assertEquals([found.path, found.outcome], ["libc.so.6", "failed"]);
    assertStringIncludes(found.reason, WHY);
  });

  it("what needs no address works: a slab, a future, tensors over bytes, portable products", () => {
    const source = `
      import { Slab } from "${url("./slab")}";
      import { Future, Pending } from "${url("./task")}";
      import { SafeTensors } from "${url("./safetensors")}";
      import { Blas } from "${url("./blas")}";
      const slab = new Slab();
      console.log(slab.get(slab.insert("kept")));

      class Countdown extends Future {
        #left = 2;
        poll({ waker }) {
          if (this.#left-- === 0) return "there";
          waker.wake();
          return Pending;
        }
      }
      const future = new Countdown();
      let woken = 0;
      const context = { waker: { wake: () => woken++ } };
      let value;
      while ((value = future.poll(context)) === Pending);
      console.log(value, woken);

      const header = new TextEncoder().encode('{"t":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}  ');
      const bytes = new Uint8Array(8 + header.length + 8);
      new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
      bytes.set(header, 8);
      bytes.set(new Uint8Array(Float32Array.of(1.5, -2).buffer), 8 + header.length);
      using tensors = SafeTensors.fromBytes(bytes);
      console.log([...tensors.f32("t")].join(" "));

      using blas = Blas.open();
      const c = new Float32Array(1);
      blas.sgemm({ m: 1, n: 1, k: 2, a: Float32Array.of(1, 2), b: Float32Array.of(3, 4), c });
      console.log(blas.backend, c[0]);`;
    assertEquals(outputOf(source, OFF).split("\n"), ["kept", "there 2", "1.5 -2", "portable 11"]);
  });
});

describe("on a system that is not supported", () => {
  /** Pretends before anything is imported. */
  function linesOn(pretence: string): string[] {
    return outputOf(`
      import process from "node:process";
      ${pretence}
      const { dlopen } = await import("${url("./ffi")}");
      const { Mmap } = await import("${url("./mmap")}");
      const { Slab } = await import("${url("./slab")}");
      ${attempts(['dlopen(["libc.so.6"], {})', 'Mmap.open("/etc/passwd")', "return new Slab().insert(1)"])}`)
      .split("\n");
  }

  function expected(why: string): string[] {
    const said = ["libc.so.6", "libc.so.6 or libc.musl-x86_64.so.1"].map((names) =>
      `NativeUnavailableError: cannot open ${names}: ${why}`
    );
    return [...said, "0"];
  }

  it("what calls C says which it is, at its first use", () => {
    const cases = [["darwin", "arm64"], ["darwin", "x64"], ["win32", "x64"], ["linux", "arm64"]];
    for (const [platform, arch] of cases) {
      const lines = linesOn(`
        Object.defineProperty(process, "platform", { value: "${platform}" });
        Object.defineProperty(process, "arch", { value: "${arch}" });`);
      assertEquals(
        lines,
        expected(`Oxbow calls C on Linux on x86-64 alone, and this is ${platform} on ${arch}`),
      );
    }
  });

  it("an old host is told which version to take", () => {
    const old = { deno: ["2.8.9", "2.9"], bun: ["1.3.14", "1.4"], node: ["24.18.0", "26.1"] }[hostName];
    const [version, newer] = old;
    const lines = linesOn(`
      const versions = { ...process.versions, ${hostName}: "${version}" };
      Object.defineProperty(process, "versions", { value: versions });`);
    assertEquals(lines, expected(`this is ${hostName} ${version}: use ${newer} or newer`));
  });

  it("a newer host is as good as the oldest", () => {
    for (const version of ["99.0.0", "26.1.0", "99.1.0-canary.1+abc"]) {
      const lines = linesOn(`
        const versions = { ...process.versions, ${hostName}: "${version}" };
        Object.defineProperty(process, "versions", { value: versions });`);
      assertEquals(lines[2], "0");
      assert(!lines[0].startsWith("NativeUnavailableError"), lines[0]);
    }
  });
});
