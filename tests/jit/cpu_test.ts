import { existsSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { describe, it } from "node:test";
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { environment } from "../../ffi/environment.ts";
import { hostName } from "../../ffi/mod.ts";
import type { Feature } from "../../lib/jit/code.ts";
import { cpu } from "../../lib/jit/cpu.ts";
import {
  brandOf,
  cachesOf,
  type Cpuid,
  featuresOf,
  lineOf,
  modelOf,
  threadsPerCoreOf,
  vendorOf,
} from "../../lib/jit/cpuid.ts";
import { moduleUrl, outputOf, runChild } from "../child.ts";
import { skipping } from "../skip.ts";

/** Where Linux has another name for it. */
const FLAGS: Partial<Record<Feature, string>> = {
  sse3: "pni",
  sse41: "sse4_1",
  sse42: "sse4_2",
  lzcnt: "abm",
  pclmul: "pclmulqdq",
  sha: "sha_ni",
  rdrnd: "rdrand",
  prfchw: "3dnowprefetch",
  avxvnni: "avx_vnni",
  avx512vbmi2: "avx512_vbmi2",
  avx512vnni: "avx512_vnni",
  avx512bitalg: "avx512_bitalg",
  avx512vpopcntdq: "avx512_vpopcntdq",
  avx512bf16: "avx512_bf16",
};

/** Of all features, so that one which is forgotten does not compile. */
const ALL = Object.keys(
  {
    sse2: 0,
    sse3: 0,
    ssse3: 0,
    sse41: 0,
    sse42: 0,
    popcnt: 0,
    lzcnt: 0,
    bmi1: 0,
    bmi2: 0,
    adx: 0,
    movbe: 0,
    aes: 0,
    pclmul: 0,
    sha: 0,
    gfni: 0,
    vaes: 0,
    vpclmulqdq: 0,
    cx16: 0,
    fsgsbase: 0,
    rdtscp: 0,
    rdpid: 0,
    rdrnd: 0,
    rdseed: 0,
    clflushopt: 0,
    clwb: 0,
    prfchw: 0,
    waitpkg: 0,
    xsave: 0,
    avx: 0,
    avx2: 0,
    fma: 0,
    f16c: 0,
    avxvnni: 0,
    avx512f: 0,
    avx512cd: 0,
    avx512vl: 0,
    avx512bw: 0,
    avx512dq: 0,
    avx512ifma: 0,
    avx512vbmi: 0,
    avx512vbmi2: 0,
    avx512vnni: 0,
    avx512bitalg: 0,
    avx512vpopcntdq: 0,
    avx512bf16: 0,
  } satisfies Record<Feature, 0>,
);

const cpuinfo = readFileSync("/proc/cpuinfo", "utf8");

function fieldOf(name: string): string {
  return new RegExp(`^${name}\\s*: (.*)$`, "m").exec(cpuinfo)?.[1] ?? "";
}

const SYSFS = "/sys/devices/system/cpu/cpu0/cache";

interface Registers {
  eax?: number;
  ebx?: number;
  ecx?: number;
  edx?: number;
}

/** A CPU that says what the table says, by leaf and subleaf, and zeros. */
function fake(leaves: Readonly<Record<string, Registers>>): Cpuid {
  return (leaf, subleaf) => {
    const { eax = 0, ebx = 0, ecx = 0, edx = 0 } = leaves[`${leaf.toString(16)}.${subleaf}`] ?? {};
    return [eax, ebx, ecx, edx];
  };
}

function levelWith(level: string): string {
  const source = `
    import { cpu } from "${moduleUrl("lib/jit/cpu.ts")}";
    try {
      const { level, features } = cpu();
      console.log(level, [...features].join());
    } catch (error) {
      console.log(error.name + ": " + error.message);
    }`;
  return outputOf(source, { before: `export OXBOW_CPU=${level}` });
}

/** What the kernel says of threads, and of the cores that they are on. */
function coresTold(): { threads: number; cores: number } {
  function fields(name: string): string[] {
    return [...cpuinfo.matchAll(new RegExp(`^${name}\\s*: (.*)$`, "gm"))].map(([, value]) => value);
  }
  const packages = fields("physical id");
  const cores = new Set(fields("core id").map((core, i) => `${packages[i]}:${core}`)).size;
  return { threads: fields("processor").length, cores };
}

describe("cpu", () => {
  const lowered = skipping(environment("OXBOW_CPU") !== undefined && "OXBOW_CPU is set, and lowers this CPU");

  it("knows what the kernel knows of it", () => {
    const { vendor, family, model, stepping, brand } = cpu();
    assertEquals(vendor, fieldOf("vendor_id"));
    assertEquals([family, model, stepping].map(String), ["cpu family", "model", "stepping"].map(fieldOf));
    assertEquals(brand, fieldOf("model name").trim());
  });

  it("has the features that the kernel lets it have, all of them and no other", { skip: lowered }, () => {
    const flags = new Set(fieldOf("flags").split(" "));
    // Withheld on Zen 5, where the kernel may know of microcode that mends it.
    if (fieldOf("cpu family") === "26") flags.delete("rdseed");
    const expected = ALL.filter((name) =>
      flags.has(Object.entries(FLAGS).find(([f]) => f === name)?.[1] ?? name)
    );
    assertEquals([...cpu().features].map(String).sort(), expected.sort());
  });

  it(
    "has the caches that the kernel describes",
    { skip: skipping(!existsSync(SYSFS) && `${SYSFS} is missing`) },
    () => {
      const read = (i: number, name: string): string =>
        readFileSync(`${SYSFS}/index${i}/${name}`, "utf8").trim();
      const { caches, line } = cpu();
      assertEquals(existsSync(`${SYSFS}/index${caches.length}`), false);
      for (const [i, cache] of caches.entries()) {
        assertEquals(`${cache.level} ${cache.type}`, `${read(i, "level")} ${read(i, "type").toLowerCase()}`);
        assertEquals(`${cache.size / 1024}K`, read(i, "size"));
        assertEquals([cache.line, cache.ways].map(String), [
          read(i, "coherency_line_size"),
          read(i, "ways_of_associativity"),
        ]);
        assertEquals(cache.line, line);
      }
    },
  );

  it("has the threads that the process may use", () => {
    assertEquals(cpu().threads, availableParallelism());
    assert(cpu().threadsPerCore >= 1 && cpu().threadsPerCore <= 8);
    assert(Object.is(cpu(), cpu()));
  });

  it("has cores of one thread or more", () => {
    const { threads, cores } = cpu();
    assert(cores >= 1 && cores <= threads);
  });

  const told = coresTold();
  const alike = told.threads === cpu().threads && told.cores * cpu().threadsPerCore === told.threads;
  const skip = skipping(!alike && "the cores are not alike, or not all of them to be used");

  it("has the cores that the kernel tells apart", { skip }, () => {
    assertEquals(cpu().cores, told.cores);
  });

  it("cannot be changed by who asks", () => {
    const { features, caches } = cpu();
    const before = [...features];
    assert(features instanceof Set);
    assertThrows(() => features.add("oxbow"), TypeError, "cannot change the CPU's features");
    assertThrows(() => features.delete("sse2"), TypeError, "OXBOW_CPU");
    assertThrows(() => features.clear(), TypeError, "cannot change");
    assertEquals([...cpu().features], before);
    assert([cpu(), caches, ...caches].every((value) => Object.isFrozen(value)));
  });

  it("is lowered by OXBOW_CPU, and never raised", { skip: lowered }, () => {
    assertEquals(levelWith("sse2"), "sse2 sse2");
    const { level, features } = cpu();
    if (level === "sse2") {
      assert(/^Error: cannot obey OXBOW_CPU=avx2, which only lowers: .* lacks /.test(levelWith("avx2")));
    } else {
      const kept = [...features].filter((name) => !name.startsWith("avx512"));
      assertEquals(levelWith("avx2"), `avx2 ${kept.join()}`);
    }
    const highest = levelWith("avx512");
    if (level === "avx512") assertEquals(highest, `avx512 ${[...features].join()}`);
    else {assert(
        /^Error: cannot obey OXBOW_CPU=avx512, which only lowers: .* lacks .*avx512f/.test(highest),
        highest,
      );}
    assertEquals(levelWith("avx3"), "RangeError: cannot obey OXBOW_CPU=avx3: use one of sse2, avx2, avx512");
    assertEquals(levelWith("toString").split(":")[0], "RangeError");
    assertEquals(levelWith(""), `${level} ${[...features].join()}`);
  });

  it(
    "asks Deno for --allow-ffi and for nothing else",
    { skip: skipping(hostName !== "deno" && "permissions are Deno's") },
    () => {
      const source = `
      import { cpu } from "${moduleUrl("lib/jit/cpu.ts")}";
      try { console.log(cpu().vendor); } catch (error) { console.log(error.name); }`;
      assertEquals(outputOf(source, { permissions: ["--allow-ffi"] }), cpu().vendor);
      assertEquals(outputOf(source, { permissions: [] }), "NativeUnavailableError");
    },
  );

  it("is unknown by name where no code can be loaded", () => {
    const source = `import { cpu } from "${moduleUrl("lib/jit/cpu.ts")}"; cpu();`;
    const { code, stderr } = runChild(source, { before: "export OXBOW_NATIVE=0" });
    assertEquals(code, 1);
    assertStringIncludes(stderr, "NativeUnavailableError");
  });
});

describe("the decoding of CPUID", () => {
  const OSXSAVE = 1 << 27;
  const everything = { eax: -1, ebx: -1, ecx: -1, edx: -1 };
  const modern = {
    "0.0": { eax: 7 },
    "80000000.0": { eax: 0x80000001 | 0 },
    "1.0": everything,
    "7.0": everything,
  };

  it("gives a feature only where the operating system keeps its registers", () => {
    const names = (xcr0: number): string[] => [...featuresOf(fake(modern), () => xcr0, () => 2n)];
    assert(names(0xe7).includes("avx512f") && names(0xe7).includes("fma"));
    assert(names(0x7).includes("avx2") && !names(0x7).some((name) => name.startsWith("avx512")));
    assert(names(0x67).every((name) => !name.startsWith("avx512")));
    assert(
      names(0x3).includes("sse42") && !names(0x3).some((name) => /^(avx|fma|f16c|vaes|vpclmul)/.test(name)),
    );
  });

  it("gives FSGSBASE only where the kernel says so, and asks it only where the CPU has it", () => {
    const allowed = (hwcap2: bigint): boolean =>
      featuresOf(fake(modern), () => 0xe7, () => hwcap2).has("fsgsbase");
    assertEquals([0n, 1n, 2n, 3n, ~2n].map(allowed), [false, false, true, true, false]);
    const without = featuresOf(fake({ ...modern, "7.0": { ...everything, ebx: ~1 } }), () => 0xe7, () => {
      throw new Error("the kernel was asked");
    });
    assert(!without.has("fsgsbase") && without.has("avx2"));
  });

  it("does not run XGETBV where the operating system has XSAVE turned off", () => {
    const off = { ...modern, "1.0": { ...everything, ecx: ~OSXSAVE } };
    const features = featuresOf(fake(off), () => {
      throw new Error("an illegal instruction");
    }, () => 2n);
    assert(!features.has("avx") && !features.has("xsave") && features.has("sse42"));
  });

  it("reads no leaf that the CPU has not, where it would give another's numbers", () => {
    const old: Cpuid = (leaf) =>
      leaf === 0 ? [1, 0, 0, 0] : leaf === 0x80000000 ? [-1, -1, -1, -1] : [-1, -1, -1, -1];
    const features = featuresOf(
      (leaf, subleaf) => leaf === 0x80000000 ? [0, 0, 0, 0] : old(leaf, subleaf),
      () => 0xe7,
      () => 2n,
    );
    assert(
      features.has("fma") && !features.has("avx2") && !features.has("lzcnt") && !features.has("avxvnni"),
    );
    assertEquals(cachesOf(fake({ "0.0": { eax: 2 }, "4.0": everything })), []);
    assertEquals(brandOf(fake({ "80000000.0": { eax: 0 }, "80000002.0": everything })), "");
    assertEquals(threadsPerCoreOf(fake({ "0.0": { eax: 10 }, "b.0": { ebx: 2, ecx: 0x100 } })), 1);
  });

  it("reads an Intel's names, caches and threads", () => {
    const xeon = fake({
      "0.0": { eax: 0x20, ebx: 0x756e6547, edx: 0x49656e69, ecx: 0x6c65746e },
      "1.0": { eax: 0x806f8, ebx: 0x00800800 },
      "4.0": { eax: 0x7c004121, ebx: 0x02c0003f, ecx: 63 },
      "4.1": { eax: 0x7c004122, ebx: 0x01c0003f, ecx: 63 },
      "4.2": { eax: 0x7c004143, ebx: 0x03c0003f, ecx: 2047 },
      "4.3": { eax: 0x7c0fc163, ebx: 0x0380003f, ecx: 114687 },
      "b.0": { eax: 1, ebx: 2, ecx: 0x100 },
      "80000000.0": { eax: 0x80000008 | 0 },
      "80000002.0": { eax: 0x65746e49, ebx: 0x2952286c, ecx: 0x6f655820, edx: 0x2952286e },
      "80000003.0": { eax: 0x616c5020 },
    });
    assertEquals(vendorOf(xeon), "GenuineIntel");
    assertEquals(brandOf(xeon), "Intel(R) Xeon(R) Pla");
    assertEquals(modelOf(xeon), { family: 6, model: 143, stepping: 8 });
    assertEquals([lineOf(xeon), threadsPerCoreOf(xeon)], [64, 2]);
    assertEquals(cachesOf(xeon), [
      { level: 1, type: "data", size: 48 << 10, line: 64, ways: 12, sharedBy: 2 },
      { level: 1, type: "instruction", size: 32 << 10, line: 64, ways: 8, sharedBy: 2 },
      { level: 2, type: "unified", size: 2 << 20, line: 64, ways: 16, sharedBy: 2 },
      { level: 3, type: "unified", size: 105 << 20, line: 64, ways: 15, sharedBy: 64 },
    ]);
  });

  it("reads an AMD's family and caches, which are at another leaf", () => {
    const zen = fake({
      "0.0": { eax: 0x10 },
      "1.0": { eax: 0xa20f12 },
      "80000000.0": { eax: 0x80000020 | 0 },
      "8000001d.0": { eax: 0x121, ebx: 0x01c0003f, ecx: 63 },
    });
    assertEquals(modelOf(zen), { family: 0x19, model: 0x21, stepping: 2 });
    assertEquals(cachesOf(zen), [{ level: 1, type: "data", size: 32 << 10, line: 64, ways: 8, sharedBy: 1 }]);
  });
});
