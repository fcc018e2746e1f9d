/**
 * The few functions of `@std/assert` that the tests use, over `node:assert`, so that the suite
 * needs no reach to JSR. `deno.json` links it in the place of the package.
 *
 * @module
 */
import nodeAssert from "node:assert/strict";

type ErrorClass<E extends Error> = abstract new (...args: never[]) => E;

/** Passes where `value` is truthy. */
export function assert(value: unknown, message = "the value is falsy"): asserts value {
  nodeAssert.ok(value, message);
}

/** Passes where both are deeply and strictly equal. */
export function assertEquals<T>(actual: T, expected: T): void {
  nodeAssert.deepStrictEqual(actual, expected);
}

/** Passes where both are not deeply equal. */
export function assertNotEquals<T>(actual: T, expected: T): void {
  nodeAssert.notDeepStrictEqual(actual, expected);
}

/** Passes where both are the same value by `Object.is`. */
export function assertStrictEquals<T>(actual: unknown, expected: T): asserts actual is T {
  nodeAssert.strictEqual(actual, expected);
}

/** Passes where `actual` holds `expected`. */
export function assertStringIncludes(actual: string, expected: string): void {
  nodeAssert.ok(
    actual.includes(expected),
    `${JSON.stringify(actual)} does not include ${JSON.stringify(expected)}`,
  );
}

/** Passes where `actual` matches. */
export function assertMatch(actual: string, expected: RegExp): void {
  nodeAssert.match(actual, expected);
}

/** Passes where the two differ by no more than `tolerance`. */
export function assertAlmostEquals(actual: number, expected: number, tolerance = 1e-7): void {
  nodeAssert.ok(
    Object.is(actual, expected) || Math.abs(actual - expected) <= tolerance,
    `${actual} is not within ${tolerance} of ${expected}`,
  );
}

/** Passes where `value` was made by `Class`. */
export function assertInstanceOf<T>(
  value: unknown,
  Class: abstract new (...args: never[]) => T,
): asserts value is T {
  nodeAssert.ok(value instanceof Class, `${String(value)} is not a ${Class.name}`);
}

/** Passes where `fn` throws an `ErrorType` whose message includes `includes`; returns the error. */
export function assertThrows<E extends Error>(fn: () => unknown, ErrorType: ErrorClass<E>, includes = ""): E {
  try {
    fn();
  } catch (error) {
    return checkError(error, ErrorType, includes);
  }
  return nodeAssert.fail(`expected a ${ErrorType.name} but nothing was thrown`);
}

/** Passes where `fn` rejects with an `ErrorType` whose message includes `includes`; returns the error. */
export async function assertRejects<E extends Error>(
  fn: () => PromiseLike<unknown>,
  ErrorType: ErrorClass<E>,
  includes = "",
): Promise<E> {
  try {
    await fn();
  } catch (error) {
    return checkError(error, ErrorType, includes);
  }
  return nodeAssert.fail(`expected a rejection with ${ErrorType.name} but it was fulfilled`);
}

function checkError<E extends Error>(error: unknown, ErrorType: ErrorClass<E>, includes: string): E {
  if (!(error instanceof ErrorType)) throw error;
  assertStringIncludes(error.message, includes);
  return error;
}
