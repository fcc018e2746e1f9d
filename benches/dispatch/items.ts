export const COUNT = 4096;
export const PASSES = 16;

/** Which class comes when: random, and the same in each run. */
export const order = (() => {
  let state = 1;
  return Array.from({ length: COUNT }, () => (state = state * 48271 % 2147483647) >> 8);
})();

export interface Numbered {
  readonly kind: number;
  readonly side: number;
}
