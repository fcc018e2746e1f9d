/**
 * `dot` and `sum`: eight vectors of float32 sums side by side, since one would wait for its own additions,
 * gathered in double precision every 32 steps. So no sum has more than 32 + 3 roundings to float32 behind it,
 * however long the array is.
 */
import { type Code, type Gpr, type Label, ptr, r8, r9, rax, rcx, rdi, rdx, rsi } from "../../jit/mod.ts";
import { type KernelLevel, Lanes, type Register } from "./lanes.ts";

const SIDE_BY_SIDE = 8;
const STEPS = 32;

/** How the elements at the pointers join a sum. */
interface Reduction {
  readonly pointers: readonly Gpr<"r64">[];
  /** Where the number of elements comes in. */
  readonly length: Gpr<"r64">;
  add(lanes: Lanes, sum: Register, offset: number): void;
  addTail(lanes: Lanes, sum: Register): void;
}

const [HEAD_AND_TAIL, ELEMENTS, OTHERS, LOW, HIGH, WIDE_LOW, WIDE_HIGH] = [8, 9, 10, 11, 12, 13, 14];

function gather(lanes: Lanes, register: number): void {
  const [low, high] = [lanes.v(WIDE_LOW), lanes.v(WIDE_HIGH)];
  lanes.widen(low, high, register);
  lanes.op("vaddpd", lanes.v(LOW), lanes.v(LOW), low);
  lanes.op("vaddpd", lanes.v(HIGH), lanes.v(HIGH), high);
}

/** A vector that is not on a boundary of its size costs two reads: the elements before the first that is. */
function addHead(lanes: Lanes, { pointers, length, addTail }: Reduction): void {
  const { a } = lanes;
  const aligned = a.label("aligned");
  a.mov(r8, pointers[0]);
  a.neg(r8);
  a.shr(r8, 2);
  a.and(r8, lanes.count - 1);
  a.cmp(r8, length);
  a.cmova(r8, length);
  a.test(r8, r8);
  a.jz(aligned);
  lanes.maskTail(r8);
  addTail(lanes, lanes.v(HEAD_AND_TAIL));
  for (const pointer of pointers) a.lea(pointer, ptr(pointer, r8.times(4)));
  a.sub(length, r8);
  a.bind(aligned);
}

function addBlocks(lanes: Lanes, { pointers, length, add }: Reduction, rest: Label): void {
  const { a, bytes } = lanes;
  const [block, step] = [a.label("block"), a.label("step")];
  const shift = Math.log2(SIDE_BY_SIDE * lanes.count);
  a.mov(r9, STEPS);
  a.bind(block);
  a.mov(rcx, length);
  a.shr(rcx, shift);
  a.jz(rest);
  a.cmp(rcx, r9);
  a.cmova(rcx, r9);
  a.mov(rax, rcx);
  a.shl(rax, shift);
  a.sub(length, rax);
  for (let i = 0; i < SIDE_BY_SIDE; i++) lanes.zero(lanes.v(i));
  a.align(64);
  a.bind(step);
  for (let i = 0; i < SIDE_BY_SIDE; i++) add(lanes, lanes.v(i), i * bytes);
  for (const pointer of pointers) a.add(pointer, SIDE_BY_SIDE * bytes);
  a.dec(rcx);
  a.jnz(step);
  for (let half = SIDE_BY_SIDE / 2; half >= 1; half /= 2) {
    for (let i = 0; i < half; i++) lanes.op("vaddps", lanes.v(i), lanes.v(i), lanes.v(i + half));
  }
  gather(lanes, 0);
  a.jmp(block);
}

function reduce(level: KernelLevel, reduction: Reduction): Code {
  const lanes = new Lanes(level);
  const { a, bytes } = lanes;
  const { pointers, length, add, addTail } = reduction;
  const [rest, vector, tail, done] = ["rest", "vector", "tail", "done"].map((name) => a.label(name));
  for (const register of [HEAD_AND_TAIL, LOW, HIGH]) lanes.zero(lanes.v(register));
  addHead(lanes, reduction);
  addBlocks(lanes, reduction, rest);
  a.bind(rest);
  a.mov(rcx, length);
  a.shr(rcx, Math.log2(lanes.count));
  a.jz(tail);
  a.bind(vector);
  add(lanes, lanes.v(HEAD_AND_TAIL), 0);
  for (const pointer of pointers) a.add(pointer, bytes);
  a.dec(rcx);
  a.jnz(vector);
  a.bind(tail);
  a.and(length, lanes.count - 1);
  a.jz(done);
  lanes.maskTail(length);
  addTail(lanes, lanes.v(HEAD_AND_TAIL));
  a.bind(done);
  gather(lanes, HEAD_AND_TAIL);
  lanes.foldTotal(lanes.v(LOW), lanes.v(HIGH));
  lanes.op("vmovaps", lanes.v(0), lanes.v(LOW));
  lanes.return();
  return a.finish();
}

/** `double dot(const float *x, const float *y, size_t length)` */
export function dotCode(level: KernelLevel): Code {
  return reduce(level, {
    pointers: [rdi, rsi],
    length: rdx,
    add(lanes, sum, offset) {
      lanes.load(lanes.v(ELEMENTS), ptr(rdi, offset));
      lanes.op("vfmadd231ps", sum, lanes.v(ELEMENTS), ptr(rsi, offset));
    },
    addTail(lanes, sum) {
      lanes.loadTail(lanes.v(ELEMENTS), ptr(rdi));
      lanes.loadTail(lanes.v(OTHERS), ptr(rsi));
      lanes.op("vfmadd231ps", sum, lanes.v(ELEMENTS), lanes.v(OTHERS));
    },
  });
}

/** `double sum(const float *x, size_t length)` */
export function sumCode(level: KernelLevel): Code {
  return reduce(level, {
    pointers: [rdi],
    length: rsi,
    add(lanes, sum, offset) {
      lanes.op("vaddps", sum, sum, ptr(rdi, offset));
    },
    addTail(lanes, sum) {
      lanes.loadTail(lanes.v(ELEMENTS), ptr(rdi));
      lanes.op("vaddps", sum, sum, lanes.v(ELEMENTS));
    },
  });
}
