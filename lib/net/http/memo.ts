/** Longer ones are not remembered. */
const LONGEST = 2048;
/** As many as a comparison of the last four bytes wants. */
const SHORTEST = 4;
/** A power of two. */
const SLOTS = 32;
/** Times that a slot is not asked, once it was wrong again and again. */
const LONGEST_REST = 63;

class Slot<T> {
  value: T | undefined;
  /** Of what is remembered. */
  length = 0;
  words: Int32Array = new Int32Array(0);
  /** The last four bytes. */
  tail = 0;
  /** Of what was seen last, whether it was remembered or not. */
  lastLength = 0;
  wrong = 0;
  rest = 0;
}

/**
 * What was made of the same bytes before: clients say the same again and again. A value is found by how many bytes
 * there are, and is given where the first of them are, all of them, those that it was made of. Their
 * number alone decides how long that takes, so that no client can feel its way along another's bytes.
 *
 * Bytes that never come again cost next to nothing: a slot that is wrong rests, ever longer, and takes what
 * comes twice in the same length.
 */
export class Memo<T> {
  readonly #slots: Slot<T>[] = Array.from({ length: SLOTS }, () => new Slot<T>());
  /** How many bytes the value was made of that {@linkcode find} gave last. */
  length = 0;

  /** The value made of the first bytes at `at`, where `available` are. */
  find(view: DataView, at: number, available: number): T | undefined {
    const slot = this.#slots[available & (SLOTS - 1)];
    const { value, length } = slot;
    if (value === undefined || length > available) return undefined;
    if (slot.rest > 0) {
      slot.rest--;
      return undefined;
    }
    const { words } = slot;
    let difference = slot.tail ^ view.getInt32(at + length - 4, true);
    for (let i = 0; i < words.length; i++) difference |= words[i] ^ view.getInt32(at + 4 * i, true);
    if (difference !== 0) {
      slot.wrong = Math.min(LONGEST_REST, 2 * slot.wrong + 1);
      slot.rest = slot.wrong;
      return undefined;
    }
    slot.wrong = 0;
    this.length = length;
    return value;
  }

  /** Remembers, where that may pay, what was made of `length` bytes at `at`, where `available` were. */
  offer(view: DataView, at: number, available: number, length: number, value: T): void {
    const slot = this.#slots[available & (SLOTS - 1)];
    if (slot.lastLength !== length) {
      slot.lastLength = length;
      return;
    }
    const isResting = slot.value !== undefined && slot.rest !== slot.wrong;
    if (isResting || length < SHORTEST || length > LONGEST) return;
    const count = length >> 2;
    if (slot.words.length !== count) slot.words = new Int32Array(count);
    const { words } = slot;
    for (let i = 0; i < count; i++) words[i] = view.getInt32(at + 4 * i, true);
    slot.tail = view.getInt32(at + length - 4, true);
    slot.length = length;
    slot.value = value;
  }
}
