/** AVX and AVX-512: arithmetic, logic and comparison of floating point. */
import type { Table } from "../notation.ts";

export const avxArithmetic = {
  vaddps: ["V, V, V/mV | VEX.V.0F.WIG 58 /r | avx", "V{kz}, V, V/mV/b32{er} | EVEX.V.0F.W0 58 /r | avx512f"],
  vaddpd: [
    "V, V, V/mV | VEX.V.66.0F.WIG 58 /r | avx",
    "V{kz}, V, V/mV/b64{er} | EVEX.V.66.0F.W1 58 /r | avx512f",
  ],
  vaddss: [
    "xmm, xmm, xmm/m32 | VEX.LIG.F3.0F.WIG 58 /r | avx",
    "xmm{kz}, xmm, xmm/m32{er} | EVEX.LIG.F3.0F.W0 58 /r | avx512f",
  ],
  vaddsd: [
    "xmm, xmm, xmm/m64 | VEX.LIG.F2.0F.WIG 58 /r | avx",
    "xmm{kz}, xmm, xmm/m64{er} | EVEX.LIG.F2.0F.W1 58 /r | avx512f",
  ],
  vmulps: ["V, V, V/mV | VEX.V.0F.WIG 59 /r | avx", "V{kz}, V, V/mV/b32{er} | EVEX.V.0F.W0 59 /r | avx512f"],
  vmulpd: [
    "V, V, V/mV | VEX.V.66.0F.WIG 59 /r | avx",
    "V{kz}, V, V/mV/b64{er} | EVEX.V.66.0F.W1 59 /r | avx512f",
  ],
  vmulss: [
    "xmm, xmm, xmm/m32 | VEX.LIG.F3.0F.WIG 59 /r | avx",
    "xmm{kz}, xmm, xmm/m32{er} | EVEX.LIG.F3.0F.W0 59 /r | avx512f",
  ],
  vmulsd: [
    "xmm, xmm, xmm/m64 | VEX.LIG.F2.0F.WIG 59 /r | avx",
    "xmm{kz}, xmm, xmm/m64{er} | EVEX.LIG.F2.0F.W1 59 /r | avx512f",
  ],
  vsubps: ["V, V, V/mV | VEX.V.0F.WIG 5C /r | avx", "V{kz}, V, V/mV/b32{er} | EVEX.V.0F.W0 5C /r | avx512f"],
  vsubpd: [
    "V, V, V/mV | VEX.V.66.0F.WIG 5C /r | avx",
    "V{kz}, V, V/mV/b64{er} | EVEX.V.66.0F.W1 5C /r | avx512f",
  ],
  vsubss: [
    "xmm, xmm, xmm/m32 | VEX.LIG.F3.0F.WIG 5C /r | avx",
    "xmm{kz}, xmm, xmm/m32{er} | EVEX.LIG.F3.0F.W0 5C /r | avx512f",
  ],
  vsubsd: [
    "xmm, xmm, xmm/m64 | VEX.LIG.F2.0F.WIG 5C /r | avx",
    "xmm{kz}, xmm, xmm/m64{er} | EVEX.LIG.F2.0F.W1 5C /r | avx512f",
  ],
  vminps: ["V, V, V/mV | VEX.V.0F.WIG 5D /r | avx", "V{kz}, V, V/mV/b32{sae} | EVEX.V.0F.W0 5D /r | avx512f"],
  vminpd: [
    "V, V, V/mV | VEX.V.66.0F.WIG 5D /r | avx",
    "V{kz}, V, V/mV/b64{sae} | EVEX.V.66.0F.W1 5D /r | avx512f",
  ],
  vminss: [
    "xmm, xmm, xmm/m32 | VEX.LIG.F3.0F.WIG 5D /r | avx",
    "xmm{kz}, xmm, xmm/m32{sae} | EVEX.LIG.F3.0F.W0 5D /r | avx512f",
  ],
  vminsd: [
    "xmm, xmm, xmm/m64 | VEX.LIG.F2.0F.WIG 5D /r | avx",
    "xmm{kz}, xmm, xmm/m64{sae} | EVEX.LIG.F2.0F.W1 5D /r | avx512f",
  ],
  vdivps: ["V, V, V/mV | VEX.V.0F.WIG 5E /r | avx", "V{kz}, V, V/mV/b32{er} | EVEX.V.0F.W0 5E /r | avx512f"],
  vdivpd: [
    "V, V, V/mV | VEX.V.66.0F.WIG 5E /r | avx",
    "V{kz}, V, V/mV/b64{er} | EVEX.V.66.0F.W1 5E /r | avx512f",
  ],
  vdivss: [
    "xmm, xmm, xmm/m32 | VEX.LIG.F3.0F.WIG 5E /r | avx",
    "xmm{kz}, xmm, xmm/m32{er} | EVEX.LIG.F3.0F.W0 5E /r | avx512f",
  ],
  vdivsd: [
    "xmm, xmm, xmm/m64 | VEX.LIG.F2.0F.WIG 5E /r | avx",
    "xmm{kz}, xmm, xmm/m64{er} | EVEX.LIG.F2.0F.W1 5E /r | avx512f",
  ],
  vmaxps: ["V, V, V/mV | VEX.V.0F.WIG 5F /r | avx", "V{kz}, V, V/mV/b32{sae} | EVEX.V.0F.W0 5F /r | avx512f"],
  vmaxpd: [
    "V, V, V/mV | VEX.V.66.0F.WIG 5F /r | avx",
    "V{kz}, V, V/mV/b64{sae} | EVEX.V.66.0F.W1 5F /r | avx512f",
  ],
  vmaxss: [
    "xmm, xmm, xmm/m32 | VEX.LIG.F3.0F.WIG 5F /r | avx",
    "xmm{kz}, xmm, xmm/m32{sae} | EVEX.LIG.F3.0F.W0 5F /r | avx512f",
  ],
  vmaxsd: [
    "xmm, xmm, xmm/m64 | VEX.LIG.F2.0F.WIG 5F /r | avx",
    "xmm{kz}, xmm, xmm/m64{sae} | EVEX.LIG.F2.0F.W1 5F /r | avx512f",
  ],
  vsqrtps: ["V, V/mV | VEX.V.0F.WIG 51 /r | avx", "V{kz}, V/mV/b32{er} | EVEX.V.0F.W0 51 /r | avx512f"],
  vsqrtpd: ["V, V/mV | VEX.V.66.0F.WIG 51 /r | avx", "V{kz}, V/mV/b64{er} | EVEX.V.66.0F.W1 51 /r | avx512f"],
  vsqrtss: [
    "xmm, xmm, xmm/m32 | VEX.LIG.F3.0F.WIG 51 /r | avx",
    "xmm{kz}, xmm, xmm/m32{er} | EVEX.LIG.F3.0F.W0 51 /r | avx512f",
  ],
  vsqrtsd: [
    "xmm, xmm, xmm/m64 | VEX.LIG.F2.0F.WIG 51 /r | avx",
    "xmm{kz}, xmm, xmm/m64{er} | EVEX.LIG.F2.0F.W1 51 /r | avx512f",
  ],
  vrcpps: ["V, V/mV | VEX.V.0F.WIG 53 /r | avx"],
  vrcpss: ["xmm, xmm, xmm/m32 | VEX.LIG.F3.0F.WIG 53 /r | avx"],
  vrsqrtps: ["V, V/mV | VEX.V.0F.WIG 52 /r | avx"],
  vrsqrtss: ["xmm, xmm, xmm/m32 | VEX.LIG.F3.0F.WIG 52 /r | avx"],
  vandps: ["V, V, V/mV | VEX.V.0F.WIG 54 /r | avx", "V{kz}, V, V/mV/b32 | EVEX.V.0F.W0 54 /r | avx512dq"],
  vandpd: [
    "V, V, V/mV | VEX.V.66.0F.WIG 54 /r | avx",
    "V{kz}, V, V/mV/b64 | EVEX.V.66.0F.W1 54 /r | avx512dq",
  ],
  vandnps: ["V, V, V/mV | VEX.V.0F.WIG 55 /r | avx", "V{kz}, V, V/mV/b32 | EVEX.V.0F.W0 55 /r | avx512dq"],
  vandnpd: [
    "V, V, V/mV | VEX.V.66.0F.WIG 55 /r | avx",
    "V{kz}, V, V/mV/b64 | EVEX.V.66.0F.W1 55 /r | avx512dq",
  ],
  vorps: ["V, V, V/mV | VEX.V.0F.WIG 56 /r | avx", "V{kz}, V, V/mV/b32 | EVEX.V.0F.W0 56 /r | avx512dq"],
  vorpd: [
    "V, V, V/mV | VEX.V.66.0F.WIG 56 /r | avx",
    "V{kz}, V, V/mV/b64 | EVEX.V.66.0F.W1 56 /r | avx512dq",
  ],
  vxorps: ["V, V, V/mV | VEX.V.0F.WIG 57 /r | avx", "V{kz}, V, V/mV/b32 | EVEX.V.0F.W0 57 /r | avx512dq"],
  vxorpd: [
    "V, V, V/mV | VEX.V.66.0F.WIG 57 /r | avx",
    "V{kz}, V, V/mV/b64 | EVEX.V.66.0F.W1 57 /r | avx512dq",
  ],
  vunpcklps: ["V, V, V/mV | VEX.V.0F.WIG 14 /r | avx", "V{kz}, V, V/mV/b32 | EVEX.V.0F.W0 14 /r | avx512f"],
  vunpcklpd: [
    "V, V, V/mV | VEX.V.66.0F.WIG 14 /r | avx",
    "V{kz}, V, V/mV/b64 | EVEX.V.66.0F.W1 14 /r | avx512f",
  ],
  vunpckhps: ["V, V, V/mV | VEX.V.0F.WIG 15 /r | avx", "V{kz}, V, V/mV/b32 | EVEX.V.0F.W0 15 /r | avx512f"],
  vunpckhpd: [
    "V, V, V/mV | VEX.V.66.0F.WIG 15 /r | avx",
    "V{kz}, V, V/mV/b64 | EVEX.V.66.0F.W1 15 /r | avx512f",
  ],
  vshufps: [
    "V, V, V/mV, imm8 | VEX.V.0F.WIG C6 /r ib | avx",
    "V{kz}, V, V/mV/b32, imm8 | EVEX.V.0F.W0 C6 /r ib | avx512f",
  ],
  vcmpps: [
    "V, V, V/mV, imm8 | VEX.V.0F.WIG C2 /r ib | avx",
    "k{k}, V, V/mV/b32{sae}, imm8 | EVEX.V.0F.W0 C2 /r ib | avx512f",
  ],
  vshufpd: [
    "V, V, V/mV, imm8 | VEX.V.66.0F.WIG C6 /r ib | avx",
    "V{kz}, V, V/mV/b64, imm8 | EVEX.V.66.0F.W1 C6 /r ib | avx512f",
  ],
  vcmppd: [
    "V, V, V/mV, imm8 | VEX.V.66.0F.WIG C2 /r ib | avx",
    "k{k}, V, V/mV/b64{sae}, imm8 | EVEX.V.66.0F.W1 C2 /r ib | avx512f",
  ],
  vcmpss: [
    "xmm, xmm, xmm/m32, imm8 | VEX.LIG.F3.0F.WIG C2 /r ib | avx",
    "k{k}, xmm, xmm/m32{sae}, imm8 | EVEX.LIG.F3.0F.W0 C2 /r ib | avx512f",
  ],
  vcmpsd: [
    "xmm, xmm, xmm/m64, imm8 | VEX.LIG.F2.0F.WIG C2 /r ib | avx",
    "k{k}, xmm, xmm/m64{sae}, imm8 | EVEX.LIG.F2.0F.W1 C2 /r ib | avx512f",
  ],
  vcomiss: [
    "xmm, xmm/m32 | VEX.LIG.0F.WIG 2F /r | avx",
    "xmm, xmm/m32{sae} | EVEX.LIG.0F.W0 2F /r | avx512f",
  ],
  vucomiss: [
    "xmm, xmm/m32 | VEX.LIG.0F.WIG 2E /r | avx",
    "xmm, xmm/m32{sae} | EVEX.LIG.0F.W0 2E /r | avx512f",
  ],
  vcomisd: [
    "xmm, xmm/m64 | VEX.LIG.66.0F.WIG 2F /r | avx",
    "xmm, xmm/m64{sae} | EVEX.LIG.66.0F.W1 2F /r | avx512f",
  ],
  vucomisd: [
    "xmm, xmm/m64 | VEX.LIG.66.0F.WIG 2E /r | avx",
    "xmm, xmm/m64{sae} | EVEX.LIG.66.0F.W1 2E /r | avx512f",
  ],
  vhaddps: ["V, V, V/mV | VEX.V.F2.0F.WIG 7C /r | avx"],
  vhaddpd: ["V, V, V/mV | VEX.V.66.0F.WIG 7C /r | avx"],
  vhsubps: ["V, V, V/mV | VEX.V.F2.0F.WIG 7D /r | avx"],
  vhsubpd: ["V, V, V/mV | VEX.V.66.0F.WIG 7D /r | avx"],
  vaddsubps: ["V, V, V/mV | VEX.V.F2.0F.WIG D0 /r | avx"],
  vaddsubpd: ["V, V, V/mV | VEX.V.66.0F.WIG D0 /r | avx"],
  vroundps: ["V, V/mV, imm8 | VEX.V.66.0F3A.WIG 08 /r ib | avx"],
  vroundpd: ["V, V/mV, imm8 | VEX.V.66.0F3A.WIG 09 /r ib | avx"],
  vroundss: ["xmm, xmm, xmm/m32, imm8 | VEX.LIG.66.0F3A.WIG 0A /r ib | avx"],
  vroundsd: ["xmm, xmm, xmm/m64, imm8 | VEX.LIG.66.0F3A.WIG 0B /r ib | avx"],
  vblendps: ["V, V, V/mV, imm8 | VEX.V.66.0F3A.WIG 0C /r ib | avx"],
  vblendpd: ["V, V, V/mV, imm8 | VEX.V.66.0F3A.WIG 0D /r ib | avx"],
  vblendvps: ["V, V, V/mV, V | VEX.V.66.0F3A.W0 4A /r /is4 | avx"],
  vblendvpd: ["V, V, V/mV, V | VEX.V.66.0F3A.W0 4B /r /is4 | avx"],
  vdpps: ["V, V, V/mV, imm8 | VEX.V.66.0F3A.WIG 40 /r ib | avx"],
  vdppd: ["xmm, xmm, xmm/m128, imm8 | VEX.128.66.0F3A.WIG 41 /r ib | avx"],
  vtestps: ["V, V/mV | VEX.V.66.0F38.W0 0E /r | avx"],
  vtestpd: ["V, V/mV | VEX.V.66.0F38.W0 0F /r | avx"],
} as const satisfies Table;
