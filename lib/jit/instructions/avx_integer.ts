/** AVX2 and AVX-512: arithmetic and logic of integers. */
import type { Table } from "../notation.ts";

export const avxInteger = {
  vpacksswb: [
    "V, V, V/mV | VEX.V.66.0F.WIG 63 /r | avx,avx2",
    "V{kz}, V, V/mV | EVEX.V.66.0F.WIG 63 /r | avx512bw",
  ],
  vpackssdw: [
    "V, V, V/mV | VEX.V.66.0F.WIG 6B /r | avx,avx2",
    "V{kz}, V, V/mV/b32 | EVEX.V.66.0F.W0 6B /r | avx512bw",
  ],
  vpackuswb: [
    "V, V, V/mV | VEX.V.66.0F.WIG 67 /r | avx,avx2",
    "V{kz}, V, V/mV | EVEX.V.66.0F.WIG 67 /r | avx512bw",
  ],
  vpaddb: [
    "V, V, V/mV | VEX.V.66.0F.WIG FC /r | avx,avx2",
    "V{kz}, V, V/mV | EVEX.V.66.0F.WIG FC /r | avx512bw",
  ],
  vpaddw: [
    "V, V, V/mV | VEX.V.66.0F.WIG FD /r | avx,avx2",
    "V{kz}, V, V/mV | EVEX.V.66.0F.WIG FD /r | avx512bw",
  ],
  vpaddd: [
    "V, V, V/mV | VEX.V.66.0F.WIG FE /r | avx,avx2",
    "V{kz}, V, V/mV/b32 | EVEX.V.66.0F.W0 FE /r | avx512f",
  ],
  vpaddq: [
    "V, V, V/mV | VEX.V.66.0F.WIG D4 /r | avx,avx2",
    "V{kz}, V, V/mV/b64 | EVEX.V.66.0F.W1 D4 /r | avx512f",
  ],
  vpaddsb: [
    "V, V, V/mV | VEX.V.66.0F.WIG EC /r | avx,avx2",
    "V{kz}, V, V/mV | EVEX.V.66.0F.WIG EC /r | avx512bw",
  ],
  vpaddsw: [
    "V, V, V/mV | VEX.V.66.0F.WIG ED /r | avx,avx2",
    "V{kz}, V, V/mV | EVEX.V.66.0F.WIG ED /r | avx512bw",
  ],
  vpaddusb: [
    "V, V, V/mV | VEX.V.66.0F.WIG DC /r | avx,avx2",
    "V{kz}, V, V/mV | EVEX.V.66.0F.WIG DC /r | avx512bw",
  ],
  vpaddusw: [
    "V, V, V/mV | VEX.V.66.0F.WIG DD /r | avx,avx2",
    "V{kz}, V, V/mV | EVEX.V.66.0F.WIG DD /r | avx512bw",
  ],
  vpand: ["V, V, V/mV | VEX.V.66.0F.WIG DB /r | avx,avx2"],
  vpandn: ["V, V, V/mV | VEX.V.66.0F.WIG DF /r | avx,avx2"],
  vpor: ["V, V, V/mV | VEX.V.66.0F.WIG EB /r | avx,avx2"],
  vpxor: ["V, V, V/mV | VEX.V.66.0F.WIG EF /r | avx,avx2"],
  vpavgb: [
    "V, V, V/mV | VEX.V.66.0F.WIG E0 /r | avx,avx2",
    "V{kz}, V, V/mV | EVEX.V.66.0F.WIG E0 /r | avx512bw",
  ],
  vpavgw: [
    "V, V, V/mV | VEX.V.66.0F.WIG E3 /r | avx,avx2",
    "V{kz}, V, V/mV | EVEX.V.66.0F.WIG E3 /r | avx512bw",
  ],
  vpmaddwd: [
    "V, V, V/mV | VEX.V.66.0F.WIG F5 /r | avx,avx2",
    "V{kz}, V, V/mV | EVEX.V.66.0F.WIG F5 /r | avx512bw",
  ],
  vpmaxsw: [
    "V, V, V/mV | VEX.V.66.0F.WIG EE /r | avx,avx2",
    "V{kz}, V, V/mV | EVEX.V.66.0F.WIG EE /r | avx512bw",
  ],
  vpmaxub: [
    "V, V, V/mV | VEX.V.66.0F.WIG DE /r | avx,avx2",
    "V{kz}, V, V/mV | EVEX.V.66.0F.WIG DE /r | avx512bw",
  ],
  vpminsw: [
    "V, V, V/mV | VEX.V.66.0F.WIG EA /r | avx,avx2",
    "V{kz}, V, V/mV | EVEX.V.66.0F.WIG EA /r | avx512bw",
  ],
  vpminub: [
    "V, V, V/mV | VEX.V.66.0F.WIG DA /r | avx,avx2",
    "V{kz}, V, V/mV | EVEX.V.66.0F.WIG DA /r | avx512bw",
  ],
  vpmulhuw: [
    "V, V, V/mV | VEX.V.66.0F.WIG E4 /r | avx,avx2",
    "V{kz}, V, V/mV | EVEX.V.66.0F.WIG E4 /r | avx512bw",
  ],
  vpmulhw: [
    "V, V, V/mV | VEX.V.66.0F.WIG E5 /r | avx,avx2",
    "V{kz}, V, V/mV | EVEX.V.66.0F.WIG E5 /r | avx512bw",
  ],
  vpmullw: [
    "V, V, V/mV | VEX.V.66.0F.WIG D5 /r | avx,avx2",
    "V{kz}, V, V/mV | EVEX.V.66.0F.WIG D5 /r | avx512bw",
  ],
  vpmuludq: [
    "V, V, V/mV | VEX.V.66.0F.WIG F4 /r | avx,avx2",
    "V{kz}, V, V/mV/b64 | EVEX.V.66.0F.W1 F4 /r | avx512f",
  ],
  vpsadbw: [
    "V, V, V/mV | VEX.V.66.0F.WIG F6 /r | avx,avx2",
    "V, V, V/mV | EVEX.V.66.0F.WIG F6 /r | avx512bw",
  ],
  vpsubb: [
    "V, V, V/mV | VEX.V.66.0F.WIG F8 /r | avx,avx2",
    "V{kz}, V, V/mV | EVEX.V.66.0F.WIG F8 /r | avx512bw",
  ],
  vpsubw: [
    "V, V, V/mV | VEX.V.66.0F.WIG F9 /r | avx,avx2",
    "V{kz}, V, V/mV | EVEX.V.66.0F.WIG F9 /r | avx512bw",
  ],
  vpsubd: [
    "V, V, V/mV | VEX.V.66.0F.WIG FA /r | avx,avx2",
    "V{kz}, V, V/mV/b32 | EVEX.V.66.0F.W0 FA /r | avx512f",
  ],
  vpsubq: [
    "V, V, V/mV | VEX.V.66.0F.WIG FB /r | avx,avx2",
    "V{kz}, V, V/mV/b64 | EVEX.V.66.0F.W1 FB /r | avx512f",
  ],
  vpsubsb: [
    "V, V, V/mV | VEX.V.66.0F.WIG E8 /r | avx,avx2",
    "V{kz}, V, V/mV | EVEX.V.66.0F.WIG E8 /r | avx512bw",
  ],
  vpsubsw: [
    "V, V, V/mV | VEX.V.66.0F.WIG E9 /r | avx,avx2",
    "V{kz}, V, V/mV | EVEX.V.66.0F.WIG E9 /r | avx512bw",
  ],
  vpsubusb: [
    "V, V, V/mV | VEX.V.66.0F.WIG D8 /r | avx,avx2",
    "V{kz}, V, V/mV | EVEX.V.66.0F.WIG D8 /r | avx512bw",
  ],
  vpsubusw: [
    "V, V, V/mV | VEX.V.66.0F.WIG D9 /r | avx,avx2",
    "V{kz}, V, V/mV | EVEX.V.66.0F.WIG D9 /r | avx512bw",
  ],
  vpunpckhbw: [
    "V, V, V/mV | VEX.V.66.0F.WIG 68 /r | avx,avx2",
    "V{kz}, V, V/mV | EVEX.V.66.0F.WIG 68 /r | avx512bw",
  ],
  vpunpckhwd: [
    "V, V, V/mV | VEX.V.66.0F.WIG 69 /r | avx,avx2",
    "V{kz}, V, V/mV | EVEX.V.66.0F.WIG 69 /r | avx512bw",
  ],
  vpunpckhdq: [
    "V, V, V/mV | VEX.V.66.0F.WIG 6A /r | avx,avx2",
    "V{kz}, V, V/mV/b32 | EVEX.V.66.0F.W0 6A /r | avx512f",
  ],
  vpunpckhqdq: [
    "V, V, V/mV | VEX.V.66.0F.WIG 6D /r | avx,avx2",
    "V{kz}, V, V/mV/b64 | EVEX.V.66.0F.W1 6D /r | avx512f",
  ],
  vpunpcklbw: [
    "V, V, V/mV | VEX.V.66.0F.WIG 60 /r | avx,avx2",
    "V{kz}, V, V/mV | EVEX.V.66.0F.WIG 60 /r | avx512bw",
  ],
  vpunpcklwd: [
    "V, V, V/mV | VEX.V.66.0F.WIG 61 /r | avx,avx2",
    "V{kz}, V, V/mV | EVEX.V.66.0F.WIG 61 /r | avx512bw",
  ],
  vpunpckldq: [
    "V, V, V/mV | VEX.V.66.0F.WIG 62 /r | avx,avx2",
    "V{kz}, V, V/mV/b32 | EVEX.V.66.0F.W0 62 /r | avx512f",
  ],
  vpunpcklqdq: [
    "V, V, V/mV | VEX.V.66.0F.WIG 6C /r | avx,avx2",
    "V{kz}, V, V/mV/b64 | EVEX.V.66.0F.W1 6C /r | avx512f",
  ],
  vpshufb: [
    "V, V, V/mV | VEX.V.66.0F38.WIG 00 /r | avx,avx2",
    "V{kz}, V, V/mV | EVEX.V.66.0F38.WIG 00 /r | avx512bw",
  ],
  vphaddw: ["V, V, V/mV | VEX.V.66.0F38.WIG 01 /r | avx,avx2"],
  vphaddd: ["V, V, V/mV | VEX.V.66.0F38.WIG 02 /r | avx,avx2"],
  vphaddsw: ["V, V, V/mV | VEX.V.66.0F38.WIG 03 /r | avx,avx2"],
  vpmaddubsw: [
    "V, V, V/mV | VEX.V.66.0F38.WIG 04 /r | avx,avx2",
    "V{kz}, V, V/mV | EVEX.V.66.0F38.WIG 04 /r | avx512bw",
  ],
  vphsubw: ["V, V, V/mV | VEX.V.66.0F38.WIG 05 /r | avx,avx2"],
  vphsubd: ["V, V, V/mV | VEX.V.66.0F38.WIG 06 /r | avx,avx2"],
  vphsubsw: ["V, V, V/mV | VEX.V.66.0F38.WIG 07 /r | avx,avx2"],
  vpsignb: ["V, V, V/mV | VEX.V.66.0F38.WIG 08 /r | avx,avx2"],
  vpsignw: ["V, V, V/mV | VEX.V.66.0F38.WIG 09 /r | avx,avx2"],
  vpsignd: ["V, V, V/mV | VEX.V.66.0F38.WIG 0A /r | avx,avx2"],
  vpmulhrsw: [
    "V, V, V/mV | VEX.V.66.0F38.WIG 0B /r | avx,avx2",
    "V{kz}, V, V/mV | EVEX.V.66.0F38.WIG 0B /r | avx512bw",
  ],
  vpmuldq: [
    "V, V, V/mV | VEX.V.66.0F38.WIG 28 /r | avx,avx2",
    "V{kz}, V, V/mV/b64 | EVEX.V.66.0F38.W1 28 /r | avx512f",
  ],
  vpackusdw: [
    "V, V, V/mV | VEX.V.66.0F38.WIG 2B /r | avx,avx2",
    "V{kz}, V, V/mV/b32 | EVEX.V.66.0F38.W0 2B /r | avx512bw",
  ],
  vpminsb: [
    "V, V, V/mV | VEX.V.66.0F38.WIG 38 /r | avx,avx2",
    "V{kz}, V, V/mV | EVEX.V.66.0F38.WIG 38 /r | avx512bw",
  ],
  vpminsd: [
    "V, V, V/mV | VEX.V.66.0F38.WIG 39 /r | avx,avx2",
    "V{kz}, V, V/mV/b32 | EVEX.V.66.0F38.W0 39 /r | avx512f",
  ],
  vpminuw: [
    "V, V, V/mV | VEX.V.66.0F38.WIG 3A /r | avx,avx2",
    "V{kz}, V, V/mV | EVEX.V.66.0F38.WIG 3A /r | avx512bw",
  ],
  vpminud: [
    "V, V, V/mV | VEX.V.66.0F38.WIG 3B /r | avx,avx2",
    "V{kz}, V, V/mV/b32 | EVEX.V.66.0F38.W0 3B /r | avx512f",
  ],
  vpmaxsb: [
    "V, V, V/mV | VEX.V.66.0F38.WIG 3C /r | avx,avx2",
    "V{kz}, V, V/mV | EVEX.V.66.0F38.WIG 3C /r | avx512bw",
  ],
  vpmaxsd: [
    "V, V, V/mV | VEX.V.66.0F38.WIG 3D /r | avx,avx2",
    "V{kz}, V, V/mV/b32 | EVEX.V.66.0F38.W0 3D /r | avx512f",
  ],
  vpmaxuw: [
    "V, V, V/mV | VEX.V.66.0F38.WIG 3E /r | avx,avx2",
    "V{kz}, V, V/mV | EVEX.V.66.0F38.WIG 3E /r | avx512bw",
  ],
  vpmaxud: [
    "V, V, V/mV | VEX.V.66.0F38.WIG 3F /r | avx,avx2",
    "V{kz}, V, V/mV/b32 | EVEX.V.66.0F38.W0 3F /r | avx512f",
  ],
  vpmulld: [
    "V, V, V/mV | VEX.V.66.0F38.WIG 40 /r | avx,avx2",
    "V{kz}, V, V/mV/b32 | EVEX.V.66.0F38.W0 40 /r | avx512f",
  ],
  vpabsb: [
    "V, V/mV | VEX.V.66.0F38.WIG 1C /r | avx,avx2",
    "V{kz}, V/mV | EVEX.V.66.0F38.WIG 1C /r | avx512bw",
  ],
  vpabsw: [
    "V, V/mV | VEX.V.66.0F38.WIG 1D /r | avx,avx2",
    "V{kz}, V/mV | EVEX.V.66.0F38.WIG 1D /r | avx512bw",
  ],
  vpabsd: [
    "V, V/mV | VEX.V.66.0F38.WIG 1E /r | avx,avx2",
    "V{kz}, V/mV/b32 | EVEX.V.66.0F38.W0 1E /r | avx512f",
  ],
  vpabsq: ["V{kz}, V/mV/b64 | EVEX.V.66.0F38.W1 1F /r | avx512f"],
  vpandd: ["V{kz}, V, V/mV/b32 | EVEX.V.66.0F.W0 DB /r | avx512f"],
  vpandq: ["V{kz}, V, V/mV/b64 | EVEX.V.66.0F.W1 DB /r | avx512f"],
  vpandnd: ["V{kz}, V, V/mV/b32 | EVEX.V.66.0F.W0 DF /r | avx512f"],
  vpandnq: ["V{kz}, V, V/mV/b64 | EVEX.V.66.0F.W1 DF /r | avx512f"],
  vpord: ["V{kz}, V, V/mV/b32 | EVEX.V.66.0F.W0 EB /r | avx512f"],
  vporq: ["V{kz}, V, V/mV/b64 | EVEX.V.66.0F.W1 EB /r | avx512f"],
  vpxord: ["V{kz}, V, V/mV/b32 | EVEX.V.66.0F.W0 EF /r | avx512f"],
  vpxorq: ["V{kz}, V, V/mV/b64 | EVEX.V.66.0F.W1 EF /r | avx512f"],
  vpminsq: ["V{kz}, V, V/mV/b64 | EVEX.V.66.0F38.W1 39 /r | avx512f"],
  vpminuq: ["V{kz}, V, V/mV/b64 | EVEX.V.66.0F38.W1 3B /r | avx512f"],
  vpmaxsq: ["V{kz}, V, V/mV/b64 | EVEX.V.66.0F38.W1 3D /r | avx512f"],
  vpmaxuq: ["V{kz}, V, V/mV/b64 | EVEX.V.66.0F38.W1 3F /r | avx512f"],
  vpmullq: ["V{kz}, V, V/mV/b64 | EVEX.V.66.0F38.W1 40 /r | avx512dq"],
  vphminposuw: ["xmm, xmm/m128 | VEX.128.66.0F38.WIG 41 /r | avx"],
  vmpsadbw: ["V, V, V/mV, imm8 | VEX.V.66.0F3A.WIG 42 /r ib | avx,avx2"],
  vdbpsadbw: ["V{kz}, V, V/mV, imm8 | EVEX.V.66.0F3A.W0 42 /r ib | avx512bw"],
  vpmovmskb: ["r32, V | VEX.V.66.0F.WIG D7 /r | avx,avx2"],
  vpternlogd: ["V{kz}, V, V/mV/b32, imm8 | EVEX.V.66.0F3A.W0 25 /r ib | avx512f"],
  vpternlogq: ["V{kz}, V, V/mV/b64, imm8 | EVEX.V.66.0F3A.W1 25 /r ib | avx512f"],
  vpconflictd: ["V{kz}, V/mV/b32 | EVEX.V.66.0F38.W0 C4 /r | avx512cd"],
  vplzcntd: ["V{kz}, V/mV/b32 | EVEX.V.66.0F38.W0 44 /r | avx512cd"],
  vpopcntd: ["V{kz}, V/mV/b32 | EVEX.V.66.0F38.W0 55 /r | avx512vpopcntdq"],
  vpconflictq: ["V{kz}, V/mV/b64 | EVEX.V.66.0F38.W1 C4 /r | avx512cd"],
  vplzcntq: ["V{kz}, V/mV/b64 | EVEX.V.66.0F38.W1 44 /r | avx512cd"],
  vpopcntq: ["V{kz}, V/mV/b64 | EVEX.V.66.0F38.W1 55 /r | avx512vpopcntdq"],
  vpopcntb: ["V{kz}, V/mV | EVEX.V.66.0F38.W0 54 /r | avx512bitalg"],
  vpopcntw: ["V{kz}, V/mV | EVEX.V.66.0F38.W1 54 /r | avx512bitalg"],
  vpshufbitqmb: ["k{k}, V, V/mV | EVEX.V.66.0F38.W0 8F /r | avx512bitalg"],
  vpmadd52luq: ["V{kz}, V, V/mV/b64 | EVEX.V.66.0F38.W1 B4 /r | avx512ifma"],
  vpmadd52huq: ["V{kz}, V, V/mV/b64 | EVEX.V.66.0F38.W1 B5 /r | avx512ifma"],
} as const satisfies Table;
