import { shown } from "../../io/arguments.ts";
import { CoroutineFuture } from "../coroutine.ts";
import { fromPromise } from "../promise.ts";
import { type Coroutine, Future } from "../future.ts";
import { dropAll } from "./drop_all.ts";

/** What can be waited for: a future, a coroutine, a promise. */
export type Spawnable<T> = Future<T> | Coroutine<T> | PromiseLike<T>;

/** What waiting for it gives. */
export type Output<B> = B extends Future<infer T> ? T
  : B extends Coroutine<infer T> ? T
  : B extends PromiseLike<infer T> ? T
  : never;

/** Whether it is a coroutine. Throws a TypeError where it is nothing that can be waited for. */
export function isCoroutine<T>(body: Spawnable<T>): body is Coroutine<T> {
  if (Object(body) === body) {
    if (Symbol.iterator in body && "next" in body) return true;
    if ("then" in body) return false;
  }
  throw new TypeError(`cannot make a task of ${shown(body)}: it is no future, coroutine or promise`);
}

/** The future that drives any of them. */
export function toFuture<T>(body: Spawnable<T>): Future<T> {
  if (body instanceof Future) return body;
  return isCoroutine(body) ? new CoroutineFuture(body) : fromPromise(body);
}

/** A future for each. Drops those before it where one is none, or where the iteration fails. */
export function toFutures<T>(bodies: Iterable<Spawnable<T>>): Future<T>[] {
  if (Object(bodies)[Symbol.iterator] === undefined) {
    throw new TypeError(`cannot wait for all of ${shown(bodies)}: it is not iterable`);
  }
  const futures: Future<T>[] = [];
  try {
    for (const body of bodies) futures.push(toFuture(body));
    return futures;
  } catch (error) {
    return dropAll(futures, { error });
  }
}
