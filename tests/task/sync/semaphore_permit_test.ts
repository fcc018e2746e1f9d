import { describe, it } from "node:test";
import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { Semaphore } from "../../../lib/task/sync.ts";
import { ready } from "./by_hand.ts";

describe("a permit", () => {
  it("goes back once, however often it is released", () => {
    const semaphore = new Semaphore(2);
    const permit = ready(semaphore.acquireMany(2));
    permit.release();
    permit[Symbol.dispose]();
    assertEquals([permit.count, semaphore.availablePermits], [0, 2]);
  });

  it("that is forgotten does not go back", () => {
    const semaphore = new Semaphore(2);
    const permit = ready(semaphore.acquireMany(2));
    assertEquals([permit.forget(), permit.forget()], [2, 0]);
    permit.release();
    assertEquals(semaphore.availablePermits, 0);
    assertStrictEquals(semaphore.tryAcquire(), undefined);
  });

  it("takes the permits of another", () => {
    const semaphore = new Semaphore(3);
    const [one, two] = [ready(semaphore.acquire()), ready(semaphore.acquireMany(2))];
    one.merge(two);
    two.release();
    assertEquals([one.count, two.count, semaphore.availablePermits], [3, 0, 0]);
    one.merge(one);
    assertEquals(one.count, 3);
    one.release();
    one.merge(ready(semaphore.acquire()));
    one.release();
    assertEquals(semaphore.availablePermits, 3);
  });

  it("takes none of another semaphore's", () => {
    const [one, other] = [ready(new Semaphore(3).acquire()), ready(new Semaphore(3).acquire())];
    assertThrows(() => one.merge(other), TypeError, "they are of two semaphores");
    assertEquals([one.count, other.count], [1, 1]);
  });

  it("is split into permits that go back each by itself", () => {
    const semaphore = new Semaphore(5);
    const first = ready(semaphore.acquireMany(3));
    const second = first.split(1);
    const nothing = first.split(0);
    assertEquals([first.count, second?.count, nothing?.count, semaphore.availablePermits], [2, 1, 0, 2]);
    first.release();
    assertEquals(semaphore.availablePermits, 4);
    const third = second?.split(1);
    assertEquals([second?.count, third?.count, second?.split(1)], [0, 1, undefined]);
    second?.release();
    nothing?.release();
    assertEquals(semaphore.availablePermits, 4);
    third?.release();
    assertEquals(semaphore.availablePermits, 5);
  });
});
