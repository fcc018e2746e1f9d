/** AVX2 and AVX-512: comparison of integers. */
import type { Table } from "../notation.ts";

export const avxCompare = {
  vpcmpeqb: [
    "V, V, V/mV | VEX.V.66.0F.WIG 74 /r | avx,avx2",
    "k{k}, V, V/mV | EVEX.V.66.0F.WIG 74 /r | avx512bw",
  ],
  vpcmpeqw: [
    "V, V, V/mV | VEX.V.66.0F.WIG 75 /r | avx,avx2",
    "k{k}, V, V/mV | EVEX.V.66.0F.WIG 75 /r | avx512bw",
  ],
  vpcmpeqd: [
    "V, V, V/mV | VEX.V.66.0F.WIG 76 /r | avx,avx2",
    "k{k}, V, V/mV/b32 | EVEX.V.66.0F.W0 76 /r | avx512f",
  ],
  vpcmpgtb: [
    "V, V, V/mV | VEX.V.66.0F.WIG 64 /r | avx,avx2",
    "k{k}, V, V/mV | EVEX.V.66.0F.WIG 64 /r | avx512bw",
  ],
  vpcmpgtw: [
    "V, V, V/mV | VEX.V.66.0F.WIG 65 /r | avx,avx2",
    "k{k}, V, V/mV | EVEX.V.66.0F.WIG 65 /r | avx512bw",
  ],
  vpcmpgtd: [
    "V, V, V/mV | VEX.V.66.0F.WIG 66 /r | avx,avx2",
    "k{k}, V, V/mV/b32 | EVEX.V.66.0F.W0 66 /r | avx512f",
  ],
  vpcmpeqq: [
    "V, V, V/mV | VEX.V.66.0F38.WIG 29 /r | avx,avx2",
    "k{k}, V, V/mV/b64 | EVEX.V.66.0F38.W1 29 /r | avx512f",
  ],
  vpcmpgtq: [
    "V, V, V/mV | VEX.V.66.0F38.WIG 37 /r | avx,avx2",
    "k{k}, V, V/mV/b64 | EVEX.V.66.0F38.W1 37 /r | avx512f",
  ],
  vpcmpb: ["k{k}, V, V/mV, imm8 | EVEX.V.66.0F3A.W0 3F /r ib | avx512bw"],
  vpcmpub: ["k{k}, V, V/mV, imm8 | EVEX.V.66.0F3A.W0 3E /r ib | avx512bw"],
  vpcmpw: ["k{k}, V, V/mV, imm8 | EVEX.V.66.0F3A.W1 3F /r ib | avx512bw"],
  vpcmpuw: ["k{k}, V, V/mV, imm8 | EVEX.V.66.0F3A.W1 3E /r ib | avx512bw"],
  vpcmpd: ["k{k}, V, V/mV/b32, imm8 | EVEX.V.66.0F3A.W0 1F /r ib | avx512f"],
  vpcmpud: ["k{k}, V, V/mV/b32, imm8 | EVEX.V.66.0F3A.W0 1E /r ib | avx512f"],
  vpcmpq: ["k{k}, V, V/mV/b64, imm8 | EVEX.V.66.0F3A.W1 1F /r ib | avx512f"],
  vpcmpuq: ["k{k}, V, V/mV/b64, imm8 | EVEX.V.66.0F3A.W1 1E /r ib | avx512f"],
  vptestmb: ["k{k}, V, V/mV | EVEX.V.66.0F38.W0 26 /r | avx512bw"],
  vptestnmb: ["k{k}, V, V/mV | EVEX.V.F3.0F38.W0 26 /r | avx512bw"],
  vptestmw: ["k{k}, V, V/mV | EVEX.V.66.0F38.W1 26 /r | avx512bw"],
  vptestnmw: ["k{k}, V, V/mV | EVEX.V.F3.0F38.W1 26 /r | avx512bw"],
  vptestmd: ["k{k}, V, V/mV/b32 | EVEX.V.66.0F38.W0 27 /r | avx512f"],
  vptestnmd: ["k{k}, V, V/mV/b32 | EVEX.V.F3.0F38.W0 27 /r | avx512f"],
  vptestmq: ["k{k}, V, V/mV/b64 | EVEX.V.66.0F38.W1 27 /r | avx512f"],
  vptestnmq: ["k{k}, V, V/mV/b64 | EVEX.V.F3.0F38.W1 27 /r | avx512f"],
  vptest: ["V, V/mV | VEX.V.66.0F38.WIG 17 /r | avx"],
} as const satisfies Table;
