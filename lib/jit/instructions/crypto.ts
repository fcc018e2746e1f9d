/** AES, carry-less products, SHA and Galois fields. */
import type { Table } from "../notation.ts";

export const crypto = {
  aesimc: ["xmm, xmm/m128 | 66 0F 38 DB /r | aes"],
  vaesimc: ["xmm, xmm/m128 | VEX.128.66.0F38.WIG DB /r | aes+avx"],
  aesenc: ["xmm, xmm/m128 | 66 0F 38 DC /r | aes"],
  vaesenc: [
    "xmm, xmm, xmm/m128 | VEX.128.66.0F38.WIG DC /r | aes+avx",
    "ymm, ymm, ymm/m256 | VEX.256.66.0F38.WIG DC /r | vaes",
    "V, V, V/mV | EVEX.V.66.0F38.WIG DC /r | vaes+avx512f",
  ],
  aesenclast: ["xmm, xmm/m128 | 66 0F 38 DD /r | aes"],
  vaesenclast: [
    "xmm, xmm, xmm/m128 | VEX.128.66.0F38.WIG DD /r | aes+avx",
    "ymm, ymm, ymm/m256 | VEX.256.66.0F38.WIG DD /r | vaes",
    "V, V, V/mV | EVEX.V.66.0F38.WIG DD /r | vaes+avx512f",
  ],
  aesdec: ["xmm, xmm/m128 | 66 0F 38 DE /r | aes"],
  vaesdec: [
    "xmm, xmm, xmm/m128 | VEX.128.66.0F38.WIG DE /r | aes+avx",
    "ymm, ymm, ymm/m256 | VEX.256.66.0F38.WIG DE /r | vaes",
    "V, V, V/mV | EVEX.V.66.0F38.WIG DE /r | vaes+avx512f",
  ],
  aesdeclast: ["xmm, xmm/m128 | 66 0F 38 DF /r | aes"],
  vaesdeclast: [
    "xmm, xmm, xmm/m128 | VEX.128.66.0F38.WIG DF /r | aes+avx",
    "ymm, ymm, ymm/m256 | VEX.256.66.0F38.WIG DF /r | vaes",
    "V, V, V/mV | EVEX.V.66.0F38.WIG DF /r | vaes+avx512f",
  ],
  aeskeygenassist: ["xmm, xmm/m128, imm8 | 66 0F 3A DF /r ib | aes"],
  vaeskeygenassist: ["xmm, xmm/m128, imm8 | VEX.128.66.0F3A.WIG DF /r ib | aes+avx"],
  pclmulqdq: ["xmm, xmm/m128, imm8 | 66 0F 3A 44 /r ib | pclmul"],
  vpclmulqdq: [
    "xmm, xmm, xmm/m128, imm8 | VEX.128.66.0F3A.WIG 44 /r ib | pclmul+avx",
    "ymm, ymm, ymm/m256, imm8 | VEX.256.66.0F3A.WIG 44 /r ib | vpclmulqdq",
    "V, V, V/mV, imm8 | EVEX.V.66.0F3A.WIG 44 /r ib | vpclmulqdq+avx512f",
  ],
  sha1rnds4: ["xmm, xmm/m128, imm8 | 0F 3A CC /r ib | sha"],
  sha1nexte: ["xmm, xmm/m128 | 0F 38 C8 /r | sha"],
  sha1msg1: ["xmm, xmm/m128 | 0F 38 C9 /r | sha"],
  sha1msg2: ["xmm, xmm/m128 | 0F 38 CA /r | sha"],
  sha256rnds2: ["xmm, xmm/m128, xmm0 | 0F 38 CB /r | sha"],
  sha256msg1: ["xmm, xmm/m128 | 0F 38 CC /r | sha"],
  sha256msg2: ["xmm, xmm/m128 | 0F 38 CD /r | sha"],
  gf2p8mulb: ["xmm, xmm/m128 | 66 0F 38 CF /r | gfni"],
  vgf2p8mulb: [
    "V, V, V/mV | VEX.V.66.0F38.W0 CF /r | gfni+avx",
    "V{kz}, V, V/mV | EVEX.V.66.0F38.W0 CF /r | gfni+avx512f",
  ],
  gf2p8affineqb: ["xmm, xmm/m128, imm8 | 66 0F 3A CE /r ib | gfni"],
  vgf2p8affineqb: [
    "V, V, V/mV, imm8 | VEX.V.66.0F3A.W1 CE /r ib | gfni+avx",
    "V{kz}, V, V/mV/b64, imm8 | EVEX.V.66.0F3A.W1 CE /r ib | gfni+avx512f",
  ],
  gf2p8affineinvqb: ["xmm, xmm/m128, imm8 | 66 0F 3A CF /r ib | gfni"],
  vgf2p8affineinvqb: [
    "V, V, V/mV, imm8 | VEX.V.66.0F3A.W1 CF /r ib | gfni+avx",
    "V{kz}, V, V/mV/b64, imm8 | EVEX.V.66.0F3A.W1 CF /r ib | gfni+avx512f",
  ],
} as const satisfies Table;
