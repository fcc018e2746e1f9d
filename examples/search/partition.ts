/** How many of 0 to `size - 1` satisfy `isBefore`, which holds for the first ones and for no others. */
export function partition(size: number, isBefore: (i: number) => boolean): number {
  let low = 0;
  let high = size;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBefore(middle)) low = middle + 1;
    else high = middle;
  }
  return low;
}
