/** Dot products of small integers and of bf16. */
import type { Table } from "../notation.ts";

export const avxDot = {
  vpdpbusd: [
    "V{kz}, V, V/mV/b32 | EVEX.V.66.0F38.W0 50 /r | avx512vnni",
    "V, V, V/mV, {vex} | VEX.V.66.0F38.W0 50 /r | avxvnni",
  ],
  vpdpbusds: [
    "V{kz}, V, V/mV/b32 | EVEX.V.66.0F38.W0 51 /r | avx512vnni",
    "V, V, V/mV, {vex} | VEX.V.66.0F38.W0 51 /r | avxvnni",
  ],
  vpdpwssd: [
    "V{kz}, V, V/mV/b32 | EVEX.V.66.0F38.W0 52 /r | avx512vnni",
    "V, V, V/mV, {vex} | VEX.V.66.0F38.W0 52 /r | avxvnni",
  ],
  vpdpwssds: [
    "V{kz}, V, V/mV/b32 | EVEX.V.66.0F38.W0 53 /r | avx512vnni",
    "V, V, V/mV, {vex} | VEX.V.66.0F38.W0 53 /r | avxvnni",
  ],
  vdpbf16ps: ["V{kz}, V, V/mV/b32 | EVEX.V.F3.0F38.W0 52 /r | avx512bf16"],
} as const satisfies Table;
