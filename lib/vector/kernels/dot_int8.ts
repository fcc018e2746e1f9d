/**
 * The exact dot product of bytes: sums of four products (VNNI) or two in 32 bits, gathered in 64 bits before
 * they could overflow. VNNI takes the first factor unsigned: so that is x + 128, and 128 times the sum of y is
 * taken off again.
 */
import {
  byte,
  type Code,
  type Feature,
  k1,
  ptr,
  r8,
  r9,
  rax,
  rcx,
  rdi,
  rdx,
  rsi,
  vex,
  xmm,
} from "../../jit/mod.ts";
import { type KernelLevel, Lanes, type Place } from "./lanes.ts";

const SIDE_BY_SIDE = 4;
/** A step adds up to 4·255·128 to a lane of each sum, and they are added up in 32 bits. */
const STEPS = 2048;

const [Y_SUMS, X, Y, TOTAL, FLIP, ONES] = [4, 8, 9, 10, 11, 12];

/** How a vector of `length` products joins a sum. */
interface Step {
  readonly length: number;
  add(sum: number, x: Place, y: Place): void;
  /** Joins what is left, of which k1 is the mask, to the first sum; without it they are added one by one. */
  readonly addTail: (() => void) | undefined;
  /** The first of registers to be cleared and added up beside the sums, and to be taken off 128 times. */
  readonly excess: number | undefined;
}

/** By VNNI, whose sums of y are in the registers from `Y_SUMS` on. */
function byteStep(lanes: Lanes): Step {
  const isWide = lanes.level === "avx512";
  const [x, y] = [lanes.v(X), lanes.v(Y)];

  function multiply(to: number, factor: number): void {
    if (isWide) lanes.op("vpdpbusd", lanes.v(to), lanes.v(factor), y);
    else lanes.op("vpdpbusd", lanes.v(to), lanes.v(factor), y, vex);
  }

  function addXY(sum: number): void {
    if (isWide) lanes.op("vpxord", x, x, lanes.v(FLIP));
    else lanes.op("vpxor", x, x, lanes.v(FLIP));
    multiply(sum, X);
    multiply(Y_SUMS + sum, ONES);
  }

  for (const [register, bits] of [[FLIP, 0x80808080], [ONES, 0x01010101]]) {
    lanes.op("vbroadcastss", lanes.v(register), ptr(lanes.a.constant(Uint32Array.of(bits), 4)));
  }
  return {
    length: lanes.bytes,
    add(sum, fromX, fromY) {
      lanes.load(x, fromX);
      lanes.load(y, fromY);
      addXY(sum);
    },
    addTail: !isWide ? undefined : () => {
      lanes.op("vmovdqu8", x.z(k1), ptr(rdi));
      lanes.op("vmovdqu8", y.z(k1), ptr(rsi));
      addXY(0);
    },
    excess: Y_SUMS,
  };
}

/** As words. */
function wordStep(lanes: Lanes): Step {
  const [x, y] = [lanes.v(X), lanes.v(Y)];
  return {
    length: lanes.bytes / 2,
    add(sum, fromX, fromY) {
      lanes.op("vpmovsxbw", x, fromX);
      lanes.op("vpmovsxbw", y, fromY);
      lanes.op("vpmaddwd", x, x, y);
      lanes.op("vpaddd", lanes.v(sum), lanes.v(sum), x);
    },
    addTail: undefined,
    excess: undefined,
  };
}

/** Adds up the sums, and them to the total. */
function gather(lanes: Lanes, { excess }: Step): void {
  const sum = lanes.v(0);
  for (let i = 1; i < SIDE_BY_SIDE; i++) {
    lanes.op("vpaddd", sum, sum, lanes.v(i));
    if (excess !== undefined) lanes.op("vpaddd", lanes.v(excess), lanes.v(excess), lanes.v(excess + i));
  }
  if (excess !== undefined) {
    lanes.op("vpslld", lanes.v(excess), lanes.v(excess), 7);
    lanes.op("vpsubd", sum, sum, lanes.v(excess));
  }
  const [total, wide] = [lanes.v(TOTAL), lanes.v(X)];
  lanes.op("vpmovsxdq", wide, lanes.half(0));
  lanes.op("vpaddq", total, total, wide);
  lanes.op(lanes.level === "avx512" ? "vextracti32x8" : "vextracti128", lanes.half(X), sum, 1);
  lanes.op("vpmovsxdq", wide, lanes.half(X));
  lanes.op("vpaddq", total, total, wide);
}

function clear(lanes: Lanes, { excess }: Step): void {
  for (let i = 0; i < SIDE_BY_SIDE; i++) {
    lanes.zero(lanes.v(i));
    if (excess !== undefined) lanes.zero(lanes.v(excess + i));
  }
}

/** Adds what is left one by one to `r8`. */
function addOneByOne({ a }: Lanes): void {
  const element = a.label("element");
  a.bind(element);
  a.movsx(rax, byte(rdi));
  a.movsx(rcx, byte(rsi));
  a.imul(rax, rcx);
  a.add(r8, rax);
  a.inc(rdi);
  a.inc(rsi);
  a.dec(rdx);
  a.jnz(element);
}

/** `double dot_int8(const int8_t *x, const int8_t *y, size_t length)` */
export function dotInt8Code(level: KernelLevel, features: ReadonlySet<Feature>): Code {
  const lanes = new Lanes(level);
  const { a } = lanes;
  const hasVnni = features.has(level === "avx512" ? "avx512vnni" : "avxvnni");
  const step = hasVnni ? byteStep(lanes) : wordStep(lanes);
  const shift = Math.log2(SIDE_BY_SIDE * step.length);
  const [block, loop, rest, single, tail, done] = ["block", "loop", "rest", "single", "tail", "done"]
    .map((name) => a.label(name));
  function advance(bytes: number): void {
    a.add(rdi, bytes);
    a.add(rsi, bytes);
    a.dec(rcx);
  }

  lanes.zero(lanes.v(TOTAL));
  a.xor(r8, r8);
  a.mov(r9, STEPS);
  a.bind(block);
  clear(lanes, step);
  a.mov(rcx, rdx);
  a.shr(rcx, shift);
  a.jz(rest);
  a.cmp(rcx, r9);
  a.cmova(rcx, r9);
  a.mov(rax, rcx);
  a.shl(rax, shift);
  a.sub(rdx, rax);
  a.align(32);
  a.bind(loop);
  for (let i = 0; i < SIDE_BY_SIDE; i++) step.add(i, ptr(rdi, i * step.length), ptr(rsi, i * step.length));
  advance(SIDE_BY_SIDE * step.length);
  a.jnz(loop);
  gather(lanes, step);
  a.jmp(block);

  a.bind(rest);
  a.mov(rcx, rdx);
  a.shr(rcx, Math.log2(step.length));
  a.jz(tail);
  a.bind(single);
  step.add(0, ptr(rdi), ptr(rsi));
  advance(step.length);
  a.jnz(single);
  a.bind(tail);
  a.and(rdx, step.length - 1);
  a.jz(done);
  if (step.addTail === undefined) {
    addOneByOne(lanes);
  } else {
    lanes.maskTail(rdx);
    step.addTail();
  }
  a.bind(done);
  gather(lanes, step);
  lanes.fold("vpaddq", TOTAL, X);
  a.vmovq(rax, xmm(TOTAL));
  a.add(rax, r8);
  a.vxorps(xmm(0), xmm(0), xmm(0));
  a.vcvtsi2sd(xmm(0), xmm(0), rax);
  lanes.return();
  return a.finish();
}
