/** AVX, F16C, AVX-512 and bf16: conversions. */
import type { Table } from "../notation.ts";

export const avxConvert = {
  vcvtsi2ss: [
    "xmm, xmm, D/mD | VEX.LIG.F3.0F.WD 2A /r | avx",
    "xmm, xmm, D/mD | EVEX.LIG.F3.0F.WD 2A /r | avx512f",
    "xmm, xmm, D, er | EVEX.LIG.F3.0F.WD 2A /r | avx512f",
  ],
  vcvtusi2ss: [
    "xmm, xmm, D/mD | EVEX.LIG.F3.0F.WD 7B /r | avx512f",
    "xmm, xmm, D, er | EVEX.LIG.F3.0F.WD 7B /r | avx512f",
  ],
  vcvtss2si: [
    "D, xmm/m32 | VEX.LIG.F3.0F.WD 2D /r | avx",
    "D, xmm/m32{er} | EVEX.LIG.F3.0F.WD 2D /r | avx512f",
  ],
  vcvtss2usi: ["D, xmm/m32{er} | EVEX.LIG.F3.0F.WD 79 /r | avx512f"],
  vcvttss2si: [
    "D, xmm/m32 | VEX.LIG.F3.0F.WD 2C /r | avx",
    "D, xmm/m32{sae} | EVEX.LIG.F3.0F.WD 2C /r | avx512f",
  ],
  vcvttss2usi: ["D, xmm/m32{sae} | EVEX.LIG.F3.0F.WD 78 /r | avx512f"],
  vcvtsi2sd: [
    "xmm, xmm, D/mD | VEX.LIG.F2.0F.WD 2A /r | avx",
    "xmm, xmm, D/mD | EVEX.LIG.F2.0F.WD 2A /r | avx512f",
    "xmm, xmm, r64, er | EVEX.LIG.F2.0F.W1 2A /r | avx512f",
  ],
  vcvtusi2sd: [
    "xmm, xmm, D/mD | EVEX.LIG.F2.0F.WD 7B /r | avx512f",
    "xmm, xmm, r64, er | EVEX.LIG.F2.0F.W1 7B /r | avx512f",
  ],
  vcvtsd2si: [
    "D, xmm/m64 | VEX.LIG.F2.0F.WD 2D /r | avx",
    "D, xmm/m64{er} | EVEX.LIG.F2.0F.WD 2D /r | avx512f",
  ],
  vcvtsd2usi: ["D, xmm/m64{er} | EVEX.LIG.F2.0F.WD 79 /r | avx512f"],
  vcvttsd2si: [
    "D, xmm/m64 | VEX.LIG.F2.0F.WD 2C /r | avx",
    "D, xmm/m64{sae} | EVEX.LIG.F2.0F.WD 2C /r | avx512f",
  ],
  vcvttsd2usi: ["D, xmm/m64{sae} | EVEX.LIG.F2.0F.WD 78 /r | avx512f"],
  vcvtss2sd: [
    "xmm, xmm, xmm/m32 | VEX.LIG.F3.0F.WIG 5A /r | avx",
    "xmm{kz}, xmm, xmm/m32{sae} | EVEX.LIG.F3.0F.W0 5A /r | avx512f",
  ],
  vcvtsd2ss: [
    "xmm, xmm, xmm/m64 | VEX.LIG.F2.0F.WIG 5A /r | avx",
    "xmm{kz}, xmm, xmm/m64{er} | EVEX.LIG.F2.0F.W1 5A /r | avx512f",
  ],
  vcvtps2pd: ["V, H/mH | VEX.V.0F.WIG 5A /r | avx", "V{kz}, H/mH/b32{sae} | EVEX.V.0F.W0 5A /r | avx512f"],
  vcvtpd2ps: [
    "H, V/mV | VEX.V.66.0F.WIG 5A /r | avx",
    "H{kz}, V/mV/b64{er} | EVEX.V.66.0F.W1 5A /r | avx512f",
  ],
  vcvtdq2ps: ["V, V/mV | VEX.V.0F.WIG 5B /r | avx", "V{kz}, V/mV/b32{er} | EVEX.V.0F.W0 5B /r | avx512f"],
  vcvtps2dq: [
    "V, V/mV | VEX.V.66.0F.WIG 5B /r | avx",
    "V{kz}, V/mV/b32{er} | EVEX.V.66.0F.W0 5B /r | avx512f",
  ],
  vcvttps2dq: [
    "V, V/mV | VEX.V.F3.0F.WIG 5B /r | avx",
    "V{kz}, V/mV/b32{sae} | EVEX.V.F3.0F.W0 5B /r | avx512f",
  ],
  vcvtdq2pd: ["V, H/mH | VEX.V.F3.0F.WIG E6 /r | avx", "V{kz}, H/mH/b32 | EVEX.V.F3.0F.W0 E6 /r | avx512f"],
  vcvtpd2dq: [
    "H, V/mV | VEX.V.F2.0F.WIG E6 /r | avx",
    "H{kz}, V/mV/b64{er} | EVEX.V.F2.0F.W1 E6 /r | avx512f",
  ],
  vcvttpd2dq: [
    "H, V/mV | VEX.V.66.0F.WIG E6 /r | avx",
    "H{kz}, V/mV/b64{sae} | EVEX.V.66.0F.W1 E6 /r | avx512f",
  ],
  vcvtph2ps: [
    "V, H/mH | VEX.V.66.0F38.W0 13 /r | f16c",
    "V{kz}, H/mH{sae} | EVEX.V.66.0F38.W0 13 /r | avx512f",
  ],
  vcvtps2ph: [
    "H/mH, V, imm8 | VEX.V.66.0F3A.W0 1D /r ib | f16c",
    "H{kz}, V{sae}, imm8 | MR EVEX.V.66.0F3A.W0 1D /r ib | avx512f",
    "mH{k}, V, imm8 | EVEX.V.66.0F3A.W0 1D /r ib | avx512f",
  ],
  vcvtudq2ps: ["V{kz}, V/mV/b32{er} | EVEX.V.F2.0F.W0 7A /r | avx512f"],
  vcvtudq2pd: ["V{kz}, H/mH/b32 | EVEX.V.F3.0F.W0 7A /r | avx512f"],
  vcvtps2udq: ["V{kz}, V/mV/b32{er} | EVEX.V.0F.W0 79 /r | avx512f"],
  vcvtpd2udq: ["H{kz}, V/mV/b64{er} | EVEX.V.0F.W1 79 /r | avx512f"],
  vcvttps2udq: ["V{kz}, V/mV/b32{sae} | EVEX.V.0F.W0 78 /r | avx512f"],
  vcvttpd2udq: ["H{kz}, V/mV/b64{sae} | EVEX.V.0F.W1 78 /r | avx512f"],
  vcvtqq2pd: ["V{kz}, V/mV/b64{er} | EVEX.V.F3.0F.W1 E6 /r | avx512dq"],
  vcvtqq2ps: ["H{kz}, V/mV/b64{er} | EVEX.V.0F.W1 5B /r | avx512dq"],
  vcvtuqq2pd: ["V{kz}, V/mV/b64{er} | EVEX.V.F3.0F.W1 7A /r | avx512dq"],
  vcvtuqq2ps: ["H{kz}, V/mV/b64{er} | EVEX.V.F2.0F.W1 7A /r | avx512dq"],
  vcvtpd2qq: ["V{kz}, V/mV/b64{er} | EVEX.V.66.0F.W1 7B /r | avx512dq"],
  vcvtpd2uqq: ["V{kz}, V/mV/b64{er} | EVEX.V.66.0F.W1 79 /r | avx512dq"],
  vcvttpd2qq: ["V{kz}, V/mV/b64{sae} | EVEX.V.66.0F.W1 7A /r | avx512dq"],
  vcvttpd2uqq: ["V{kz}, V/mV/b64{sae} | EVEX.V.66.0F.W1 78 /r | avx512dq"],
  vcvtps2qq: ["V{kz}, H/mH/b32{er} | EVEX.V.66.0F.W0 7B /r | avx512dq"],
  vcvtps2uqq: ["V{kz}, H/mH/b32{er} | EVEX.V.66.0F.W0 79 /r | avx512dq"],
  vcvttps2qq: ["V{kz}, H/mH/b32{sae} | EVEX.V.66.0F.W0 7A /r | avx512dq"],
  vcvttps2uqq: ["V{kz}, H/mH/b32{sae} | EVEX.V.66.0F.W0 78 /r | avx512dq"],
  vcvtneps2bf16: ["H{kz}, V/mV/b32 | EVEX.V.F3.0F38.W0 72 /r | avx512bf16"],
  vcvtne2ps2bf16: ["V{kz}, V, V/mV/b32 | EVEX.V.F2.0F38.W0 72 /r | avx512bf16"],
} as const satisfies Table;
