import { describe, it } from "node:test";
import { Buffer } from "node:buffer";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assert, assertEquals, assertNotEquals, assertStrictEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { Cow } from "../../lib/mem/cow.ts";
import { Mmap } from "../../lib/mem/mmap.ts";
import { moduleUrl, outputOf } from "../child.ts";

type View = Exclude<ReturnType<typeof over>[number], undefined>;

/** A view of each kind over the same 16 bytes from byte 8 of a buffer of 32. */
function over(buffer: ArrayBuffer) {
  return [
    new Int8Array(buffer, 8, 16),
    new Uint8Array(buffer, 8, 16),
    new Uint8ClampedArray(buffer, 8, 16),
    new Int16Array(buffer, 8, 8),
    new Uint16Array(buffer, 8, 8),
    new Int32Array(buffer, 8, 4),
    new Uint32Array(buffer, 8, 4),
    new BigInt64Array(buffer, 8, 2),
    new BigUint64Array(buffer, 8, 2),
    new Float16Array(buffer, 8, 8),
    new Float32Array(buffer, 8, 4),
    new Float64Array(buffer, 8, 2),
    new DataView(buffer, 8, 16),
    Buffer.from(buffer, 8, 16),
    new Bytes(buffer, 8, 16),
  ];
}

/** A subclass of a user's. */
class Bytes extends Uint8Array<ArrayBuffer> {
  get first(): number {
    return this[0];
  }
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function counting(length: number): ArrayBuffer {
  return Uint8Array.from({ length }, (_, i) => i).buffer;
}

const kinds = over(new ArrayBuffer(32)).map((view) => view.constructor.name);

describe("Cow", () => {
  kinds.forEach((kind, i) => {
    it(`copies a ${kind} once, when it is to be changed, and leaves what it borrowed`, () => {
      const buffer = counting(32);
      const view: View = over(buffer)[i];
      const cow = Cow.borrowed<View>(view);
      assertStrictEquals(cow.value, view);
      assertEquals(cow.isBorrowed, true);

      const copy = cow.toMut();
      assertEquals(cow.isBorrowed, false);
      assertStrictEquals(Object.getPrototypeOf(copy), Object.getPrototypeOf(view));
      assertNotEquals(copy.buffer, buffer);
      assertEquals(bytesOf(copy), new Uint8Array(counting(32), 8, 16));
      assertStrictEquals(cow.value, copy);
      assertStrictEquals(cow.toMut(), copy);

      bytesOf(copy).fill(255);
      assertEquals(bytesOf(cow.value), new Uint8Array(16).fill(255));
      assertEquals(new Uint8Array(buffer), new Uint8Array(counting(32)));
    });

    it(`takes a ${kind} over without a copy`, () => {
      const view: View = over(counting(32))[i];
      const cow = Cow.owned<View>(view);
      assertEquals(cow.isBorrowed, false);
      assertStrictEquals(cow.toMut(), view);
      assertStrictEquals(cow.intoOwned(), view);
    });

    it(`copies a ${kind} into what it is given`, () => {
      const buffer = counting(32);
      const target = new ArrayBuffer(32);
      const into: View = over(target)[i];
      const cow = Cow.borrowed<View>(over(buffer)[i]);
      assertStrictEquals(cow.toMut({ into }), into);
      assertStrictEquals(cow.value, into);
      assertEquals(cow.isBorrowed, false);
      assertEquals(
        [...new Uint8Array(target)],
        [...new Uint8Array(8), ...new Uint8Array(counting(32), 8, 16), ...new Uint8Array(8)],
      );
    });

    it(`tells that the memory of a ${kind} is gone`, () => {
      for (const make of [Cow.borrowed<View>, Cow.owned<View>]) {
        const buffer = counting(32);
        const view: View = over(buffer)[i];
        const cow = make(view);
        buffer.transfer();
        for (
          const use of [() => cow.value, () => cow.toMut(), () => cow.intoOwned(), () => cow.equals(cow)]
        ) {
          assertThrows(use, TypeError, "memory");
        }
        assertEquals(cow.isBorrowed, make === Cow.borrowed<View>);
        assertThrows(() => make(view), TypeError, "gone");
      }
      const cow = Cow.borrowed<View>(over(counting(32))[i]);
      structuredClone(cow.toMut().buffer, { transfer: [cow.toMut().buffer] });
      assertThrows(() => cow.value, TypeError, "its own memory is gone");
    });

    it(`finds a ${kind} equal to its copy, and to no other kind or length`, () => {
      const views: View[] = over(Uint8Array.from({ length: 32 }, () => 1).buffer);
      const cow = Cow.borrowed(views[i]);
      const copy = Cow.borrowed(views[i]);
      copy.toMut();
      assertEquals(cow.equals(copy), true);
      assertEquals(cow.equals(views[i]), true);
      bytesOf(copy.toMut())[15] = 2;
      assertEquals(cow.equals(copy), false);
      const same = views.filter((other) => cow.equals(other)).map((other) => other.constructor.name);
      const bytes = ["Uint8Array", "Buffer", "Bytes"];
      assertEquals(same, bytes.includes(kind) ? bytes : [kind]);
    });
  });

  it("agrees with a copy made at once, whatever is read and written", () => {
    const write = fc.record({ at: fc.nat(9), to: fc.integer({ min: -128, max: 127 }) });
    fc.assert(
      fc.property(fc.int8Array({ minLength: 10, maxLength: 10 }), fc.array(write), (array, writes) => {
        const before = [...array];
        const oracle = [...array];
        const cow = Cow.borrowed(array);
        for (const { at, to } of writes) {
          assertEquals(cow.value[at], oracle[at]);
          if (oracle[at] === to) continue;
          oracle[at] = to;
          cow.toMut()[at] = to;
        }
        assertEquals([...cow.value], oracle);
        assertEquals([...array], before);
        if (cow.isBorrowed) assertStrictEquals(cow.value, array);
      }),
    );
  });

  it("borrows and copies nothing, too", () => {
    for (const empty of [new Uint8Array(0), new Float64Array(0), new DataView(new ArrayBuffer(0))]) {
      const cow = Cow.borrowed<View>(empty);
      assertEquals(cow.value.byteLength, 0);
      assertNotEquals(cow.toMut(), undefined);
      assertEquals([cow.isBorrowed, cow.intoOwned().byteLength], [false, 0]);
    }
  });

  it("compares floats as numbers", () => {
    for (const Type of [Float16Array, Float32Array, Float64Array]) {
      assertEquals(Cow.borrowed<View>(Type.of(0, 1.5)).equals(Type.of(-0, 1.5)), true);
      assertEquals(Cow.borrowed<View>(Type.of(NaN)).equals(Type.of(NaN)), false);
      assertEquals(Cow.borrowed<View>(Type.of(1, 2)).equals(Type.of(1, 3)), false);
      assertEquals(Cow.borrowed<View>(Type.of(1, 2)).equals(Type.of(1)), false);
    }
  });

  it("copies shared memory to memory that is not", () => {
    const shared = new Uint8Array(new SharedArrayBuffer(8)).fill(3);
    const cow = Cow.borrowed<Uint8Array>(shared);
    assert(cow.toMut().buffer instanceof ArrayBuffer);
    cow.toMut()[0] = 1;
    assertEquals([shared[0], ...cow.value], [3, 1, 3, 3, 3, 3, 3, 3, 3]);
    const view = Cow.borrowed(new DataView(shared.buffer, 2, 4));
    const copy = view.toMut();
    assert(copy.buffer instanceof ArrayBuffer);
    copy.setInt8(0, 8);
    assertEquals([copy.byteLength, copy.getInt8(0), copy.getInt8(3), shared[2]], [4, 8, 3, 3]);
  });

  it("copies no shared memory into shared memory, which may be the same by another name", () => {
    const shared = new Uint8Array(new SharedArrayBuffer(4));
    const cow = Cow.borrowed<Uint8Array>(shared);
    for (const into of [structuredClone(shared), new Uint8Array(new SharedArrayBuffer(4)), shared]) {
      assertThrows(() => cow.toMut({ into }), TypeError, "both shared memory");
    }
    assertEquals(cow.isBorrowed, true);
    const into = new Uint8Array(4);
    assertStrictEquals(cow.toMut({ into }), into);
    assertStrictEquals(Cow.borrowed<Uint8Array>(into).toMut({ into: shared }), shared);
  });

  it("follows a view of a resizable buffer, and tells when it was cut off", () => {
    const buffer = new ArrayBuffer(8, { maxByteLength: 16 });
    const tracking = Cow.borrowed(new Int16Array(buffer));
    const fixed = Cow.borrowed(new Int16Array(buffer, 4, 2));
    buffer.resize(16);
    assertEquals([tracking.value.length, fixed.value.length], [8, 2]);
    buffer.resize(6);
    assertEquals(tracking.value.length, 3);
    assertThrows(() => fixed.value, TypeError, "cut short");
    buffer.resize(12);
    assertEquals([tracking.value.length, fixed.value.length], [6, 2]);
    assertEquals(tracking.toMut().length, 6);
  });

  it("tells that the map it borrows from was disposed, and keeps what it copied before", () => {
    const folder = mkdtempSync(join(tmpdir(), "oxbow-cow-"));
    try {
      const path = join(folder, "numbers");
      writeFileSync(path, Float32Array.of(1, 2, 3));
      const map = Mmap.open(path);
      const early = Cow.borrowed(map.view(Float32Array, 0, 3));
      const late = Cow.borrowed(map.view(Float32Array, 0, 3));
      early.toMut()[0] = 9;
      assertEquals([...late.value], [1, 2, 3]);
      map[Symbol.dispose]();
      assertEquals([...early.value], [9, 2, 3]);
      assertThrows(() => late.value, TypeError, "was its map disposed");
      assertThrows(() => late.toMut(), TypeError, "was its map disposed");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("is spent when its value was taken out", () => {
    const view = Int32Array.of(1, 2);
    const borrowed = Cow.borrowed(view);
    const taken = borrowed.intoOwned();
    taken[0] = 7;
    assertEquals([...view], [1, 2]);
    const owned = Cow.owned(view);
    assertStrictEquals(owned.intoOwned(), view);
    for (const cow of [borrowed, owned, Cow.owned(new Int32Array(0))]) {
      if (cow !== borrowed && cow !== owned) cow.intoOwned();
      for (const use of [() => cow.value, () => cow.toMut(), () => cow.intoOwned(), () => cow.equals(view)]) {
        assertThrows(use, TypeError, "after intoOwned");
      }
    }
  });

  it("refuses to copy into another type, another length, or what it borrows, and stays borrowed", () => {
    const buffer = counting(32);
    const value = new Int16Array(buffer, 8, 4);
    const cow = Cow.borrowed<View>(value);
    assertThrows(() => cow.toMut({ into: new Uint16Array(4) }), TypeError, "Int16Array: into is Uint16Array");
    assertThrows(() => cow.toMut({ into: new DataView(new ArrayBuffer(8)) }), TypeError, "into is DataView");
    assertThrows(() => Reflect.apply(cow.toMut, cow, [{ into: null }]), TypeError, "into is Null");
    assertThrows(() => Reflect.apply(cow.toMut, cow, [{ into: [1, 2, 3, 4] }]), TypeError, "into is Array");
    for (const options of [null, 3, "into"]) {
      assertThrows(() => Reflect.apply(cow.toMut, cow, [options]), TypeError, "options is");
    }
    const gone = new Int16Array(4);
    gone.buffer.transfer();
    assertThrows(() => cow.toMut({ into: gone }), TypeError, "the memory of into is gone");
    const empty = Cow.borrowed(new Int16Array(0));
    assertThrows(() => empty.toMut({ into: gone }), TypeError, "the memory of into is gone");
    assertThrows(() => cow.toMut({ into: new Int16Array(3) }), RangeError, "8 bytes: into has 6");
    assertThrows(() => cow.toMut({ into: new Int16Array(5) }), RangeError, "8 bytes: into has 10");
    for (const from of [2, 6, 8, 14]) {
      const into = new Int16Array(buffer, from, 4);
      assertThrows(() => cow.toMut({ into }), RangeError, "overlaps");
    }
    assertEquals(new Uint8Array(buffer), new Uint8Array(counting(32)));
    assertEquals(cow.isBorrowed, true);
    for (const from of [0, 16]) {
      const beside = new Int16Array(buffer, from, 4);
      assertStrictEquals(Cow.borrowed(value).toMut({ into: beside }), beside);
      assertEquals(beside, value);
    }
  });

  it("does not look at into where it owns its value", () => {
    const cow = Cow.owned<View>(Int16Array.of(1));
    assertEquals(cow.toMut({ into: new Uint8Array(9) }), Int16Array.of(1));
  });

  it("copies to new memory, whatever a subclass would have it made of", () => {
    const others = Uint8Array.of(1, 2, 3);
    function Giver(): Uint8Array {
      return others;
    }
    class Lending extends Uint8Array<ArrayBuffer> {}
    Object.defineProperty(Lending, Symbol.species, { value: Giver });
    const cow = Cow.borrowed<Uint8Array>(new Lending(others.buffer));
    const copy = cow.toMut();
    copy[0] = 9;
    assertEquals([...others, ...cow.value], [1, 2, 3, 9, 2, 3]);
    assertNotEquals(copy.buffer, others.buffer);
    assert(copy instanceof Lending);

    function BufferGiver(): ArrayBuffer {
      return others.buffer;
    }
    class Slicing extends ArrayBuffer {}
    Object.defineProperty(Slicing, Symbol.species, { value: BufferGiver });
    const view = Cow.borrowed(new DataView(new Slicing(3)));
    view.toMut().setUint8(0, 7);
    assertEquals([...others], [1, 2, 3]);
  });

  it("knows the kind of a view that goes by another name", () => {
    class Disguised extends Uint8Array<ArrayBuffer> {}
    Object.defineProperty(Disguised.prototype, Symbol.toStringTag, { value: "Float64Array" });
    const cow = Cow.borrowed<Uint8Array>(new Disguised(Uint8Array.of(255, 1).buffer));
    assertEquals([...cow.toMut()], [255, 1]);
    assertEquals(cow.equals(Uint8Array.of(255, 1)), true);
  });

  it("stays borrowed where there is no memory", () => {
    const folder = mkdtempSync(join(tmpdir(), "oxbow-cow-"));
    try {
      const path = join(folder, "sparse");
      writeFileSync(path, "");
      truncateSync(path, 2 ** 30);
      const output = outputOf(`
        import { readFileSync } from "node:fs";
        import { dlopen } from "${moduleUrl("ffi/mod.ts")}";
        import { Cow } from "${moduleUrl("lib/mem/cow.ts")}";
        import { Mmap } from "${moduleUrl("lib/mem/mmap.ts")}";

        const RLIMIT_AS = 9;
        using map = Mmap.open(${JSON.stringify(path)});
        const cow = Cow.borrowed(map.bytes());
        using libc = dlopen(["libc.so.6"], {
          setrlimit: { parameters: ["i32", "buffer"], result: "i32" },
        });
        const [pages] = readFileSync("/proc/self/statm", "utf8").split(" ");
        const limit = BigInt(pages) * 4096n + 2n ** 27n;
        libc.symbols.setrlimit(RLIMIT_AS, BigUint64Array.of(limit, limit));
        try {
          cow.toMut();
        } catch (error) {
          console.log(error.name, cow.isBorrowed, cow.value.length);
        }
      `);
      assertEquals(output, `RangeError true ${2 ** 30}`);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("refuses what is no view", () => {
    for (const value of [undefined, null, 3, "text", [1], new ArrayBuffer(8), {}]) {
      assertThrows(() => Reflect.apply(Cow.borrowed, Cow, [value]), TypeError, "cannot make a Cow: value is");
      assertThrows(() => Reflect.apply(Cow.owned, Cow, [value]), TypeError, "cannot make a Cow: value is");
    }
    assertThrows(() => Reflect.construct(Cow, [Uint8Array.of(1), true]), TypeError, "call Cow.borrowed");
  });

  it("is compared with nothing but a view that is there, or a Cow", () => {
    const cow = Cow.borrowed(new Uint8Array(0));
    for (const other of [undefined, null, 3, "", [], new ArrayBuffer(0), {}]) {
      assertThrows(() => Reflect.apply(cow.equals, cow, [other]), TypeError, "other is");
    }
    const gone = Uint8Array.of(1);
    gone.buffer.transfer();
    assertThrows(() => cow.equals(gone), TypeError, "the memory of other is gone");
  });
});
