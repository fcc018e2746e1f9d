import { spawnSync } from "node:child_process";
import { describe, it } from "node:test";
import process from "node:process";
import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { cpuinfo } from "../../ffi/cpuinfo.ts";
import { preferred } from "../../lib/blas/preferred.ts";
import { type Backend, Blas, type Gemm, type GemmGroup } from "../../lib/blas/mod.ts";
import { skipping } from "../skip.ts";

const NAMES = preferred(cpuinfo());

function found(backend: (typeof NAMES)[number]): Blas | undefined {
  try {
    return Blas.open({ backend });
  } catch {
    return undefined;
  }
}

/** A backend that multiplies nothing and keeps what it is given. */
class Recorder implements Backend {
  readonly name = "recorder";
  readonly description = "keeps its calls";
  readonly threads = 3;
  readonly products: Gemm[] = [];

  sgemm(product: Gemm): void {
    this.products.push(product);
  }
}

class BatchRecorder extends Recorder {
  readonly batches: (readonly GemmGroup[])[] = [];

  sgemmBatch(groups: readonly GemmGroup[]): void {
    this.batches.push(groups);
  }
}

function matrices(...lengths: number[]): Float32Array<ArrayBuffer>[] {
  return lengths.map((length) => new Float32Array(length));
}

describe("Blas.open", () => {
  it("takes the first backend that is there, and tells why not the ones before it", () => {
    using blas = Blas.open();
    const first = NAMES.find((name) => found(name) !== undefined);
    assertEquals(blas.backend, first);
    const [chosen, ...others] = blas.explain().split("\n").filter((line) => !line.startsWith(" "));
    assert(chosen.startsWith(`${first}: `));
    assertEquals(
      others.map((line) => line.split(":")[0]),
      NAMES.slice(0, NAMES.findIndex((name) => name === first)).map((name) => `not ${name}`),
    );
  });

  it("tries MKL first, but OpenBLAS on AMD's processors with AVX-512", () => {
    const flags = "flags\t\t: fpu avx2 fma";
    const avx512 = `${flags} avx512f avx512dq avx512bw avx512vl`;
    const order = (vendor: string, text: string) => preferred(`vendor_id\t: ${vendor}\n${text}\n`)[0];
    assertEquals(order("AuthenticAMD", avx512), "openblas");
    assertEquals(order("AuthenticAMD", flags), "mkl");
    assertEquals(order("GenuineIntel", avx512), "mkl");
    assertEquals(preferred("")[0], "mkl");
  });

  for (const backend of ["mkl", "openblas"] as const) {
    it(`says which ${backend} it has, or lists the paths where there is none`, () => {
      const blas = found(backend);
      if (blas === undefined) {
        const soname = backend === "mkl" ? "libmkl_rt.so.3" : "libopenblas.so.0";
        const error = assertThrows(() => Blas.open({ backend }), Error, `\n  ${soname}: `);
        assertStringIncludes(error.message, "none of");
      } else {
        assertMatch(
          blas.explain(),
          backend === "mkl"
            ? /^mkl: MKL 20\d\d\.\S+ from .*libmkl_rt\.so/
            : /^openblas: OpenBLAS \d+\.\d+\.\d+\S* from .*libopenblas\.so.*, kernels for \w+/,
        );
      }
    });

    it(`sets the threads of ${backend} to the number asked for`, {
      skip: skipping(found(backend) === undefined && `${backend} is not installed`),
    }, () => {
      using two = Blas.open({ backend, threads: 2 });
      using one = Blas.open({ backend, threads: 1 });
      assertEquals(one.threads, 1);
      assertMatch(one.explain(), /; 1 thread$/);
      const sequential = /no threads/.test(two.explain());
      assertEquals(two.threads, sequential ? 1 : 2);
    });
  }

  it("has one thread on the portable backend, whatever is asked for", () => {
    using blas = Blas.open({ backend: "portable", threads: 8 });
    assertEquals(blas.threads, 1);
    assertEquals(blas.explain(), "portable: plain TypeScript, any machine; 1 thread");
  });

  it("refuses backends that it does not know, and threads that are no count", () => {
    const open = (options: string): Blas => Blas.open(JSON.parse(options));
    assertThrows(
      () => open('{"backend":"cuda"}'),
      TypeError,
      "backend is cuda, not auto, mkl, openblas, portable or an object",
    );
    assertThrows(() => open('{"backend":"toString"}'), TypeError, "backend is toString");
    assertThrows(() => open('{"threads":0}'), RangeError, "threads is 0");
    assertThrows(() => open('{"threads":1.5}'), RangeError, "threads is 1.5");
    assertThrows(() => open('{"threads":"2"}'), RangeError, "threads is 2");
  });

  it("uses Deno's portable backend where calls to C are denied, and says which flag allows them", {
    skip: skipping(!("Deno" in globalThis) && "only Deno has permissions to deny"),
  }, () => {
    const module = new URL("../../lib/blas/mod.ts", import.meta.url).href;
    const script = `import { Blas } from ${JSON.stringify(module)}; console.log(Blas.open().explain());`;
    const { stdout } = spawnSync(process.execPath, ["run", "--deny-ffi", "--ext=ts", "-"], {
      input: script,
      encoding: "utf8",
    });
    assertMatch(stdout, /^portable: .*\nnot mkl: .*--allow-ffi.*\nnot openblas: .*--allow-ffi/);
  });
});

describe("a backend of one's own", () => {
  it("is used by name and number of threads", () => {
    using blas = Blas.open({ backend: new Recorder() });
    assertEquals([blas.backend, blas.threads], ["recorder", 3]);
    assertEquals(blas.explain(), "recorder: keeps its calls; 3 threads");
  });

  it("is given defaults filled in", () => {
    const recorder = new Recorder();
    using blas = Blas.open({ backend: recorder });
    const [a, b, c] = matrices(6, 12, 8);
    blas.sgemm({ m: 2, n: 4, k: 3, a, b, c });
    blas.sgemm({ m: 2, n: 4, k: 3, transA: true, transB: true, a, b, c });
    const common = { m: 2, n: 4, k: 3, alpha: 1, a, b, beta: 0, c, ldc: 4 };
    assertEquals(recorder.products, [
      { ...common, transA: false, lda: 3, transB: false, ldb: 4 },
      { ...common, transA: true, lda: 2, transB: true, ldb: 3 },
    ]);
  });

  it("is given column-major products as the row-major ones of the transposes", () => {
    const recorder = new Recorder();
    using blas = Blas.open({ backend: recorder });
    const [a, b, c] = matrices(100, 100, 100);
    blas.sgemm({
      layout: "column",
      m: 2,
      n: 4,
      k: 3,
      transA: true,
      alpha: 2,
      a,
      lda: 5,
      b,
      ldb: 6,
      beta: 3,
      c,
      ldc: 7,
    });
    assertEquals(recorder.products, [
      {
        m: 4,
        n: 2,
        k: 3,
        transA: false,
        transB: true,
        alpha: 2,
        a: b,
        lda: 6,
        b: a,
        ldb: 5,
        beta: 3,
        c,
        ldc: 7,
      },
    ]);
  });

  it("is called for each product of a batch, or once for all where it can take them", () => {
    const shape = { m: 1, n: 2, k: 1 };
    const [a, b, c, d, e, f] = matrices(1, 2, 2, 1, 2, 2);
    const groups = [
      { ...shape, a: [a, d], b: [b, e], c: [c, f] },
      { ...shape, alpha: 0, a: [a], b: [b], c: [c] },
      { ...shape, a: [], b: [], c: [] },
    ];
    const full = { ...shape, transA: false, transB: false, alpha: 1, lda: 1, ldb: 2, beta: 0, ldc: 2 };
    const single = new Recorder();
    Blas.open({ backend: single }).sgemmBatch({ groups });
    assertEquals(single.products, [{ ...full, a, b, c }, { ...full, a: d, b: e, c: f }]);
    const batch = new BatchRecorder();
    Blas.open({ backend: batch }).sgemmBatch({ groups });
    assertEquals(batch.products, []);
    assertEquals(batch.batches, [[{ ...full, a: [a, d], b: [b, e], c: [c, f] }]]);
  });
});
