/**
 * Three passes over each row: the greatest, the exponentials and their sum, the division. The sum is in double
 * precision, as are the sums of `layerNorm`: beside an exponential that costs little.
 */
import { type Code, r8, r9, rcx, rdi, rdx, rsi, xmm } from "../../jit/mod.ts";
import { computeExp, EXP_CONSTANTS } from "./exp.ts";
import { at, type KernelLevel, Lanes } from "./lanes.ts";
import { eachRow, pass, type Span } from "./span.ts";

const rows = rdx;
const span: Span = { length: rcx, whole: r8, index: r9 };

/** `void softmax(const float *x, float *out, size_t rows, size_t columns)` */
export function softmaxCode(level: KernelLevel): Code {
  const lanes = new Lanes(level);
  const { a } = lanes;
  const [x, other, another, most, low, high] = [0, 1, 2, 3, 4, 5].map((i) => lanes.v(i));
  const c = lanes.constants(6, { ...EXP_CONSTANTS, high: -Infinity });
  const [minusInfinity, one] = [lanes.v(7), lanes.v(8)];
  const [from, to] = [at(rdi, span.index), at(rsi, span.index)];

  function addExp(): void {
    lanes.op("vsubps", x, x, most);
    computeExp(lanes, c, [x.id, other.id, another.id], "at most 0");
  }

  function addToTotal(): void {
    lanes.widen(other, another, x.id);
    lanes.op("vaddpd", low, low, other);
    lanes.op("vaddpd", high, high, another);
  }

  eachRow(lanes, span, rows, [rdi, rsi], () => {
    lanes.copy(most, minusInfinity);
    pass(lanes, span, () => lanes.op("vmaxps", most, most, from), () => {
      lanes.loadTailOr(x, from, minusInfinity);
      lanes.op("vmaxps", most, most, x);
    });
    lanes.fold("vmaxps", most.id, other.id);
    lanes.op("vbroadcastss", most, xmm(most.id));

    lanes.zero(low);
    lanes.zero(high);
    pass(lanes, span, () => {
      lanes.load(x, from);
      addExp();
      lanes.store(to, x);
      addToTotal();
    }, () => {
      lanes.loadTailOr(x, from, minusInfinity);
      addExp();
      lanes.storeTail(to, x);
      addToTotal();
    });
    lanes.foldTotal(low, high);
    a.vcvtss2sd(xmm(high.id), xmm(one.id), xmm(one.id));
    a.vdivsd(xmm(low.id), xmm(high.id), xmm(low.id));
    a.vcvtsd2ss(xmm(low.id), xmm(low.id), xmm(low.id));
    lanes.op("vbroadcastss", low, xmm(low.id));

    pass(lanes, span, () => {
      lanes.op("vmulps", x, low, to);
      lanes.store(to, x);
    }, () => {
      lanes.loadTail(x, to);
      lanes.op("vmulps", x, x, low);
      lanes.storeTail(to, x);
    });
  });
  return a.finish();
}
