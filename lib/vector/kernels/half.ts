/** Elements of 16 bits to float32: those that fill no vector one by one. */
import { type Code, eax, ptr, r8, rdi, rdx, rsi, word, xmm } from "../../jit/mod.ts";
import { type KernelLevel, Lanes, type Place, type Register } from "./lanes.ts";

const X = 0;

/** `vectorOf` converts a vector of elements, `elementOf` the one in register 0. */
function convertAll(
  lanes: Lanes,
  vectorOf: (to: Register, from: Place) => void,
  elementOf: () => void,
): Code {
  const { a } = lanes;
  const [vector, rest, element, done] = ["vector", "rest", "element", "done"].map((name) => a.label(name));
  const x = lanes.v(X);
  a.mov(r8, rdx);
  a.shr(r8, Math.log2(lanes.count));
  a.jz(rest);
  a.align(32);
  a.bind(vector);
  vectorOf(x, ptr(rdi));
  lanes.store(ptr(rsi), x);
  a.add(rdi, lanes.bytes / 2);
  a.add(rsi, lanes.bytes);
  a.dec(r8);
  a.jnz(vector);
  a.bind(rest);
  a.and(rdx, lanes.count - 1);
  a.jz(done);
  a.bind(element);
  a.movzx(eax, word(rdi));
  a.vmovd(xmm(X), eax);
  elementOf();
  a.vmovss(ptr(rsi), xmm(X));
  a.add(rdi, 2);
  a.add(rsi, 4);
  a.dec(rdx);
  a.jnz(element);
  a.bind(done);
  lanes.return();
  return a.finish();
}

/** `void bf16_to_f32(const uint16_t *x, float *out, size_t length)` */
export function bf16ToF32Code(level: KernelLevel): Code {
  const lanes = new Lanes(level);
  return convertAll(lanes, (to, from) => {
    lanes.op("vpmovzxwd", to, from);
    lanes.op("vpslld", to, to, 16);
  }, () => lanes.a.vpslld(xmm(X), xmm(X), 16));
}

/** `void f16_to_f32(const uint16_t *x, float *out, size_t length)` */
export function f16ToF32Code(level: KernelLevel): Code {
  const lanes = new Lanes(level);
  return convertAll(
    lanes,
    (to, from) => lanes.op("vcvtph2ps", to, from),
    () => lanes.a.vcvtph2ps(xmm(X), xmm(X)),
  );
}
