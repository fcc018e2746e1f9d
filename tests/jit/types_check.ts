/**
 * What the compiler must take and what it must refuse: each `@ts-expect-error` is itself an error where the
 * line below it compiles. Checked by `deno check` and `tsc`, never run.
 */
import {
  al,
  Assembler,
  broadcast,
  byte,
  cl,
  dl,
  dword,
  eax,
  k1,
  k2,
  type Memory,
  ptr,
  qword,
  rax,
  rcx,
  rnSae,
  sae,
  symbol,
  vex,
  xmm,
  xmmword,
  ymm,
  zmm,
  zmmword,
} from "../../lib/jit/mod.ts";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false;

function expectType<A>(): { is<B>(same: Same<A, B>): void } {
  return { is() {} };
}

const a = new Assembler();
const label = a.label();
const constant = a.constant(new Float32Array(16));

// The operands' kinds, in number and order
a.add(rax, rcx);
a.add(rax, ptr(rcx));
a.add(rax, 1);
a.add(rax, 1n);
a.add(eax, eax);
// @ts-expect-error: of two sizes
a.add(rax, eax);
// @ts-expect-error: memory to memory
a.add(ptr(rax), ptr(rcx));
// @ts-expect-error: no vector
a.add(rax, xmm(0));
// @ts-expect-error: too few
a.add(rax);
// @ts-expect-error: too many
a.add(rax, rcx, rax);
// @ts-expect-error: takes nothing
a.syscall(rax);
// @ts-expect-error: no such mnemonic
a.addss2(xmm(0), xmm(1));
// @ts-expect-error: text is no operand
a.add("rax", 1);
// @ts-expect-error: an immediate is no destination
a.add(1, rax);
// @ts-expect-error: neither is anything else
a.vaddps(zmm(0), rax);

// Memory's size
a.add(dword(rax), eax);
// @ts-expect-error: memory of another size
a.add(dword(rax), rcx);
a.movzx(eax, byte(rax));
// @ts-expect-error: memory of another size
a.movzx(eax, dword(rax));
a.vaddps(zmm(0), zmm(1), zmmword(rax));
// @ts-expect-error: memory of another size
a.vaddps(zmm(0), zmm(1), xmmword(rax));

// Registers by name
a.shl(rax, cl);
// @ts-expect-error: a count is in cl
a.shl(rax, dl);
// @ts-expect-error: a count is in cl
a.shl(rax, rcx);
a.test(al, 1);

// Lengths of vectors
a.vaddps(xmm(0), xmm(1), xmm(2));
a.vaddps(ymm(0), ymm(1), ymm(2));
// @ts-expect-error: of two lengths
a.vaddps(zmm(0), ymm(1), zmm(2));
// @ts-expect-error: SSE has 128 bits
a.addps(ymm(0), ymm(1));
// @ts-expect-error: no VEX at 512 bits
a.vhaddps(zmm(0), zmm(1), zmm(2));
a.vcvtps2pd(zmm(0), ymm(1));
// @ts-expect-error: the source is half as long
a.vcvtps2pd(zmm(0), zmm(1));
a.vpermd(ymm(0), ymm(1), ymm(2));
// @ts-expect-error: not at 128 bits
a.vpermd(xmm(0), xmm(1), xmm(2));

// Masks, broadcasts, rounding
a.vaddps(zmm(0).k(k1), zmm(1), zmm(2));
a.vaddps(zmm(0).z(k1), zmm(1), broadcast(rax));
a.vcmpps(k1.k(k2), zmm(1), zmm(2), 0);
a.vmovups(ptr(rax).k(k1), zmm(1));
// @ts-expect-error: a source is under no mask
a.vaddps(zmm(0), zmm(1).k(k1), zmm(2));
// @ts-expect-error: a comparison cannot zero
k1.z(k2);
// @ts-expect-error: memory cannot be zeroed
ptr(rax).z(k1);
// @ts-expect-error: a register masks no more than once
zmm(0).k(k1).k(k2);
// @ts-expect-error: AVX has no masks
a.vhaddps(ymm(0).k(k1), ymm(1), ymm(2));
// @ts-expect-error: bytes are not broadcast
a.vpaddb(zmm(0), zmm(1), broadcast(rax));
a.vaddpd(zmm(0), zmm(1), broadcast(rax).to(8));
// @ts-expect-error: 512 bits hold 8 doubles
a.vaddpd(zmm(0), zmm(1), broadcast(rax).to(16));
a.vaddps(zmm(0), zmm(1), broadcast(rax).to(16));
// @ts-expect-error: 512 bits hold 16 floats
a.vaddps(zmm(0), zmm(1), broadcast(rax).fs().to(8));
a.vcvtps2pd(zmm(0), broadcast(rax).to(8));
// @ts-expect-error: half of 512 bits holds 8 floats
a.vcvtps2pd(zmm(0), broadcast(rax).to(16));
a.vcvtpd2ps(xmm(0), broadcast(rax).to(2));
a.vcvtpd2ps(xmm(0), broadcast(rax).to(4));
// @ts-expect-error: 256 bits hold 4 doubles
a.vcvtpd2ps(xmm(0), broadcast(rax).to(8));
// @ts-expect-error: lanes are said once
broadcast(rax).to(4).to(4);
a.vaddps(zmm(0), zmm(1), zmm(2), rnSae);
a.vmaxps(zmm(0), zmm(1), zmm(2), sae);
// @ts-expect-error: 256 bits do not round
a.vaddps(ymm(0), ymm(1), ymm(2), rnSae);
// @ts-expect-error: memory does not round
a.vaddps(zmm(0), zmm(1), ptr(rax), rnSae);
// @ts-expect-error: a maximum does not round
a.vmaxps(zmm(0), zmm(1), zmm(2), rnSae);
a.vcmpps(k1, zmm(1), zmm(2), sae, 0);

// Gathers
a.vpgatherdd(zmm(0).k(k1), ptr(rax, zmm(1).times(4)));
a.vpgatherdd(ymm(0), ptr(rax, ymm(1).times(4)), ymm(2));
// @ts-expect-error: only under a mask
a.vpgatherdd(zmm(0), ptr(rax, zmm(1).times(4)));
// @ts-expect-error: the index is as long
a.vpgatherdd(zmm(0).k(k1), ptr(rax, ymm(1).times(4)));
// @ts-expect-error: no vector is an index elsewhere
a.vaddps(zmm(0), zmm(1), ptr(rax, zmm(1).times(4)));

// Encodings by their word
a.vpdpbusd(ymm(0), ymm(1), ymm(2), vex);
// @ts-expect-error: no VEX at 512 bits
a.vpdpbusd(zmm(0), zmm(1), zmm(2), vex);
// @ts-expect-error: VEX where nothing is said
a.vaddps(ymm(0), ymm(1), ymm(2), vex);

// Places
a.jnz(label);
a.call(symbol("memcpy"));
a.call(rax);
a.call(qword(rax));
a.vmovups(zmm(0), ptr(constant, 4));
// @ts-expect-error: a jump goes to a label
a.jnz(rax);
// @ts-expect-error: a jump on a condition reads no slot
a.jnz(symbol("memcpy"));
// @ts-expect-error: a constant is at an address
a.vmovups(zmm(0), constant);

expectType<ReturnType<typeof a.add>>().is<void>(true);
expectType<Parameters<typeof a.syscall>>().is<[]>(true);
const scattered = ptr(rax, ymm(1).times(8));
expectType<typeof scattered>().is<Memory<"vmy", "none">>(true);
const here = ptr(rax, rcx.times(8), 8);
expectType<typeof here>().is<Memory<"m", "none">>(true);
