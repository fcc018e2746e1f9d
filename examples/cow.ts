/**
 * Where a Cow's elements lie, before and after `absAll`: with a negative number in the slice the Cow moves to a copy
 * of its own, without one it stays where it borrowed. The slice stays as it is in both.
 *
 *     deno run -A examples/cow.ts
 *     bun examples/cow.ts
 *     node examples/cow.ts
 */
import { addressOf, offset, pointerTo } from "../ffi/mod.ts";
import { Cow } from "../lib/mem/cow.ts";

/** Rust's own example, from the documentation of `std::borrow::Cow`. */
function absAll(input: Cow<Int32Array>): void {
  for (let i = 0; i < input.value.length; i++) {
    if (input.value[i] < 0) input.toMut()[i] *= -1;
  }
}

/** The address of element `i`. */
function addressIn(array: Int32Array, i: number): string {
  return `0x${addressOf(offset(pointerTo(array), i * array.BYTES_PER_ELEMENT)).toString(16)}`;
}

function printAddresses(slice: Int32Array, input: Cow<Int32Array>): void {
  console.log(`slice      ${addressIn(slice, 0)}`);
  console.log(`input      ${addressIn(input.value, 0)}`);
  console.log(`slice[1]   ${addressIn(slice, 1)}`);
  console.log(`input[1]   ${addressIn(input.value, 1)}`);
}

for (const slice of [Int32Array.of(0, -1, 2), Int32Array.of(0, 1, 2)]) {
  const input = Cow.borrowed(slice);
  console.log(`[${slice}] before`);
  printAddresses(slice, input);
  absAll(input);
  console.log(`[${slice}] after: [${input.value}], ${input.isBorrowed ? "borrowed" : "owned"}`);
  printAddresses(slice, input);
}
