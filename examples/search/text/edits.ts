/**
 * Whether `b` comes of `a` by one slip of the pen: a character changed, left out or added, or two
 * neighbours swapped. Equal sequences do not.
 */
export function isOneEditApart(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  if (a.length > b.length) return isOneEditApart(b, a);
  if (b.length - a.length > 1) return false;
  let first = 0;
  while (first < a.length && a[first] === b[first]) first++;
  if (a.length < b.length) return equalFrom(a, first, b, first + 1);
  if (first === a.length) return false;
  if (equalFrom(a, first + 1, b, first + 1)) return true;
  return a[first] === b[first + 1] && a[first + 1] === b[first] && equalFrom(a, first + 2, b, first + 2);
}

function equalFrom(a: ArrayLike<number>, i: number, b: ArrayLike<number>, j: number): boolean {
  for (; i < a.length; i++, j++) {
    if (a[i] !== b[j]) return false;
  }
  return true;
}
