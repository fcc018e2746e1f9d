import { type Spawnable, toFuture } from "../../futures/to_future.ts";
import { isSplit, type Piece, type RangeCell, type RangeCells, type Split } from "../range_cell.ts";
import { isWaitable } from "./waitable.ts";

type Callable = (...args: unknown[]) => unknown;

/**
 * What a thread runs of `parallelFor`, and with `reduce` of `mapReduce`: calls the function with one piece of the range
 * after another, until it is used up. Gives what the pieces came to, reduced: one value, or none where it got no piece.
 */
export function overRange(fn: Callable, reduce: Callable | null, cells: RangeCells): Callable {
  return (cell, range, ...args) => {
    if (!isSplit(range)) throw new TypeError("cannot work on a range: it is none");
    const pieces = typeof cell === "number" ? cells.at(cell, range) : new OnePiece(range);
    return drive(overPieces(pieces, fn, reduce, args));
  };
}

/** Reduces values, of which there is one at least. */
export function overValues(reduce: Callable): Callable {
  return (...values) => drive(reduceAll(reduce, values));
}

/** A range that is one piece. */
class OnePiece {
  #left: Piece | null;

  constructor({ start, end }: Split) {
    this.#left = { start, end };
  }

  claim(): Piece | null {
    const piece = this.#left;
    this.#left = null;
    return piece;
  }

  close(): void {}
}

/** Yields what is to be waited for. The arguments that crossed by reference are this thread's own, to the last piece. */
function* overPieces(
  pieces: RangeCell | OnePiece,
  fn: Callable,
  reduce: Callable | null,
  args: unknown[],
): Generator<unknown, unknown[], unknown> {
  using own = new DisposableStack();
  for (const arg of args) if (isDisposable(arg)) own.use(arg);
  let sum: unknown[] = [];
  try {
    for (let piece = pieces.claim(); piece !== null; piece = pieces.claim()) {
      const value = yield fn(piece.start, piece.end, ...args);
      if (reduce !== null) sum = [sum.length === 0 ? value : yield reduce(sum[0], value)];
    }
  } catch (error) {
    pieces.close();
    throw error;
  }
  return sum;
}

function* reduceAll(reduce: Callable, values: unknown[]): Generator<unknown, unknown, unknown> {
  let sum = values[0];
  for (let i = 1; i < values.length; i++) sum = yield reduce(sum, values[i]);
  return sum;
}

function isDisposable(value: unknown): value is Disposable {
  return typeof value === "object" && value !== null && Symbol.dispose in value;
}

/** Gives each yielded value back at once, and from the first on that is to be waited for, later. */
function drive(steps: Generator<unknown, unknown, unknown>): unknown {
  let step = steps.next();
  while (!step.done) {
    if (isWaitable(step.value)) return driveLater(steps, step.value);
    step = steps.next(step.value);
  }
  return step.value;
}

async function driveLater(
  steps: Generator<unknown, unknown, unknown>,
  first: Spawnable<unknown>,
): Promise<unknown> {
  let step: IteratorResult<unknown, unknown> = { done: false, value: first };
  while (!step.done) {
    let value: unknown;
    try {
      value = isWaitable(step.value) ? await toFuture(step.value) : step.value;
    } catch (error) {
      step = steps.throw(error);
      continue;
    }
    step = steps.next(value);
  }
  return step.value;
}
