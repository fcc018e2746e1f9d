import { describe, it } from "node:test";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { clone } from "./clones.ts";

function cloned(error: Error): Error {
  const found = clone(error);
  assert(found instanceof Error);
  return found;
}

describe("errors", () => {
  it("are of the same class, with message, stack and name", () => {
    const classes = [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError];
    for (const Class of classes) {
      const error = new Class("message of it");
      const found = cloned(error);
      assertStrictEquals(Object.getPrototypeOf(found), Class.prototype);
      assertEquals([found.message, found.stack, found.name], [error.message, error.stack, error.name]);
      assertEquals(Object.keys(found), []);
    }
    class MissingError extends RangeError {
      override readonly name = "MissingError";
      readonly code = "E_MISSING";
    }
    const found = cloned(new MissingError("gone"));
    assert(found instanceof RangeError);
    assertEquals([found.name, String(found), Reflect.get(found, "code")], [
      "MissingError",
      "MissingError: gone",
      "E_MISSING",
    ]);
    class Quiet extends Error {}
    Quiet.prototype.name = "Quiet";
    assertEquals([cloned(new Quiet("x")).name, Object.keys(cloned(new Quiet("x")))], ["Quiet", []]);
  });

  it("keep their causes and their errors", () => {
    const inner = new TypeError("inner");
    const found = cloned(new AggregateError([inner, 5], "both", { cause: inner }));
    assert(found instanceof AggregateError && found.cause instanceof TypeError);
    assertEquals([found.errors.length, found.errors[1], found.cause.message], [2, 5, "inner"]);
    assertStrictEquals(found.errors[0], found.cause);
    const own = new Error("own");
    own.cause = own;
    const circle = cloned(own);
    assertStrictEquals(circle.cause, circle);
  });

  it("of the platform keep name, message and code", () => {
    const found = clone(new DOMException("stop it", "AbortError"));
    assert(found instanceof DOMException);
    assertEquals([found.name, found.message, found.code], ["AbortError", "stop it", 20]);
    const timeout = clone(new DOMException("late", "TimeoutError"));
    assertEquals(timeout instanceof DOMException && timeout.name, "TimeoutError");
  });

  it("leave out what cannot be sent, and nothing else", () => {
    const shared = { a: 1 };
    const error = Object.assign(new Error("x", { cause: { a: { f(): void {} } } }), {
      before: shared,
      handler: (): void => {},
      nested: { list: [1, { deep: Symbol("s") }] },
      after: [shared],
    });
    const found = cloned(error);
    assertEquals(Object.keys(found), ["before", "after"]);
    assertStrictEquals(Reflect.get(found, "before"), Reflect.get(found, "after")[0]);
    assertEquals([found.message, found.cause], ["x", undefined]);
  });
});
