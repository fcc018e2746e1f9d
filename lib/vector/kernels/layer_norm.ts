/**
 * Three passes over each row: the mean, the mean square of what is off it, and the result. Sums are in double
 * precision, and the mean is subtracted in two parts, so that a row far from 0 loses nothing.
 */
import { type Code, ptr, r10, r11, r8, r9, rcx, rdi, rdx, rsi, xmm } from "../../jit/mod.ts";
import { at, type KernelLevel, Lanes } from "./lanes.ts";
import { eachRow, pass, type Span } from "./span.ts";

const [gamma, beta, rows] = [rdx, rcx, r8];
const span: Span = { length: r9, whole: r11, index: r10 };

/**
 * `void layer_norm(const float *x, float *out, const float *gamma, const float *beta, size_t rows,
 * size_t columns, double epsilon)`
 */
export function layerNormCode(level: KernelLevel): Code {
  const lanes = new Lanes(level);
  const { a } = lanes;
  const [epsilon, x, wideLow, wideHigh, low, high, mean, meanRest, scale, y] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
    .map((i) => lanes.v(i));
  const [columns, one] = [xmm(10), xmm(11)];
  const [from, to] = [at(rdi, span.index), at(rsi, span.index)];
  const total = xmm(low.id);

  /** The mean of what was summed, in double precision. */
  function foldMean(): void {
    lanes.foldTotal(low, high);
    a.vdivsd(total, total, columns);
  }

  function addSquares(): void {
    lanes.widen(wideLow, wideHigh, x.id);
    lanes.op("vfmadd231pd", low, wideLow, wideLow);
    lanes.op("vfmadd231pd", high, wideHigh, wideHigh);
  }

  function addElements(): void {
    lanes.widen(wideLow, wideHigh, x.id);
    lanes.op("vaddpd", low, low, wideLow);
    lanes.op("vaddpd", high, high, wideHigh);
  }

  /** The first difference is exact wherever the second is not small beside it. */
  function centre(): void {
    lanes.op("vsubps", x, x, mean);
    lanes.op("vsubps", x, x, meanRest);
  }

  a.vxorps(columns, columns, columns);
  a.vcvtsi2sd(columns, columns, span.length);
  a.vmovsd(one, ptr(a.constant(Float64Array.of(1), 8)));
  eachRow(lanes, span, rows, [rdi, rsi], () => {
    lanes.zero(low);
    lanes.zero(high);
    pass(lanes, span, () => {
      lanes.load(x, from);
      addElements();
    }, () => {
      lanes.loadTail(x, from);
      addElements();
    });
    foldMean();
    a.vcvtsd2ss(xmm(mean.id), total, total);
    a.vcvtss2sd(xmm(wideLow.id), xmm(mean.id), xmm(mean.id));
    a.vsubsd(total, total, xmm(wideLow.id));
    a.vcvtsd2ss(xmm(meanRest.id), total, total);
    lanes.op("vbroadcastss", mean, xmm(mean.id));
    lanes.op("vbroadcastss", meanRest, xmm(meanRest.id));

    lanes.zero(low);
    lanes.zero(high);
    pass(lanes, span, () => {
      lanes.load(x, from);
      centre();
      addSquares();
    }, () => {
      lanes.loadTail(x, from);
      centre();
      lanes.clearOutsideTail(x);
      addSquares();
    });
    foldMean();
    a.vaddsd(total, total, xmm(epsilon.id));
    a.vsqrtsd(total, total, total);
    a.vdivsd(total, one, total);
    a.vcvtsd2ss(xmm(scale.id), total, total);
    lanes.op("vbroadcastss", scale, xmm(scale.id));

    pass(lanes, span, () => {
      lanes.load(x, from);
      centre();
      lanes.load(y, at(beta, span.index));
      lanes.op("vmulps", x, x, scale);
      lanes.op("vfmadd231ps", y, x, at(gamma, span.index));
      lanes.store(to, y);
    }, () => {
      lanes.loadTail(x, from);
      centre();
      lanes.loadTail(y, at(beta, span.index));
      lanes.op("vmulps", x, x, scale);
      lanes.loadTail(wideLow, at(gamma, span.index));
      lanes.op("vfmadd231ps", y, x, wideLow);
      lanes.storeTail(to, y);
    });
  });
  return a.finish();
}
