import { afterEach, beforeEach, describe, it } from "node:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import fc from "fast-check";
import { SafeTensors, SafeTensorsError } from "../../lib/formats/safetensors.ts";
import { SystemError } from "../../ffi/mod.ts";
import { PinnedBytes, Rc, type StableBytes } from "../../lib/mem/yoke.ts";

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "oxbow-safetensors-"));
  path = join(folder, "x.safetensors");
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A file whose tensors begin `misalignment` bytes after a multiple of 8. */
function fileWithDataAt(misalignment: number, entries: string, data: Uint8Array): Uint8Array<ArrayBuffer> {
  const json = new TextEncoder().encode(entries);
  const length = Math.ceil(json.length / 8) * 8 + misalignment;
  const file = new Uint8Array(8 + length + data.length).fill(0x20);
  new DataView(file.buffer).setBigUint64(0, BigInt(length), true);
  file.set(json, 8);
  file.set(data, 8 + length);
  return file;
}

function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

const samples = {
  BOOL: Uint8Array.of(1, 0, 1, 1),
  U8: Uint8Array.of(0, 255, 3, 4),
  I8: Int8Array.of(-128, 127, 0, 1),
  F8_E5M2: Uint8Array.of(1, 2, 3, 0xff),
  F8_E4M3: Uint8Array.of(4, 5, 6, 0xff),
  I16: Int16Array.of(-32768, 32767, 0, 1),
  U16: Uint16Array.of(65535, 0, 1, 2),
  F16: Float16Array.of(1.5, -0, Infinity, 6e-8),
  BF16: Uint16Array.of(0x3fc0, 0x8000, 0x7f80, 1),
  I32: Int32Array.of(-2147483648, 2147483647, 0, 1),
  U32: Uint32Array.of(4294967295, 0, 1, 2),
  F32: Float32Array.of(1.5, -0, NaN, 1e-45),
  F64: Float64Array.of(Math.PI, -0, Infinity, 5e-324),
  I64: BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n, 0n, 1n),
  U64: BigUint64Array.of(2n ** 64n - 1n, 0n, 1n, 2n),
} as const;
const dtypes = Object.keys(samples).filter((key): key is keyof typeof samples => key in samples);

describe("SafeTensors", () => {
  for (const dtype of dtypes) {
    it(`maps ${dtype} as a view of its own array type, and finds the bytes that were written`, () => {
      const data = samples[dtype];
      SafeTensors.write(path, {
        other: { dtype: "U8", shape: [1], data: Uint8Array.of(9) },
        it: { dtype, shape: [2, 2], data },
      });
      using tensors = SafeTensors.open(path);
      const tensor = tensors.tensor("it");
      assertEquals(tensor.dtype, dtype);
      assertEquals(tensor.shape, [2, 2]);
      assertEquals(tensor.copied, false);
      assertEquals<ArrayBufferView>(tensor.data, data);
    });
  }

  it("opens a URL, and tells names in file order, metadata and what it has", () => {
    SafeTensors.write(pathToFileURL(path), {
      b: { dtype: "F32", shape: [1], data: new Float32Array(1) },
      wide: { dtype: "F64", shape: [1], data: new Float64Array(1) },
      a: { dtype: "F32", shape: [1], data: new Float32Array(1) },
    }, { metadata: { format: "np", "clé": "\u{1f402}\n" } });
    using tensors = SafeTensors.open(pathToFileURL(path));
    assertEquals(tensors.names(), ["wide", "a", "b"]);
    assertEquals(tensors.metadata, { format: "np", "clé": "\u{1f402}\n" });
    assert(tensors.has("wide"));
    assert(!tensors.has("Wide"));
  });

  it("hands out views of the given bytes where they are aligned in their buffer", () => {
    const entries = '{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}';
    const file = fileWithDataAt(0, entries, bytesOf(Float32Array.of(1, 2)));
    const tensor = SafeTensors.fromBytes(file).tensor("x");
    assert(tensor.data.buffer === file.buffer);
    assert(!tensor.copied);
    const shifted = new Uint8Array(file.length + 1);
    shifted.set(file, 1);
    const copy = SafeTensors.fromBytes(shifted.subarray(1)).tensor("x");
    assert(copy.copied && copy.data.buffer !== shifted.buffer);
    assertEquals<ArrayBufferView>(copy.data, Float32Array.of(1, 2));
  });

  it("reads whatever has bytes that stay, for as long as it has them, and leaves it to its owner", () => {
    SafeTensors.write(path, {
      x: { dtype: "F32", shape: [2], data: Float32Array.of(1, 2) },
      none: { dtype: "F32", shape: [0], data: new Float32Array(0) },
    });
    const file = readFileSync(path);
    using aligned = PinnedBytes.copy(file);
    using shifted = Rc.of(new Uint8Array(file.length + 1).subarray(1));
    shifted.value.set(file);
    const carts: [StableBytes, boolean][] = [[aligned, false], [shifted, true]];
    for (const [cart, copied] of carts) {
      const tensors = SafeTensors.fromBytes(cart);
      const tensor = tensors.tensor("x");
      assertEquals<ArrayBufferView>(tensor.data, Float32Array.of(1, 2));
      assertEquals([tensor.copied, tensor.data.buffer === cart.bytes().buffer], [copied, !copied]);
      assertEquals(tensors.f32("none").length, 0);
      tensors[Symbol.dispose]();
      assertEquals(cart.bytes().length, file.length);
    }
    const tensors = SafeTensors.fromBytes(aligned);
    aligned[Symbol.dispose]();
    assertThrows(() => tensors.tensor("x"), Error, "it was disposed");
    using nothing = PinnedBytes.zeros(0);
    assertThrows(() => SafeTensors.fromBytes(nothing), SafeTensorsError);
  });

  it("refuses what has no bytes, and names it", () => {
    const nothing = { bytes: () => new Uint8Array(0) };
    const others = [
      undefined,
      null,
      "abc",
      3,
      {},
      [1],
      new Float64Array(3),
      new ArrayBuffer(8),
      nothing,
      { ...nothing, byteLength: -1 },
      { ...nothing, byteLength: 0.5 },
      { byteLength: 8 },
    ];
    for (const given of others) {
      assertThrows(
        () => Reflect.apply(SafeTensors.fromBytes, SafeTensors, [given]),
        TypeError,
        "bytes is no",
      );
    }
  });

  it("copies tensors that are misaligned in the file, and no others", () => {
    const entries = '{"f":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},' +
      '"u":{"dtype":"U8","shape":[1],"data_offsets":[8,9]},' +
      '"h":{"dtype":"I16","shape":[1],"data_offsets":[9,11]},' +
      '"d":{"dtype":"F64","shape":[0],"data_offsets":[11,11]}}';
    const data = Uint8Array.of(0, 0, 0x80, 0x3f, 0, 0, 0, 0x40, 7, 0xfe, 0xff);
    for (const misalignment of [0, 1, 2, 3, 4, 7]) {
      writeFileSync(path, fileWithDataAt(misalignment, entries, data));
      using tensors = SafeTensors.open(path);
      const f = tensors.tensor("f");
      assertEquals<ArrayBufferView>(f.data, Float32Array.of(1, 2));
      assertEquals(f.copied, misalignment % 4 !== 0);
      assertEquals<ArrayBufferView>(tensors.f32("f"), Float32Array.of(1, 2));
      assertEquals(tensors.tensor("u").copied, false);
      assertEquals<ArrayBufferView>(tensors.tensor("h").data, Int16Array.of(-2));
      assertEquals(tensors.tensor("h").copied, (misalignment + 9) % 2 !== 0);
      assertEquals<ArrayBufferView>(tensors.tensor("d").data, new Float64Array(0));
    }
  });

  it("widens every F16 and BF16 exactly", () => {
    const halves = Uint16Array.from({ length: 65536 }, (_, i) => i);
    SafeTensors.write(path, {
      half: { dtype: "F16", shape: [65536], data: halves },
      brain: { dtype: "BF16", shape: [65536], data: halves },
    });
    using tensors = SafeTensors.open(path);
    const [half, brain] = [tensors.f32("half"), tensors.f32("brain")];
    const word = new DataView(new ArrayBuffer(4));
    for (let bits = 0; bits < 65536; bits++) {
      const [sign, exponent, fraction] = [bits >> 15 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
      const magnitude = exponent === 31
        ? (fraction === 0 ? Infinity : NaN)
        : exponent === 0
        ? fraction * 2 ** -24
        : (1 + fraction / 1024) * 2 ** (exponent - 15);
      word.setUint16(0, bits);
      if (!Object.is(half[bits], sign * magnitude)) {
        assertEquals([bits, half[bits]], [bits, sign * magnitude]);
      }
      if (!Object.is(brain[bits], word.getFloat32(0))) {
        assertEquals([bits, brain[bits]], [bits, word.getFloat32(0)]);
      }
    }
  });

  it("gives F32 as the view itself, and refuses to make float32 of what is not a float of 32 bits or less", () => {
    SafeTensors.write(path, {
      f: { dtype: "F32", shape: [2], data: Float32Array.of(1, 2) },
      d: { dtype: "F64", shape: [1], data: Float64Array.of(1) },
    });
    using tensors = SafeTensors.open(path);
    assert(tensors.f32("f").buffer === tensors.tensor("f").data.buffer);
    const error = assertThrows(() => tensors.f32("d"), TypeError, 'tensor "d" is F64');
    assertStringIncludes(error.message, path);
  });

  it("names what is near where a tensor is missing", () => {
    const one = { dtype: "U8", shape: [1], data: Uint8Array.of(1) } as const;
    SafeTensors.write(path, { "layer.0.weight": one, "layer.1.weight": one, "layer.0.bias": one, "x": one });
    using tensors = SafeTensors.open(path);
    assertThrows(
      () => tensors.tensor("layer.0.wieght"),
      RangeError,
      'named "layer.0.wieght"; near it are "layer.0.weight"',
    );
    assertThrows(() => tensors.f32("1.weight"), RangeError, 'near it are "layer.1.weight"');
    assertThrows(() => tensors.tensor("nothing like it"), RangeError, "there are 4 others");
    assertThrows(() => tensors.tensor("y"), RangeError, "there are 4 others");
    assertThrows(() => tensors.tensor("z".repeat(1000)), RangeError, "z…");
  });

  it("detaches its views when it is disposed, and hands out no more", () => {
    SafeTensors.write(path, { a: { dtype: "F32", shape: [2], data: Float32Array.of(1, 2) } });
    const tensors = SafeTensors.open(path);
    const view = tensors.f32("a");
    tensors[Symbol.dispose]();
    tensors[Symbol.dispose]();
    assertEquals(view.length, 0);
    assertThrows(() => tensors.tensor("a"), Error, "disposed");
    assertEquals(tensors.names(), ["a"]);
  });

  it("leaves the file as it is where a view is written to", () => {
    SafeTensors.write(path, { a: { dtype: "F32", shape: [2], data: Float32Array.of(1, 2) } });
    const before = readFileSync(path);
    using tensors = SafeTensors.open(path);
    tensors.f32("a")[0] = 5;
    assertEquals(readFileSync(path), before);
  });

  it("names the path of a file that is missing, a folder, or broken", () => {
    const error = assertThrows(
      () => SafeTensors.open(join(folder, "none")),
      SystemError,
      join(folder, "none"),
    );
    assertEquals(error.code, "ENOENT");
    assertThrows(() => SafeTensors.open(folder), TypeError, folder);
    writeFileSync(path, "");
    assertThrows(() => SafeTensors.open(path), SafeTensorsError, path);
    writeFileSync(path, "not safetensors at all");
    assertEquals(assertThrows(() => SafeTensors.open(path), SafeTensorsError, path).code, "HeaderTooLarge");
  });

  it("unmaps a file that it refuses", () => {
    writeFileSync(path, "not safetensors at all");
    assertThrows(() => SafeTensors.open(path), SafeTensorsError);
    assert(!readFileSync("/proc/self/maps", "utf8").includes(path));
  });

  it("gives back random tensors as they were written", () => {
    const name = fc.string({ unit: "binary", maxLength: 8 }).filter((name) => name !== "__metadata__");
    const tensor = fc.record({
      dtype: fc.constantFrom(...dtypes),
      shape: fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 }),
      seed: fc.nat(255),
    });
    const text = fc.string({ unit: "binary" });
    fc.assert(
      fc.property(fc.dictionary(name, tensor), fc.dictionary(text, text), (spec, metadata) => {
        const entries = Object.entries(spec).map(([name, { dtype, shape, seed }]) => {
          const bytes = shape.reduce((a, b) => a * b, samples[dtype].BYTES_PER_ELEMENT);
          return { name, dtype, shape, data: Uint8Array.from({ length: bytes }, (_, i) => seed + i) };
        });
        SafeTensors.write(path, Object.fromEntries(entries.map(({ name, ...rest }) => [name, rest])), {
          metadata,
        });
        using tensors = SafeTensors.open(path);
        assertEquals(tensors.names().toSorted(), Object.keys(spec).toSorted());
        assertEquals(Object.entries(tensors.metadata).toSorted(), Object.entries(metadata).toSorted());
        for (const { name, dtype, shape, data } of entries) {
          const tensor = tensors.tensor(name);
          assertEquals([tensor.dtype, tensor.shape, tensor.copied], [dtype, shape, false]);
          assertEquals(bytesOf(tensor.data), data);
        }
      }),
      { numRuns: 60 },
    );
  });
});
