import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import {
  Assembler,
  cpu,
  dword,
  eax,
  k1,
  load,
  ptr,
  r8,
  rax,
  rdi,
  rsp,
  symbol,
  xmm,
  zmm,
} from "../../lib/jit/mod.ts";
import { skipping } from "../skip.ts";

describe("assembled code", () => {
  it("calls a library by way of its slot", () => {
    const a = new Assembler();
    a.sub(rsp, 8);
    a.call(symbol("strlen"));
    a.add(rsp, 8);
    a.ret();
    using kernels = load({
      length: { signature: { parameters: ["buffer"], result: "u64" }, code: a.finish() },
    });
    assertEquals(kernels.symbols.length(new TextEncoder().encode("oxbow\0")), 5n);
  });

  it("jumps by a table of distances", () => {
    const a = new Assembler();
    const table = a.label();
    const cases = [a.label(), a.label(), a.label()];
    a.lea(r8, ptr(table));
    a.movsxd(rax, dword(r8, rdi.times(4)));
    a.add(rax, r8);
    a.jmp(rax);
    cases.forEach((label, i) => {
      a.align(16);
      a.bind(label);
      a.mov(eax, 100 + i);
      a.ret();
    });
    a.align(4);
    a.bind(table);
    for (const label of cases) a.distance(table, label);
    using kernels = load({ which: { signature: { parameters: ["u64"], result: "i32" }, code: a.finish() } });
    assertEquals([0, 1, 2].map((i) => kernels.symbols.which(i)), [100, 101, 102]);
  });

  it("reads its constants", () => {
    const a = new Assembler();
    a.constant(Uint8Array.of(1), 1);
    const numbers = a.constant(Float64Array.of(1.5, 2.25), 16);
    a.movsd(xmm(0), ptr(numbers));
    a.addsd(xmm(0), ptr(numbers, 8));
    a.ret();
    using kernels = load({ sum: { signature: { parameters: [], result: "f64" }, code: a.finish() } });
    assertEquals(kernels.symbols.sum(), 3.75);
  });

  const skip = skipping(!cpu().features.has("avx512f") && "this CPU has no AVX-512");
  it("has masks and high registers where the CPU has AVX-512", { skip }, () => {
    const a = new Assembler();
    const numbers = a.constant(Float32Array.from({ length: 16 }, (_, i) => i));
    a.mov(eax, 0xff);
    a.kmovw(k1, eax);
    a.vmovups(zmm(17).z(k1), ptr(rdi));
    a.vaddps(zmm(17), zmm(17), ptr(numbers));
    a.vmovups(ptr(rdi), zmm(17));
    a.vzeroupper();
    a.ret();
    using kernels = load({
      add: { signature: { parameters: ["buffer"], result: "void" }, code: a.finish() },
    });
    const values = new Float32Array(16).fill(100);
    kernels.symbols.add(values);
    assertEquals([...values], Array.from({ length: 16 }, (_, i) => i < 8 ? 100 + i : i));
  });
});
