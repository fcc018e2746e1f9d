/** The scan of `topK`: which scores are above a threshold. Few are, so that a vector mostly costs a compare. */
import {
  type Code,
  dword,
  eax,
  k2,
  ptr,
  r10,
  r10d,
  r8,
  r9,
  rax,
  rcx,
  rdi,
  rdx,
  rsi,
  xmm,
  ymm,
} from "../../jit/mod.ts";
import { at, type KernelLevel, Lanes } from "./lanes.ts";

const GREATER = 30;

/** `uint32_t above(const float *scores, size_t from, size_t to, float threshold, uint32_t *indices)` */
export function aboveCode(level: KernelLevel): Code {
  const lanes = new Lanes(level);
  const { a } = lanes;
  const [vector, next, rest, done] = ["vector", "next", "rest", "done"].map((name) => a.label(name));
  const [threshold, scores, found] = [0, 1, 2].map((i) => lanes.v(i));
  const [from, to, indices, last] = [rsi, rdx, rcx, r9];

  /** Appends the index of each lane of `scores` that is above the threshold. */
  function collect(none: typeof next): void {
    const index = a.label("index");
    if (level === "avx512") {
      lanes.op("vcmpps", k2, scores, threshold, GREATER);
      a.kmovw(eax, k2);
    } else {
      lanes.op("vcmpps", found, scores, threshold, GREATER);
      a.vmovmskps(eax, ymm(found.id));
    }
    a.test(eax, eax);
    a.jz(none);
    a.bind(index);
    a.tzcnt(r10d, eax);
    a.add(r10, from);
    a.mov(dword(indices), r10d);
    a.add(indices, 4);
    a.blsr(eax, eax);
    a.jnz(index);
  }

  lanes.op("vbroadcastss", threshold, xmm(0));
  a.mov(r8, indices);
  a.lea(last, ptr(to, -lanes.count));
  a.align(32);
  a.bind(vector);
  a.cmp(from, last);
  a.jg(rest);
  lanes.load(scores, at(rdi, from));
  collect(next);
  a.bind(next);
  a.add(from, lanes.count);
  a.jmp(vector);
  a.bind(rest);
  a.sub(to, from);
  a.jz(done);
  lanes.maskTail(to);
  lanes.loadTailOr(scores, at(rdi, from), threshold);
  collect(done);
  a.bind(done);
  a.mov(rax, indices);
  a.sub(rax, r8);
  a.shr(rax, 2);
  lanes.return();
  return a.finish();
}
