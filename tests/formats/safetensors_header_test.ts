import { describe, it } from "node:test";
import { assert, assertEquals, assertInstanceOf, assertStringIncludes, assertThrows } from "@std/assert";
import fc from "fast-check";
import { SafeTensors, SafeTensorsError, type SafeTensorsErrorCode } from "../../lib/formats/safetensors.ts";

const SIZES = new Map<unknown, number>(Object.entries({
  ...{ BOOL: 1, U8: 1, I8: 1, F8_E5M2: 1, F8_E4M3: 1, I16: 2, U16: 2, F16: 2, BF16: 2 },
  ...{ I32: 4, U32: 4, F32: 4, F64: 8, I64: 8, U64: 8 },
}));

function file(header: string | Uint8Array, dataBytes: number): Uint8Array<ArrayBuffer> {
  const bytes = typeof header === "string" ? new TextEncoder().encode(header) : header;
  const whole = new Uint8Array(8 + bytes.length + dataBytes);
  new DataView(whole.buffer).setBigUint64(0, BigInt(bytes.length), true);
  whole.set(bytes, 8);
  return whole;
}

function f32(shape: string, offsets: string): string {
  return `{"dtype":"F32","shape":${shape},"data_offsets":${offsets}}`;
}

/** The format's rules in the plainest form: whether a file keeps them. `JSON.parse` lets some faults pass. */
function naivelyValid(bytes: Uint8Array): boolean {
  if (bytes.length < 8) return false;
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  if (length > 1e8 || 8 + length > bytes.length) return false;
  let header: Record<string, unknown>;
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(
      bytes.subarray(8, 8 + length),
    );
    if (text[0] !== "{") return false;
    header = JSON.parse(text);
  } catch {
    return false;
  }
  const spans: [number, number][] = [];
  for (const [name, info] of Object.entries(header)) {
    if (!name.isWellFormed() || (info === null && name !== "__metadata__")) return false;
    if (info === null) continue;
    if (typeof info !== "object" || Array.isArray(info)) return false;
    if (name === "__metadata__") {
      if (!Object.values(info).every((value) => typeof value === "string" && value.isWellFormed())) {
        return false;
      }
      continue;
    }
    if (!("dtype" in info && "shape" in info && "data_offsets" in info)) return false;
    const size = SIZES.get(info.dtype);
    const { shape, data_offsets } = info;
    if (size === undefined || !isCounts(shape) || !isCounts(data_offsets) || data_offsets.length !== 2) {
      return false;
    }
    const count = shape.reduce((product, dimension) => product * dimension, 1);
    if (data_offsets[1] - data_offsets[0] !== count * size) return false;
    spans.push([data_offsets[0], data_offsets[1]]);
  }
  spans.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  let end = 0;
  for (const [from, to] of spans) {
    if (from !== end) return false;
    end = to;
  }
  return 8 + length + end === bytes.length;
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);
}

function read(bytes: Uint8Array<ArrayBuffer>): SafeTensors | SafeTensorsError {
  try {
    return SafeTensors.fromBytes(bytes);
  } catch (error) {
    assertInstanceOf(error, SafeTensorsError);
    return error;
  }
}

describe("a safetensors header", () => {
  const faults: [SafeTensorsErrorCode, string, Uint8Array<ArrayBuffer>][] = [
    ["HeaderTooSmall", "this one has 7", new Uint8Array(7)],
    ["HeaderTooSmall", "this one has 0", new Uint8Array(0)],
    [
      "HeaderTooLarge",
      "claims 100000001 bytes",
      Uint8Array.of(0x01, 0xe1, 0xf5, 0x05, 0, 0, 0, 0, 0x7b, 0x7d),
    ],
    ["HeaderTooLarge", "claims 18446744073709551615 bytes", new Uint8Array(16).fill(0xff)],
    [
      "InvalidHeaderLength",
      "claims 3 bytes, but only 2 follow",
      Uint8Array.of(3, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0x7d),
    ],
    ["InvalidHeaderUtf8", "not UTF-8", file(Uint8Array.of(0x7b, 0x22, 0xff, 0x22), 0)],
    ["InvalidHeaderUtf8", "not UTF-8", file(Uint8Array.of(0x7b, 0x22, 0xed, 0xa0, 0x80, 0x22), 0)],
    ["InvalidHeaderStart", 'found ""', file("", 0)],
    ["InvalidHeaderStart", 'found " {}"', file(" {}", 0)],
    ["InvalidHeaderStart", 'found "\ufeff{}"', file("\ufeff{}", 0)],
    ["InvalidHeaderStart", 'found "[]"', file("[]", 0)],
    ["InvalidHeaderJson", "character 1, found its end", file("{", 0)],
    ["InvalidHeaderJson", 'expected the end at character 2, found "x"', file("{}x", 0)],
    ["InvalidHeaderJson", 'expected "\\""', file("{,}", 0)],
    ["InvalidHeaderJson", 'expected "\\""', file(`{"a":${f32("[]", "[0,4]")},}`, 4)],
    ["InvalidHeaderJson", "a string with valid escapes", file('{"\\x":1}', 0)],
    ["InvalidHeaderJson", "no lone surrogate", file('{"\\ud800":1}', 0)],
    ["InvalidHeaderJson", "a character of a string", file('{"a\n":1}', 0)],
    ["InvalidHeaderJson", "a whole number of 0 or more", file(`{"a":${f32("[1.0]", "[0,4]")}}`, 4)],
    ["InvalidHeaderJson", "a whole number of 0 or more", file(`{"a":${f32("[1e0]", "[0,4]")}}`, 4)],
    ["InvalidHeaderJson", "a whole number of 0 or more", file(`{"a":${f32("[-1]", "[0,4]")}}`, 4)],
    ["InvalidHeaderJson", "a whole number of 0 or more", file(`{"a":${f32("[01]", "[0,4]")}}`, 4)],
    ["InvalidHeaderJson", "a whole number of 0 or more", file(`{"a":${f32('["1"]', "[0,4]")}}`, 4)],
    ["InvalidHeaderJson", "below 2^53", file(`{"a":${f32("[9007199254740992]", "[0,4]")}}`, 4)],
    ["InvalidHeaderJson", "no more than 128 levels", file(`{"a":{"x":${"[".repeat(1000)}`, 0)],
    ["InvalidHeaderJson", "a value", file('{"a":{"x":nul}}', 0)],
    ["DuplicateKey", 'the key "a" twice', file(`{"a":${f32("[]", "[0,4]")},"a":${f32("[]", "[0,4]")}}`, 4)],
    ["DuplicateKey", 'the key "a" twice', file(`{"a":${f32("[]", "[0,4]")},"\\u0061":1}`, 4)],
    ["DuplicateKey", 'the key "dtype" twice', file('{"a":{"dtype":"F32","dtype":"F64"}}', 4)],
    ["DuplicateKey", 'the key "k" twice', file('{"__metadata__":{"k":"1","k":"1"}}', 0)],
    ["InvalidMetadata", "must be an object of strings", file('{"__metadata__":[]}', 0)],
    ["InvalidMetadata", '__metadata__["k"] must be a string', file('{"__metadata__":{"k":1}}', 0)],
    ["InvalidTensorInfo", 'tensor "a" must be an object', file('{"a":1}', 0)],
    ["InvalidTensorInfo", "must have a string as dtype", file('{"a":{"dtype":1}}', 0)],
    ["InvalidTensorInfo", "must have an array as shape", file('{"a":{"shape":1}}', 0)],
    ["InvalidTensorInfo", "must have an array as data_offsets", file('{"a":{"data_offsets":null}}', 0)],
    ["InvalidTensorInfo", "has no dtype", file('{"a":{}}', 0)],
    ["InvalidTensorInfo", "has no shape", file('{"a":{"dtype":"F32"}}', 0)],
    ["InvalidTensorInfo", "has no data_offsets", file('{"a":{"dtype":"F32","shape":[]}}', 0)],
    ["InvalidTensorInfo", "2 numbers in data_offsets, found 1", file(`{"a":${f32("[]", "[4]")}}`, 4)],
    ["InvalidTensorInfo", "2 numbers in data_offsets, found 3", file(`{"a":${f32("[]", "[0,4,8]")}}`, 4)],
    [
      "UnknownDtype",
      '"F4", known are BOOL',
      file('{"a":{"dtype":"F4","shape":[2],"data_offsets":[0,1]}}', 1),
    ],
    ["UnknownDtype", '"toString"', file('{"a":{"dtype":"toString","shape":[],"data_offsets":[0,1]}}', 1)],
    ["TensorHole", "begins at offset 4, but 0 is", file(`{"a":${f32("[]", "[4,8]")}}`, 8)],
    [
      "TensorHole",
      'tensor "b" begins at offset 8',
      file(`{"b":${f32("[]", "[8,12]")},"a":${f32("[]", "[0,4]")}}`, 12),
    ],
    ["TensorOverlap", "that ends at 4", file(`{"a":${f32("[]", "[0,4]")},"b":${f32("[]", "[0,4]")}}`, 4)],
    [
      "InvalidOffset",
      "ends at offset 0, before it begins at 4",
      file(`{"a":${f32("[]", "[4,0]")},"b":${f32("[]", "[0,4]")}}`, 4),
    ],
    ["ShapeOverflow", "pass 2^53 bytes", file(`{"a":${f32("[4294967296,4294967296]", "[0,4]")}}`, 4)],
    ["ShapeOverflow", "pass 2^53 bytes", file(`{"a":${f32("[9007199254740991]", "[0,4]")}}`, 4)],
    [
      "TensorSizeMismatch",
      "F32 [2] takes 8 bytes, but data_offsets give it 4",
      file(`{"a":${f32("[2]", "[0,4]")}}`, 4),
    ],
    [
      "MetadataIncompleteBuffer",
      "the tensors end at byte 65, but the file has 66",
      file(`{"a":${f32("[]", "[0,4]")}}`, 5),
    ],
    [
      "MetadataIncompleteBuffer",
      "the tensors end at byte 65, but the file has 64",
      file(`{"a":${f32("[]", "[0,4]")}}`, 3),
    ],
    ["MetadataIncompleteBuffer", "the tensors end at byte 10", file("{}", 1)],
  ];

  for (const [code, message, bytes] of faults) {
    it(`that is wrong is refused as ${code}: ${message}`, () => {
      const error = assertThrows(() => SafeTensors.fromBytes(bytes), SafeTensorsError);
      assertEquals(error.code, code);
      assertStringIncludes(error.message, message);
    });
  }

  it("may be empty, padded, hold null metadata, and fields that nobody knows", () => {
    assertEquals(SafeTensors.fromBytes(file("{}", 0)).names(), []);
    assertEquals(SafeTensors.fromBytes(file("{ } \n\t\r ", 0)).names(), []);
    assertEquals(SafeTensors.fromBytes(file('{"__metadata__":null}', 0)).metadata, {});
    const extra =
      '{"a":{"x":[{"y":-1.5e3},null,true,"\\n"],"dtype":"U8","shape":[0,7],"data_offsets":[0,0]}}';
    assertEquals(SafeTensors.fromBytes(file(extra, 0)).tensor("a").shape, [0, 7]);
  });

  it("may hold a hundred thousand keys of metadata and no more", () => {
    const metadata = (keys: number): Uint8Array<ArrayBuffer> => {
      const entries = Array.from({ length: keys }, (_, i) => `"${i}":""`);
      return file(`{"__metadata__":{${entries.join()}}}`, 0);
    };
    assertEquals(Object.keys(SafeTensors.fromBytes(metadata(100_000)).metadata).length, 100_000);
    const error = assertThrows(() => SafeTensors.fromBytes(metadata(100_001)), SafeTensorsError);
    assertEquals(error.code, "InvalidMetadata");
  });

  it("keeps names that are special to JavaScript apart from its own", () => {
    const one = '{"dtype":"U8","shape":[0],"data_offsets":[0,0]}';
    const names = ["__proto__", "constructor", "", "0", "é\u{1f40e}\n"];
    const header = names.map((name) => `${JSON.stringify(name)}:${one}`).join();
    const tensors = SafeTensors.fromBytes(file(`{"__metadata__":{"__proto__":"p"},${header}}`, 0));
    assertEquals(tensors.names(), names);
    assertEquals(Object.entries(tensors.metadata), [["__proto__", "p"]]);
    assert(!tensors.has("toString"));
  });

  it("that is random is accepted exactly where a naive reading of the rules accepts it", () => {
    const small = fc.oneof(
      { weight: 9, arbitrary: fc.integer({ min: 0, max: 3 }) },
      fc.constantFrom(-1, 1.5, 1e16),
    );
    const dtype = fc.oneof(
      { weight: 9, arbitrary: fc.constantFrom("U8", "I16", "F32") },
      fc.constantFrom("F4", 1, null),
    );
    const tensor = fc.record({
      dtype,
      shape: fc.array(small, { maxLength: 3 }),
      slack: fc.constantFrom(0, 0, 0, 0, 1),
    });
    const tensors = fc.array(tensor, { maxLength: 4 });
    fc.assert(
      fc.property(tensors, fc.integer({ min: 0, max: 9 }), (tensors, tail) => {
        let at = 0;
        const header = tensors.map(({ dtype, shape, slack }, i) => {
          const product = shape.reduce((a, b) => a * b, SIZES.get(dtype) ?? 1);
          const size = product >= 0 && product < 1000 ? Math.floor(product) : 0;
          const from = at;
          at += size + slack;
          return [`t${i}`, { dtype, shape, data_offsets: [from, at] }];
        });
        const bytes = file(JSON.stringify(Object.fromEntries(header)), at + (tail === 0 ? 1 : 0));
        assertEquals(read(bytes) instanceof SafeTensors, naivelyValid(bytes));
      }),
      { numRuns: 500 },
    );
  });

  it("that is random JSON in an unknown field is accepted exactly where JSON.parse accepts it", () => {
    const edit = fc.record({
      at: fc.nat(),
      text: fc.constantFrom("", '"', "{", "]", ",", "0", "-", ".", "e", "\\", " "),
    });
    fc.assert(
      fc.property(fc.json({ maxDepth: 4 }), fc.array(edit, { maxLength: 2 }), (json, edits) => {
        let text = json;
        for (const { at, text: piece } of edits) {
          const index = at % (text.length + 1);
          text = text.slice(0, index) + piece + text.slice(index + 1);
        }
        const header = `{"a":{"dtype":"U8","shape":[],"data_offsets":[0,1],"x":${text}}}`;
        const result = read(file(header, 1));
        if (result instanceof SafeTensorsError && result.code === "DuplicateKey") return;
        let parses = true;
        try {
          JSON.parse(header);
        } catch {
          parses = false;
        }
        assertEquals(result instanceof SafeTensors, parses && !/\\u[dD][89a-fA-F]/.test(text));
      }),
      { numRuns: 500 },
    );
  });

  it("that is corrupted at random never crashes, and what is accepted keeps the rules", () => {
    const header = `{"__metadata__":{"k":"v\\n"},"a":${f32("[2,3]", "[0,24]")},` +
      '"b":{"dtype":"U8","shape":[5],"data_offsets":[24,29]}}  ';
    const valid = file(header, 29);
    assert(naivelyValid(valid) && read(valid) instanceof SafeTensors);
    const edit = fc.record({
      at: fc.nat(valid.length + 4),
      drop: fc.nat(3),
      insert: fc.uint8Array({ maxLength: 3 }),
    });
    let accepted = 0;
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
        let bytes = valid;
        for (const { at, drop, insert } of edits) {
          bytes = Uint8Array.from([...bytes.subarray(0, at), ...insert, ...bytes.subarray(at + drop)]);
        }
        const result = read(bytes);
        if (result instanceof SafeTensorsError) return;
        accepted++;
        assert(naivelyValid(bytes), `accepted ${new TextDecoder().decode(bytes)}`);
        for (const name of result.names()) {
          const { dtype, shape, data } = result.tensor(name);
          assertEquals(data.length, shape.reduce((a, b) => a * b, 1));
          assertEquals(data.byteLength, data.length * (SIZES.get(dtype) ?? NaN));
        }
      }),
      { numRuns: 2000, examples: [[[{ at: valid.length, drop: 0, insert: new Uint8Array() }]]] },
    );
    assert(accepted > 0);
  });
});
