import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { coreFor } from "../../ffi/openblas.ts";

function cpuinfo(vendor: string, flags: string): string {
  return `processor\t: 0\nvendor_id\t: ${vendor}\nflags\t\t: ${flags}\nbugs\t\t: avx2 fma\n`;
}

describe("coreFor", () => {
  it("names the core whose kernels a processor can run", () => {
    const avx512 = "fpu avx2 fma avx512f avx512dq avx512bw avx512vl";
    assertEquals(coreFor(cpuinfo("GenuineIntel", avx512)), "SkylakeX");
    assertEquals(coreFor(cpuinfo("AuthenticAMD", avx512)), "SkylakeX");
    assertEquals(coreFor(cpuinfo("GenuineIntel", "fpu avx2 fma")), "Haswell");
    assertEquals(coreFor(cpuinfo("AuthenticAMD", "fpu avx2 fma avx512f")), "Zen");
  });

  it("names none for a processor without AVX2 and FMA, or one that is not described", () => {
    assertEquals(coreFor(cpuinfo("GenuineIntel", "fpu avx avx2_not")), undefined);
    assertEquals(coreFor(cpuinfo("GenuineIntel", "fpu avx2")), undefined);
    assertEquals(coreFor("processor\t: 0\nFeatures\t: fp asimd\n"), undefined);
    assertEquals(coreFor(""), undefined);
  });
});
