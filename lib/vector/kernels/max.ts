/**
 * The greatest float32 by its bits, as integers: as signed ones they order what is above 0, and as unsigned
 * ones, backwards, what is below. So -0 is below 0, NaN of either sign is told, and the order of the elements
 * makes no difference.
 */
import { type Code, eax, ecx, edx, ptr, rcx, rdi, rsi, xmm } from "../../jit/mod.ts";
import { type KernelLevel, Lanes } from "./lanes.ts";

const MINUS_INFINITY = 0xff800000;
const NAN = 0x7fc00000;

/** `float max(const float *x, size_t length)` */
export function maxCode(level: KernelLevel): Code {
  const lanes = new Lanes(level);
  const { a } = lanes;
  const [vector, rest, element, done, nan, found] = ["vector", "rest", "element", "done", "nan", "found"]
    .map((name) => a.label(name));
  const [signed, greatest, least, x] = [0, 1, 2, 3].map((i) => lanes.v(i));

  function add(): void {
    lanes.op("vpmaxsd", signed, signed, x);
    lanes.op("vpmaxud", greatest, greatest, x);
    lanes.op("vpminud", least, least, x);
  }

  lanes.op("vbroadcastss", x, ptr(rdi));
  for (const register of [signed, greatest, least]) lanes.copy(register, x);
  a.mov(rcx, rsi);
  a.shr(rcx, Math.log2(lanes.count));
  a.jz(rest);
  a.align(64);
  a.bind(vector);
  lanes.load(x, ptr(rdi));
  add();
  a.add(rdi, lanes.bytes);
  a.dec(rcx);
  a.jnz(vector);
  a.bind(rest);
  a.and(rsi, lanes.count - 1);
  a.jz(done);
  a.bind(element);
  lanes.op("vbroadcastss", x, ptr(rdi));
  add();
  a.add(rdi, 4);
  a.dec(rsi);
  a.jnz(element);
  a.bind(done);
  lanes.fold("vpmaxsd", signed.id, x.id);
  lanes.fold("vpmaxud", greatest.id, x.id);
  lanes.fold("vpminud", least.id, x.id);
  a.vmovd(eax, xmm(signed.id));
  a.vmovd(ecx, xmm(greatest.id));
  a.vmovd(edx, xmm(least.id));
  a.cmp(ecx, MINUS_INFINITY | 0);
  a.ja(nan);
  a.test(eax, eax);
  // Where all signs are set the signed order is backwards.
  a.cmovs(eax, edx);
  a.bind(found);
  a.vmovd(xmm(0), eax);
  lanes.return();
  a.bind(nan);
  a.mov(eax, NAN);
  a.jmp(found);
  return a.finish();
}
