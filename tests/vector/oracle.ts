/** What is right, in double precision, and how far a float32 is off it. */

const double = new Float64Array(1);
const words = new Uint32Array(double.buffer);

/** The exponent that a finite number has as a double. */
function exponentOf(value: number): number {
  double[0] = value;
  return (words[1] >>> 20 & 0x7ff) - 1023;
}

/** The distance of two neighbours of float32 at a value, 2^-149 where it is subnormal. */
export function ulpOf(exact: number): number {
  return 2 ** (Math.max(exponentOf(exact), -126) - 23);
}

/** How far a float32 is off, in units in the last place of the exact value; 0 of NaN for NaN. */
export function ulpsOff(actual: number, exact: number): number {
  if (Number.isNaN(exact)) return Number.isNaN(actual) ? 0 : Infinity;
  if (Math.abs(exact) >= 2 ** 128) return actual === Math.sign(exact) * Infinity ? 0 : Infinity;
  // Float32's infinity is where its next number would be.
  const value = Math.abs(actual) === Infinity ? Math.sign(actual) * 2 ** 128 : actual;
  return Math.abs(value - exact) / ulpOf(exact);
}

/** Of the standard normal distribution: by its series, and far out by the continued fraction of Mills' ratio. */
export function normal(x: number): number {
  if (x > 0) return 1 - normal(-x);
  const density = Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
  if (x > -2.5) {
    let [term, sum] = [-x, -x];
    for (let n = 3; term > sum * 1e-18; n += 2) sum += term *= x * x / n;
    return 0.5 - density * sum;
  }
  let fraction = -x;
  for (let n = 300; n > 0; n--) fraction = -x + n / fraction;
  return density / fraction;
}

/** The sum of products as exact as double precision is, by Neumaier; and that of their magnitudes. */
export function sumOf(terms: Iterable<number>): { sum: number; magnitude: number } {
  let sum = 0, rest = 0, magnitude = 0;
  for (const term of terms) {
    const next = sum + term;
    rest += Math.abs(sum) >= Math.abs(term) ? sum - next + term : term - next + sum;
    sum = next;
    magnitude += Math.abs(term);
  }
  return { sum: sum + rest, magnitude };
}

/** Every `stride`-th bit pattern of float32, with those that are special, `block` at a time. */
export function* patterns(stride: number, block = 1 << 16): Generator<Float32Array<ArrayBuffer>> {
  const special = [0, 1, 0x7fffff, 0x800000, 0x3f800000, 0x7f7fffff, 0x7f800000, 0x7f800001, 0x7fc00000];
  yield new Float32Array(Uint32Array.from(special.flatMap((bits) => [bits, bits + 2 ** 31])).buffer);
  for (let from = 0; from < 2 ** 32; from += stride * block) {
    const count = Math.min(block, Math.ceil((2 ** 32 - from) / stride));
    const bits = new Uint32Array(count);
    for (let i = 0; i < count; i++) bits[i] = from + i * stride;
    yield new Float32Array(bits.buffer);
  }
}
