import { describe, it } from "node:test";
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { ByteQueue } from "../../../lib/net/async_io.ts";
import { bytesOf, textOf } from "./scripted.ts";

const operation = fc.oneof(
  fc.record({ kind: fc.constant("push"), bytes: fc.uint8Array({ maxLength: 60 }) }),
  fc.record({ kind: fc.constant("unshift"), bytes: fc.uint8Array({ maxLength: 20 }) }),
  fc.record({
    kind: fc.constantFrom("take", "skip", "truncate", "takeInto", "pushByte", "room", "takeAll"),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 40 }),
  }),
);

describe("a queue of bytes", () => {
  it("holds what an array would, whatever is added and taken", () => {
    fc.assert(fc.property(
      fc.integer({ min: 1, max: 16 }),
      fc.array(operation, { maxLength: 60 }),
      (capacity, operations) => {
        const queue = new ByteQueue(capacity);
        let model: number[] = [];
        for (const { kind, bytes } of operations) {
          const count = Math.min(bytes.byteLength, model.length);
          switch (kind) {
            case "push":
              queue.push(bytes);
              model.push(...bytes);
              break;
            case "unshift":
              queue.unshift(bytes);
              model.unshift(...bytes);
              break;
            case "take":
              assertEquals([...queue.take(count)], model.splice(0, count));
              break;
            case "skip":
              queue.skip(count);
              model.splice(0, count);
              break;
            case "truncate":
              queue.truncate(count);
              model.length = count;
              break;
            case "takeInto": {
              const into = new Uint8Array(bytes.byteLength);
              assertEquals(queue.takeInto(into), count);
              assertEquals([...into.subarray(0, count)], model.splice(0, count));
              break;
            }
            case "pushByte":
              queue.pushByte(bytes[0]);
              model.push(bytes[0]);
              break;
            case "room":
              queue.room(bytes.byteLength).set(bytes);
              queue.added(bytes.byteLength);
              model.push(...bytes);
              break;
            case "takeAll":
              assertEquals([...queue.takeAll()], model);
              model = [];
              break;
          }
          assertEquals([...queue.view()], model);
          assertEquals(queue.length, model.length);
          const byte = bytes[0] ?? 0;
          assertEquals(queue.indexOf(byte), model.indexOf(byte));
          assertEquals(queue.indexOf(byte, count), model.indexOf(byte, count));
          assertEquals(queue.at(count), model[count]);
        }
      },
    ));
  });

  it("finds a byte far behind, and none in the room behind the last", () => {
    const queue = new ByteQueue(1000);
    queue.push(new Uint8Array(500).fill(7));
    queue.truncate(400);
    queue.push(Uint8Array.of(9));
    assertEquals([queue.indexOf(9), queue.indexOf(9, 401), queue.indexOf(7, 400), queue.at(-1)], [
      400,
      -1,
      -1,
      undefined,
    ]);
  });

  it("moves each byte a few times at most, however it is cut", () => {
    const queue = new ByteQueue(16);
    let moved = 0;
    const { copyWithin, set } = Uint8Array.prototype;
    Uint8Array.prototype.copyWithin = function (target: number, start: number, end?: number) {
      moved += (end ?? this.length) - start;
      return Reflect.apply(copyWithin, this, [target, start, end]);
    };
    Uint8Array.prototype.set = function (bytes: ArrayLike<number>, at?: number) {
      moved += bytes.length;
      Reflect.apply(set, this, [bytes, at]);
    };
    try {
      for (let i = 0; i < 20_000; i++) {
        queue.push(Uint8Array.of(1, 2, 3));
        if (i % 3 > 0) queue.skip(4);
      }
    } finally {
      Uint8Array.prototype.copyWithin = copyWithin;
      Uint8Array.prototype.set = set;
    }
    assert(moved < 60_000 * 5, `${moved} bytes were moved`);
  });

  it("gives back the memory of a burst", () => {
    const queue = new ByteQueue(64);
    queue.push(new Uint8Array(100_000));
    queue.skip(100_000);
    assertEquals(queue.room(1).byteLength, 64);
  });

  it("adds a text as UTF-8", () => {
    const queue = new ByteQueue();
    queue.pushText("ox 🐂 é");
    assertEquals(textOf(queue.view()), "ox 🐂 é");
    assertEquals(queue.length, bytesOf("ox 🐂 é").byteLength);
  });

  it("refuses what is not there, and what is no byte", () => {
    const queue = new ByteQueue();
    queue.push(bytesOf("abc"));
    assertThrows(() => queue.take(4), RangeError, "cannot take 4 bytes: there are 3");
    assertThrows(() => queue.skip(-1), RangeError, "cannot skip -1");
    assertThrows(() => queue.truncate(4), RangeError, "cannot keep 4");
    assertThrows(() => queue.view(2, 4), RangeError, "from 2 to 4 of 3");
    assertThrows(() => queue.view(2, 1), RangeError, "from 2 to 1 of 3");
    assertThrows(() => queue.added(1e9), RangeError, "cannot add 1000000000");
    assertThrows(() => queue.indexOf(256), RangeError, "byte is 256");
    assertThrows(() => queue.pushByte(-1), RangeError, "byte is -1");
    assertThrows(() => new ByteQueue(0), RangeError, "capacity is 0");
    const text: unknown = "abc";
    assertThrows(() => Reflect.apply(queue.push, queue, [text]), TypeError, "bytes is no Uint8Array");
    assertEquals(queue.length, 3);
  });
});
