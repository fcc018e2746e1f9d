/** AVX2 and AVX-512: inserting, extracting, widening and narrowing. */
import type { Table } from "../notation.ts";

export const avxLanes = {
  vinsertf128: ["ymm, ymm, xmm/m128, imm8 | VEX.256.66.0F3A.W0 18 /r ib | avx"],
  vextractf128: ["xmm/m128, ymm, imm8 | VEX.256.66.0F3A.W0 19 /r ib | avx"],
  vinserti128: ["ymm, ymm, xmm/m128, imm8 | VEX.256.66.0F3A.W0 38 /r ib | avx2"],
  vextracti128: ["xmm/m128, ymm, imm8 | VEX.256.66.0F3A.W0 39 /r ib | avx2"],
  vinsertf32x4: ["V{kz}, V, xmm/m128, imm8 | EVEX.V.66.0F3A.W0 18 /r ib | -,avx512f,avx512f"],
  vextractf32x4: [
    "xmm{kz}, V, imm8 | MR EVEX.V.66.0F3A.W0 19 /r ib | -,avx512f,avx512f",
    "m128{k}, V, imm8 | EVEX.V.66.0F3A.W0 19 /r ib | -,avx512f,avx512f",
  ],
  vinsertf64x2: ["V{kz}, V, xmm/m128, imm8 | EVEX.V.66.0F3A.W1 18 /r ib | -,avx512dq,avx512dq"],
  vextractf64x2: [
    "xmm{kz}, V, imm8 | MR EVEX.V.66.0F3A.W1 19 /r ib | -,avx512dq,avx512dq",
    "m128{k}, V, imm8 | EVEX.V.66.0F3A.W1 19 /r ib | -,avx512dq,avx512dq",
  ],
  vinsertf32x8: ["zmm{kz}, zmm, ymm/m256, imm8 | EVEX.512.66.0F3A.W0 1A /r ib | avx512dq"],
  vextractf32x8: [
    "ymm{kz}, zmm, imm8 | MR EVEX.512.66.0F3A.W0 1B /r ib | avx512dq",
    "m256{k}, zmm, imm8 | EVEX.512.66.0F3A.W0 1B /r ib | avx512dq",
  ],
  vinsertf64x4: ["zmm{kz}, zmm, ymm/m256, imm8 | EVEX.512.66.0F3A.W1 1A /r ib | avx512f"],
  vextractf64x4: [
    "ymm{kz}, zmm, imm8 | MR EVEX.512.66.0F3A.W1 1B /r ib | avx512f",
    "m256{k}, zmm, imm8 | EVEX.512.66.0F3A.W1 1B /r ib | avx512f",
  ],
  vinserti32x4: ["V{kz}, V, xmm/m128, imm8 | EVEX.V.66.0F3A.W0 38 /r ib | -,avx512f,avx512f"],
  vextracti32x4: [
    "xmm{kz}, V, imm8 | MR EVEX.V.66.0F3A.W0 39 /r ib | -,avx512f,avx512f",
    "m128{k}, V, imm8 | EVEX.V.66.0F3A.W0 39 /r ib | -,avx512f,avx512f",
  ],
  vinserti64x2: ["V{kz}, V, xmm/m128, imm8 | EVEX.V.66.0F3A.W1 38 /r ib | -,avx512dq,avx512dq"],
  vextracti64x2: [
    "xmm{kz}, V, imm8 | MR EVEX.V.66.0F3A.W1 39 /r ib | -,avx512dq,avx512dq",
    "m128{k}, V, imm8 | EVEX.V.66.0F3A.W1 39 /r ib | -,avx512dq,avx512dq",
  ],
  vinserti32x8: ["zmm{kz}, zmm, ymm/m256, imm8 | EVEX.512.66.0F3A.W0 3A /r ib | avx512dq"],
  vextracti32x8: [
    "ymm{kz}, zmm, imm8 | MR EVEX.512.66.0F3A.W0 3B /r ib | avx512dq",
    "m256{k}, zmm, imm8 | EVEX.512.66.0F3A.W0 3B /r ib | avx512dq",
  ],
  vinserti64x4: ["zmm{kz}, zmm, ymm/m256, imm8 | EVEX.512.66.0F3A.W1 3A /r ib | avx512f"],
  vextracti64x4: [
    "ymm{kz}, zmm, imm8 | MR EVEX.512.66.0F3A.W1 3B /r ib | avx512f",
    "m256{k}, zmm, imm8 | EVEX.512.66.0F3A.W1 3B /r ib | avx512f",
  ],
  vinsertps: [
    "xmm, xmm, xmm/m32, imm8 | VEX.128.66.0F3A.WIG 21 /r ib | avx",
    "xmm, xmm, xmm/m32, imm8 | EVEX.LIG.66.0F3A.W0 21 /r ib | avx512f",
  ],
  vextractps: [
    "r32/m32, xmm, imm8 | VEX.128.66.0F3A.WIG 17 /r ib | avx",
    "r32/m32, xmm, imm8 | EVEX.LIG.66.0F3A.WIG 17 /r ib | avx512f",
  ],
  vpextrb: [
    "r32/m8, xmm, imm8 | VEX.128.66.0F3A.W0 14 /r ib | avx",
    "r32/m8, xmm, imm8 | EVEX.LIG.66.0F3A.WIG 14 /r ib | avx512bw",
  ],
  vpextrw: [
    "r32, xmm, imm8 | VEX.128.66.0F.W0 C5 /r ib | avx",
    "m16, xmm, imm8 | VEX.128.66.0F3A.W0 15 /r ib | avx",
    "r32, xmm, imm8 | EVEX.LIG.66.0F.WIG C5 /r ib | avx512bw",
    "m16, xmm, imm8 | EVEX.LIG.66.0F3A.WIG 15 /r ib | avx512bw",
  ],
  vpextrd: [
    "r32/m32, xmm, imm8 | VEX.128.66.0F3A.W0 16 /r ib | avx",
    "r32/m32, xmm, imm8 | EVEX.LIG.66.0F3A.W0 16 /r ib | avx512dq",
  ],
  vpextrq: [
    "r64/m64, xmm, imm8 | VEX.128.66.0F3A.W1 16 /r ib | avx",
    "r64/m64, xmm, imm8 | EVEX.LIG.66.0F3A.W1 16 /r ib | avx512dq",
  ],
  vpinsrb: [
    "xmm, xmm, r32/m8, imm8 | VEX.128.66.0F3A.W0 20 /r ib | avx",
    "xmm, xmm, r32/m8, imm8 | EVEX.LIG.66.0F3A.WIG 20 /r ib | avx512bw",
  ],
  vpinsrw: [
    "xmm, xmm, r32/m16, imm8 | VEX.128.66.0F.W0 C4 /r ib | avx",
    "xmm, xmm, r32/m16, imm8 | EVEX.LIG.66.0F.WIG C4 /r ib | avx512bw",
  ],
  vpinsrd: [
    "xmm, xmm, r32/m32, imm8 | VEX.128.66.0F3A.W0 22 /r ib | avx",
    "xmm, xmm, r32/m32, imm8 | EVEX.LIG.66.0F3A.W0 22 /r ib | avx512dq",
  ],
  vpinsrq: [
    "xmm, xmm, r64/m64, imm8 | VEX.128.66.0F3A.W1 22 /r ib | avx",
    "xmm, xmm, r64/m64, imm8 | EVEX.LIG.66.0F3A.W1 22 /r ib | avx512dq",
  ],
  vpmovsxbw: [
    "V, H/mH | VEX.V.66.0F38.WIG 20 /r | avx,avx2",
    "V{kz}, H/mH | EVEX.V.66.0F38.WIG 20 /r | avx512bw",
  ],
  vpmovsxbd: [
    "V, Q/mQ | VEX.V.66.0F38.WIG 21 /r | avx,avx2",
    "V{kz}, Q/mQ | EVEX.V.66.0F38.WIG 21 /r | avx512f",
  ],
  vpmovsxbq: [
    "V, E/mE | VEX.V.66.0F38.WIG 22 /r | avx,avx2",
    "V{kz}, E/mE | EVEX.V.66.0F38.WIG 22 /r | avx512f",
  ],
  vpmovsxwd: [
    "V, H/mH | VEX.V.66.0F38.WIG 23 /r | avx,avx2",
    "V{kz}, H/mH | EVEX.V.66.0F38.WIG 23 /r | avx512f",
  ],
  vpmovsxwq: [
    "V, Q/mQ | VEX.V.66.0F38.WIG 24 /r | avx,avx2",
    "V{kz}, Q/mQ | EVEX.V.66.0F38.WIG 24 /r | avx512f",
  ],
  vpmovsxdq: [
    "V, H/mH | VEX.V.66.0F38.WIG 25 /r | avx,avx2",
    "V{kz}, H/mH | EVEX.V.66.0F38.W0 25 /r | avx512f",
  ],
  vpmovzxbw: [
    "V, H/mH | VEX.V.66.0F38.WIG 30 /r | avx,avx2",
    "V{kz}, H/mH | EVEX.V.66.0F38.WIG 30 /r | avx512bw",
  ],
  vpmovzxbd: [
    "V, Q/mQ | VEX.V.66.0F38.WIG 31 /r | avx,avx2",
    "V{kz}, Q/mQ | EVEX.V.66.0F38.WIG 31 /r | avx512f",
  ],
  vpmovzxbq: [
    "V, E/mE | VEX.V.66.0F38.WIG 32 /r | avx,avx2",
    "V{kz}, E/mE | EVEX.V.66.0F38.WIG 32 /r | avx512f",
  ],
  vpmovzxwd: [
    "V, H/mH | VEX.V.66.0F38.WIG 33 /r | avx,avx2",
    "V{kz}, H/mH | EVEX.V.66.0F38.WIG 33 /r | avx512f",
  ],
  vpmovzxwq: [
    "V, Q/mQ | VEX.V.66.0F38.WIG 34 /r | avx,avx2",
    "V{kz}, Q/mQ | EVEX.V.66.0F38.WIG 34 /r | avx512f",
  ],
  vpmovzxdq: [
    "V, H/mH | VEX.V.66.0F38.WIG 35 /r | avx,avx2",
    "V{kz}, H/mH | EVEX.V.66.0F38.W0 35 /r | avx512f",
  ],
  vpmovwb: [
    "H{kz}, V | MR EVEX.V.F3.0F38.W0 30 /r | avx512bw",
    "mH{k}, V | EVEX.V.F3.0F38.W0 30 /r | avx512bw",
  ],
  vpmovswb: [
    "H{kz}, V | MR EVEX.V.F3.0F38.W0 20 /r | avx512bw",
    "mH{k}, V | EVEX.V.F3.0F38.W0 20 /r | avx512bw",
  ],
  vpmovuswb: [
    "H{kz}, V | MR EVEX.V.F3.0F38.W0 10 /r | avx512bw",
    "mH{k}, V | EVEX.V.F3.0F38.W0 10 /r | avx512bw",
  ],
  vpmovdb: [
    "Q{kz}, V | MR EVEX.V.F3.0F38.W0 31 /r | avx512f",
    "mQ{k}, V | EVEX.V.F3.0F38.W0 31 /r | avx512f",
  ],
  vpmovsdb: [
    "Q{kz}, V | MR EVEX.V.F3.0F38.W0 21 /r | avx512f",
    "mQ{k}, V | EVEX.V.F3.0F38.W0 21 /r | avx512f",
  ],
  vpmovusdb: [
    "Q{kz}, V | MR EVEX.V.F3.0F38.W0 11 /r | avx512f",
    "mQ{k}, V | EVEX.V.F3.0F38.W0 11 /r | avx512f",
  ],
  vpmovqb: [
    "E{kz}, V | MR EVEX.V.F3.0F38.W0 32 /r | avx512f",
    "mE{k}, V | EVEX.V.F3.0F38.W0 32 /r | avx512f",
  ],
  vpmovsqb: [
    "E{kz}, V | MR EVEX.V.F3.0F38.W0 22 /r | avx512f",
    "mE{k}, V | EVEX.V.F3.0F38.W0 22 /r | avx512f",
  ],
  vpmovusqb: [
    "E{kz}, V | MR EVEX.V.F3.0F38.W0 12 /r | avx512f",
    "mE{k}, V | EVEX.V.F3.0F38.W0 12 /r | avx512f",
  ],
  vpmovdw: [
    "H{kz}, V | MR EVEX.V.F3.0F38.W0 33 /r | avx512f",
    "mH{k}, V | EVEX.V.F3.0F38.W0 33 /r | avx512f",
  ],
  vpmovsdw: [
    "H{kz}, V | MR EVEX.V.F3.0F38.W0 23 /r | avx512f",
    "mH{k}, V | EVEX.V.F3.0F38.W0 23 /r | avx512f",
  ],
  vpmovusdw: [
    "H{kz}, V | MR EVEX.V.F3.0F38.W0 13 /r | avx512f",
    "mH{k}, V | EVEX.V.F3.0F38.W0 13 /r | avx512f",
  ],
  vpmovqw: [
    "Q{kz}, V | MR EVEX.V.F3.0F38.W0 34 /r | avx512f",
    "mQ{k}, V | EVEX.V.F3.0F38.W0 34 /r | avx512f",
  ],
  vpmovsqw: [
    "Q{kz}, V | MR EVEX.V.F3.0F38.W0 24 /r | avx512f",
    "mQ{k}, V | EVEX.V.F3.0F38.W0 24 /r | avx512f",
  ],
  vpmovusqw: [
    "Q{kz}, V | MR EVEX.V.F3.0F38.W0 14 /r | avx512f",
    "mQ{k}, V | EVEX.V.F3.0F38.W0 14 /r | avx512f",
  ],
  vpmovqd: [
    "H{kz}, V | MR EVEX.V.F3.0F38.W0 35 /r | avx512f",
    "mH{k}, V | EVEX.V.F3.0F38.W0 35 /r | avx512f",
  ],
  vpmovsqd: [
    "H{kz}, V | MR EVEX.V.F3.0F38.W0 25 /r | avx512f",
    "mH{k}, V | EVEX.V.F3.0F38.W0 25 /r | avx512f",
  ],
  vpmovusqd: [
    "H{kz}, V | MR EVEX.V.F3.0F38.W0 15 /r | avx512f",
    "mH{k}, V | EVEX.V.F3.0F38.W0 15 /r | avx512f",
  ],
} as const satisfies Table;
