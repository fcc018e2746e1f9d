/**
 * The natural logarithm by additions, multiplications and divisions alone: those are exact to the last
 * bit by IEEE 754, while `Math.log` differs between hosts there, and an index must not.
 *
 * @module
 */

/** ln(x) of a finite x > 0, to within 2e-15 of its size. */
export function ln(x: number): number {
  let exponent = 0;
  while (x > Math.SQRT2) {
    x /= 2;
    exponent++;
  }
  while (x < Math.SQRT1_2) {
    x *= 2;
    exponent--;
  }
  // ln x = 2 artanh((x - 1) / (x + 1)), and |(x - 1) / (x + 1)| < 0.172 here.
  const ratio = (x - 1) / (x + 1);
  const square = ratio * ratio;
  let sum = 0;
  for (let power = 21; power >= 1; power -= 2) sum = sum * square + 1 / power;
  return exponent * Math.LN2 + 2 * ratio * sum;
}
