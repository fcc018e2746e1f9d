/** How fast instructions are assembled, operands and labels made on the way, beside GNU `as` from text. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Assembler, broadcast, ecx, k1, ptr, r8d, rax, rcx, rdi, rsi, ymm, zmm } from "../../lib/jit/mod.ts";
import { compare, type Contender, equals, timed } from "../compare.ts";

/** Of ten instructions. */
const ROUNDS = 400;
const INSTRUCTIONS = 10 * ROUNDS;

const OXBOW = "Oxbow";
const GNU = "GNU as, from text";

function assemble(): number {
  const a = new Assembler();
  for (let i = 0; i < ROUNDS; i++) {
    const loop = a.bind(a.label());
    a.mov(rax, ptr(rdi, 8 * i));
    a.vmovups(ymm(0), ptr(rsi, rcx.times(4), 64));
    a.vfmadd231ps(ymm(0), ymm(1), ymm(2));
    a.vfmadd231ps(ymm(0), ymm(1), ptr(rsi, 32 * i));
    a.vaddps(zmm(10).z(k1), zmm(20), zmm(30));
    a.vmulps(zmm(20), zmm(30), broadcast(rax, 4 * i));
    a.add(rdi, 64);
    a.lea(rax, ptr(rax, rcx));
    a.cmp(ecx, r8d);
    a.jnz(loop);
  }
  return a.finish().text.length;
}

function source(): string {
  const rounds = Array.from({ length: ROUNDS }, (_, i) =>
    `.L${i}: mov rax, [rdi+${8 * i}]
    vmovups ymm0, [rsi+rcx*4+64]
    vfmadd231ps ymm0, ymm1, ymm2
    vfmadd231ps ymm0, ymm1, [rsi+${32 * i}]
    vaddps zmm10{k1}{z}, zmm20, zmm30
    vmulps zmm20, zmm30, [rax+${4 * i}]{1to16}
    add rdi, 64
    lea rax, [rax+rcx]
    cmp ecx, r8d
    jnz .L${i}`);
  return `.intel_syntax noprefix\n${rounds.join("\n")}\n`;
}

/** Its process and its object file included, as one who has no assembler of their own would pay. */
function gnu(folder: string, quick: boolean): Contender {
  const path = join(folder, "a.s");
  writeFileSync(path, source());
  return timed({
    name: GNU,
    quick,
    run: () => spawnSync("as", ["--64", "-o", join(folder, "a.o"), path]).status,
    check: equals(GNU, 0),
    figure: (ns) => ns / INSTRUCTIONS,
  });
}

/** Prints what an instruction costs, in a kernel of 4,000. */
export async function compareAssembling(quick: boolean): Promise<void> {
  const ours = timed({
    name: OXBOW,
    quick,
    run: assemble,
    check: equals(OXBOW, assemble()),
    figure: (ns) => ns / INSTRUCTIONS,
  });
  const folder = mkdtempSync(join(tmpdir(), "oxbow-assembling-"));
  try {
    const hasGnu = spawnSync("as", ["--version"]).status === 0;
    await compare({
      title: `${INSTRUCTIONS} instructions of x86-64, AVX2 and AVX-512`,
      units: ["ns an instruction"],
      baseline: OXBOW,
      contenders: hasGnu ? [ours, gnu(folder, quick)] : [ours],
      quick,
      // 2 million a second.
      targets: [{ name: OXBOW, figuresAtMost: [500] }],
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
