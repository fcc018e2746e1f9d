/** Multiply and add with one rounding. */
import type { Table } from "../notation.ts";

export const fma = {
  vfmaddsub132ps: [
    "V, V, V/mV | VEX.V.66.0F38.W0 96 /r | fma",
    "V{kz}, V, V/mV/b32{er} | EVEX.V.66.0F38.W0 96 /r | avx512f",
  ],
  vfmaddsub132pd: [
    "V, V, V/mV | VEX.V.66.0F38.W1 96 /r | fma",
    "V{kz}, V, V/mV/b64{er} | EVEX.V.66.0F38.W1 96 /r | avx512f",
  ],
  vfmsubadd132ps: [
    "V, V, V/mV | VEX.V.66.0F38.W0 97 /r | fma",
    "V{kz}, V, V/mV/b32{er} | EVEX.V.66.0F38.W0 97 /r | avx512f",
  ],
  vfmsubadd132pd: [
    "V, V, V/mV | VEX.V.66.0F38.W1 97 /r | fma",
    "V{kz}, V, V/mV/b64{er} | EVEX.V.66.0F38.W1 97 /r | avx512f",
  ],
  vfmadd132ps: [
    "V, V, V/mV | VEX.V.66.0F38.W0 98 /r | fma",
    "V{kz}, V, V/mV/b32{er} | EVEX.V.66.0F38.W0 98 /r | avx512f",
  ],
  vfmadd132pd: [
    "V, V, V/mV | VEX.V.66.0F38.W1 98 /r | fma",
    "V{kz}, V, V/mV/b64{er} | EVEX.V.66.0F38.W1 98 /r | avx512f",
  ],
  vfmadd132ss: [
    "xmm, xmm, xmm/m32 | VEX.LIG.66.0F38.W0 99 /r | fma",
    "xmm{kz}, xmm, xmm/m32{er} | EVEX.LIG.66.0F38.W0 99 /r | avx512f",
  ],
  vfmadd132sd: [
    "xmm, xmm, xmm/m64 | VEX.LIG.66.0F38.W1 99 /r | fma",
    "xmm{kz}, xmm, xmm/m64{er} | EVEX.LIG.66.0F38.W1 99 /r | avx512f",
  ],
  vfmsub132ps: [
    "V, V, V/mV | VEX.V.66.0F38.W0 9A /r | fma",
    "V{kz}, V, V/mV/b32{er} | EVEX.V.66.0F38.W0 9A /r | avx512f",
  ],
  vfmsub132pd: [
    "V, V, V/mV | VEX.V.66.0F38.W1 9A /r | fma",
    "V{kz}, V, V/mV/b64{er} | EVEX.V.66.0F38.W1 9A /r | avx512f",
  ],
  vfmsub132ss: [
    "xmm, xmm, xmm/m32 | VEX.LIG.66.0F38.W0 9B /r | fma",
    "xmm{kz}, xmm, xmm/m32{er} | EVEX.LIG.66.0F38.W0 9B /r | avx512f",
  ],
  vfmsub132sd: [
    "xmm, xmm, xmm/m64 | VEX.LIG.66.0F38.W1 9B /r | fma",
    "xmm{kz}, xmm, xmm/m64{er} | EVEX.LIG.66.0F38.W1 9B /r | avx512f",
  ],
  vfnmadd132ps: [
    "V, V, V/mV | VEX.V.66.0F38.W0 9C /r | fma",
    "V{kz}, V, V/mV/b32{er} | EVEX.V.66.0F38.W0 9C /r | avx512f",
  ],
  vfnmadd132pd: [
    "V, V, V/mV | VEX.V.66.0F38.W1 9C /r | fma",
    "V{kz}, V, V/mV/b64{er} | EVEX.V.66.0F38.W1 9C /r | avx512f",
  ],
  vfnmadd132ss: [
    "xmm, xmm, xmm/m32 | VEX.LIG.66.0F38.W0 9D /r | fma",
    "xmm{kz}, xmm, xmm/m32{er} | EVEX.LIG.66.0F38.W0 9D /r | avx512f",
  ],
  vfnmadd132sd: [
    "xmm, xmm, xmm/m64 | VEX.LIG.66.0F38.W1 9D /r | fma",
    "xmm{kz}, xmm, xmm/m64{er} | EVEX.LIG.66.0F38.W1 9D /r | avx512f",
  ],
  vfnmsub132ps: [
    "V, V, V/mV | VEX.V.66.0F38.W0 9E /r | fma",
    "V{kz}, V, V/mV/b32{er} | EVEX.V.66.0F38.W0 9E /r | avx512f",
  ],
  vfnmsub132pd: [
    "V, V, V/mV | VEX.V.66.0F38.W1 9E /r | fma",
    "V{kz}, V, V/mV/b64{er} | EVEX.V.66.0F38.W1 9E /r | avx512f",
  ],
  vfnmsub132ss: [
    "xmm, xmm, xmm/m32 | VEX.LIG.66.0F38.W0 9F /r | fma",
    "xmm{kz}, xmm, xmm/m32{er} | EVEX.LIG.66.0F38.W0 9F /r | avx512f",
  ],
  vfnmsub132sd: [
    "xmm, xmm, xmm/m64 | VEX.LIG.66.0F38.W1 9F /r | fma",
    "xmm{kz}, xmm, xmm/m64{er} | EVEX.LIG.66.0F38.W1 9F /r | avx512f",
  ],
  vfmaddsub213ps: [
    "V, V, V/mV | VEX.V.66.0F38.W0 A6 /r | fma",
    "V{kz}, V, V/mV/b32{er} | EVEX.V.66.0F38.W0 A6 /r | avx512f",
  ],
  vfmaddsub213pd: [
    "V, V, V/mV | VEX.V.66.0F38.W1 A6 /r | fma",
    "V{kz}, V, V/mV/b64{er} | EVEX.V.66.0F38.W1 A6 /r | avx512f",
  ],
  vfmsubadd213ps: [
    "V, V, V/mV | VEX.V.66.0F38.W0 A7 /r | fma",
    "V{kz}, V, V/mV/b32{er} | EVEX.V.66.0F38.W0 A7 /r | avx512f",
  ],
  vfmsubadd213pd: [
    "V, V, V/mV | VEX.V.66.0F38.W1 A7 /r | fma",
    "V{kz}, V, V/mV/b64{er} | EVEX.V.66.0F38.W1 A7 /r | avx512f",
  ],
  vfmadd213ps: [
    "V, V, V/mV | VEX.V.66.0F38.W0 A8 /r | fma",
    "V{kz}, V, V/mV/b32{er} | EVEX.V.66.0F38.W0 A8 /r | avx512f",
  ],
  vfmadd213pd: [
    "V, V, V/mV | VEX.V.66.0F38.W1 A8 /r | fma",
    "V{kz}, V, V/mV/b64{er} | EVEX.V.66.0F38.W1 A8 /r | avx512f",
  ],
  vfmadd213ss: [
    "xmm, xmm, xmm/m32 | VEX.LIG.66.0F38.W0 A9 /r | fma",
    "xmm{kz}, xmm, xmm/m32{er} | EVEX.LIG.66.0F38.W0 A9 /r | avx512f",
  ],
  vfmadd213sd: [
    "xmm, xmm, xmm/m64 | VEX.LIG.66.0F38.W1 A9 /r | fma",
    "xmm{kz}, xmm, xmm/m64{er} | EVEX.LIG.66.0F38.W1 A9 /r | avx512f",
  ],
  vfmsub213ps: [
    "V, V, V/mV | VEX.V.66.0F38.W0 AA /r | fma",
    "V{kz}, V, V/mV/b32{er} | EVEX.V.66.0F38.W0 AA /r | avx512f",
  ],
  vfmsub213pd: [
    "V, V, V/mV | VEX.V.66.0F38.W1 AA /r | fma",
    "V{kz}, V, V/mV/b64{er} | EVEX.V.66.0F38.W1 AA /r | avx512f",
  ],
  vfmsub213ss: [
    "xmm, xmm, xmm/m32 | VEX.LIG.66.0F38.W0 AB /r | fma",
    "xmm{kz}, xmm, xmm/m32{er} | EVEX.LIG.66.0F38.W0 AB /r | avx512f",
  ],
  vfmsub213sd: [
    "xmm, xmm, xmm/m64 | VEX.LIG.66.0F38.W1 AB /r | fma",
    "xmm{kz}, xmm, xmm/m64{er} | EVEX.LIG.66.0F38.W1 AB /r | avx512f",
  ],
  vfnmadd213ps: [
    "V, V, V/mV | VEX.V.66.0F38.W0 AC /r | fma",
    "V{kz}, V, V/mV/b32{er} | EVEX.V.66.0F38.W0 AC /r | avx512f",
  ],
  vfnmadd213pd: [
    "V, V, V/mV | VEX.V.66.0F38.W1 AC /r | fma",
    "V{kz}, V, V/mV/b64{er} | EVEX.V.66.0F38.W1 AC /r | avx512f",
  ],
  vfnmadd213ss: [
    "xmm, xmm, xmm/m32 | VEX.LIG.66.0F38.W0 AD /r | fma",
    "xmm{kz}, xmm, xmm/m32{er} | EVEX.LIG.66.0F38.W0 AD /r | avx512f",
  ],
  vfnmadd213sd: [
    "xmm, xmm, xmm/m64 | VEX.LIG.66.0F38.W1 AD /r | fma",
    "xmm{kz}, xmm, xmm/m64{er} | EVEX.LIG.66.0F38.W1 AD /r | avx512f",
  ],
  vfnmsub213ps: [
    "V, V, V/mV | VEX.V.66.0F38.W0 AE /r | fma",
    "V{kz}, V, V/mV/b32{er} | EVEX.V.66.0F38.W0 AE /r | avx512f",
  ],
  vfnmsub213pd: [
    "V, V, V/mV | VEX.V.66.0F38.W1 AE /r | fma",
    "V{kz}, V, V/mV/b64{er} | EVEX.V.66.0F38.W1 AE /r | avx512f",
  ],
  vfnmsub213ss: [
    "xmm, xmm, xmm/m32 | VEX.LIG.66.0F38.W0 AF /r | fma",
    "xmm{kz}, xmm, xmm/m32{er} | EVEX.LIG.66.0F38.W0 AF /r | avx512f",
  ],
  vfnmsub213sd: [
    "xmm, xmm, xmm/m64 | VEX.LIG.66.0F38.W1 AF /r | fma",
    "xmm{kz}, xmm, xmm/m64{er} | EVEX.LIG.66.0F38.W1 AF /r | avx512f",
  ],
  vfmaddsub231ps: [
    "V, V, V/mV | VEX.V.66.0F38.W0 B6 /r | fma",
    "V{kz}, V, V/mV/b32{er} | EVEX.V.66.0F38.W0 B6 /r | avx512f",
  ],
  vfmaddsub231pd: [
    "V, V, V/mV | VEX.V.66.0F38.W1 B6 /r | fma",
    "V{kz}, V, V/mV/b64{er} | EVEX.V.66.0F38.W1 B6 /r | avx512f",
  ],
  vfmsubadd231ps: [
    "V, V, V/mV | VEX.V.66.0F38.W0 B7 /r | fma",
    "V{kz}, V, V/mV/b32{er} | EVEX.V.66.0F38.W0 B7 /r | avx512f",
  ],
  vfmsubadd231pd: [
    "V, V, V/mV | VEX.V.66.0F38.W1 B7 /r | fma",
    "V{kz}, V, V/mV/b64{er} | EVEX.V.66.0F38.W1 B7 /r | avx512f",
  ],
  vfmadd231ps: [
    "V, V, V/mV | VEX.V.66.0F38.W0 B8 /r | fma",
    "V{kz}, V, V/mV/b32{er} | EVEX.V.66.0F38.W0 B8 /r | avx512f",
  ],
  vfmadd231pd: [
    "V, V, V/mV | VEX.V.66.0F38.W1 B8 /r | fma",
    "V{kz}, V, V/mV/b64{er} | EVEX.V.66.0F38.W1 B8 /r | avx512f",
  ],
  vfmadd231ss: [
    "xmm, xmm, xmm/m32 | VEX.LIG.66.0F38.W0 B9 /r | fma",
    "xmm{kz}, xmm, xmm/m32{er} | EVEX.LIG.66.0F38.W0 B9 /r | avx512f",
  ],
  vfmadd231sd: [
    "xmm, xmm, xmm/m64 | VEX.LIG.66.0F38.W1 B9 /r | fma",
    "xmm{kz}, xmm, xmm/m64{er} | EVEX.LIG.66.0F38.W1 B9 /r | avx512f",
  ],
  vfmsub231ps: [
    "V, V, V/mV | VEX.V.66.0F38.W0 BA /r | fma",
    "V{kz}, V, V/mV/b32{er} | EVEX.V.66.0F38.W0 BA /r | avx512f",
  ],
  vfmsub231pd: [
    "V, V, V/mV | VEX.V.66.0F38.W1 BA /r | fma",
    "V{kz}, V, V/mV/b64{er} | EVEX.V.66.0F38.W1 BA /r | avx512f",
  ],
  vfmsub231ss: [
    "xmm, xmm, xmm/m32 | VEX.LIG.66.0F38.W0 BB /r | fma",
    "xmm{kz}, xmm, xmm/m32{er} | EVEX.LIG.66.0F38.W0 BB /r | avx512f",
  ],
  vfmsub231sd: [
    "xmm, xmm, xmm/m64 | VEX.LIG.66.0F38.W1 BB /r | fma",
    "xmm{kz}, xmm, xmm/m64{er} | EVEX.LIG.66.0F38.W1 BB /r | avx512f",
  ],
  vfnmadd231ps: [
    "V, V, V/mV | VEX.V.66.0F38.W0 BC /r | fma",
    "V{kz}, V, V/mV/b32{er} | EVEX.V.66.0F38.W0 BC /r | avx512f",
  ],
  vfnmadd231pd: [
    "V, V, V/mV | VEX.V.66.0F38.W1 BC /r | fma",
    "V{kz}, V, V/mV/b64{er} | EVEX.V.66.0F38.W1 BC /r | avx512f",
  ],
  vfnmadd231ss: [
    "xmm, xmm, xmm/m32 | VEX.LIG.66.0F38.W0 BD /r | fma",
    "xmm{kz}, xmm, xmm/m32{er} | EVEX.LIG.66.0F38.W0 BD /r | avx512f",
  ],
  vfnmadd231sd: [
    "xmm, xmm, xmm/m64 | VEX.LIG.66.0F38.W1 BD /r | fma",
    "xmm{kz}, xmm, xmm/m64{er} | EVEX.LIG.66.0F38.W1 BD /r | avx512f",
  ],
  vfnmsub231ps: [
    "V, V, V/mV | VEX.V.66.0F38.W0 BE /r | fma",
    "V{kz}, V, V/mV/b32{er} | EVEX.V.66.0F38.W0 BE /r | avx512f",
  ],
  vfnmsub231pd: [
    "V, V, V/mV | VEX.V.66.0F38.W1 BE /r | fma",
    "V{kz}, V, V/mV/b64{er} | EVEX.V.66.0F38.W1 BE /r | avx512f",
  ],
  vfnmsub231ss: [
    "xmm, xmm, xmm/m32 | VEX.LIG.66.0F38.W0 BF /r | fma",
    "xmm{kz}, xmm, xmm/m32{er} | EVEX.LIG.66.0F38.W0 BF /r | avx512f",
  ],
  vfnmsub231sd: [
    "xmm, xmm, xmm/m64 | VEX.LIG.66.0F38.W1 BF /r | fma",
    "xmm{kz}, xmm, xmm/m64{er} | EVEX.LIG.66.0F38.W1 BF /r | avx512f",
  ],
} as const satisfies Table;
