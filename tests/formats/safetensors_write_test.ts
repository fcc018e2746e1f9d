import { afterEach, beforeEach, describe, it } from "node:test";
import { Buffer } from "node:buffer";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { SafeTensors, type TensorSource } from "../../lib/formats/safetensors.ts";
import { SystemError } from "../../ffi/mod.ts";
import { skipping } from "../skip.ts";

const OLD = "what was there before";
let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "oxbow-safetensors-"));
  path = join(folder, "x.safetensors");
  writeFileSync(path, OLD);
});

afterEach(() => {
  chmodSync(folder, 0o755);
  rmSync(folder, { recursive: true, force: true });
});

function assertUntouched(): void {
  assertEquals(readFileSync(path, "utf8"), OLD);
  assertEquals(readdirSync(folder), ["x.safetensors"]);
}

function* pieces(...rows: number[][]): Generator<Float32Array> {
  const row = new Float32Array(2);
  for (const values of rows) {
    row.set(values);
    yield row;
  }
}

describe("SafeTensors.write", () => {
  it("lays out the widest dtypes first, then by name, with the data at a multiple of 64", () => {
    const at = (dtype: TensorSource["dtype"], size: number): TensorSource => ({
      dtype,
      shape: [1],
      data: new Uint8Array(size).fill(size),
    });
    SafeTensors.write(path, {
      c: at("U8", 1),
      b: at("F32", 4),
      "\u{1f402}": at("F32", 4),
      "\uffee": at("F32", 4),
      a: at("BF16", 2),
      d: at("I64", 8),
      e: at("F64", 8),
    });
    const bytes = readFileSync(path);
    const length = Number(bytes.readBigUInt64LE(0));
    const json = bytes.toString("utf8", 8, 8 + length);
    assertEquals((8 + length) % 64, 0);
    assertEquals(
      json.trimEnd(),
      '{"d":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},' +
        '"e":{"dtype":"F64","shape":[1],"data_offsets":[8,16]},' +
        '"b":{"dtype":"F32","shape":[1],"data_offsets":[16,20]},' +
        '"\uffee":{"dtype":"F32","shape":[1],"data_offsets":[20,24]},' +
        '"\u{1f402}":{"dtype":"F32","shape":[1],"data_offsets":[24,28]},' +
        '"a":{"dtype":"BF16","shape":[1],"data_offsets":[28,30]},' +
        '"c":{"dtype":"U8","shape":[1],"data_offsets":[30,31]}}',
    );
    assertEquals([...bytes.subarray(8 + length)].join(""), "8888888888888888444444444444221");
  });

  it("writes an empty archive, and one with metadata alone", () => {
    SafeTensors.write(path, {});
    assertEquals(readFileSync(path).length, 64);
    SafeTensors.write(path, {}, { metadata: { a: "b" } });
    using tensors = SafeTensors.open(path);
    assertEquals([tensors.names(), tensors.metadata], [[], { a: "b" }]);
  });

  it("joins pieces that follow one another, even where one buffer is used for all", () => {
    SafeTensors.write(path, { m: { dtype: "F32", shape: [3, 2], data: pieces([1, 2], [3, 4], [5, 6]) } });
    using tensors = SafeTensors.open(path);
    assertEquals([...tensors.f32("m")], [1, 2, 3, 4, 5, 6]);
  });

  it("writes pieces larger and smaller than what it gathers, each in its place", () => {
    const sizes = [1, 300_000, 3, 262_144, 262_143, 1, 1, 700_001, 0, 5];
    const total = sizes.reduce((a, b) => a + b);
    const expected = Uint8Array.from({ length: total }, (_, i) => (i * 31) >> 3);
    function* cut(): Generator<Uint8Array> {
      let at = 0;
      for (const size of sizes) yield expected.subarray(at, at += size);
    }
    SafeTensors.write(path, { a: { dtype: "U8", shape: [total], data: cut() } });
    using tensors = SafeTensors.open(path);
    const { data } = tensors.tensor("a");
    assert(Buffer.compare(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), expected) === 0);
  });

  const wrong: [string, TensorSource, new (message: string) => Error, string][] = [
    [
      "a view that is too short",
      { dtype: "F32", shape: [3], data: new Float32Array(2) },
      RangeError,
      "F32 [3] takes 12 bytes, data has 8",
    ],
    [
      "a view that is too long",
      { dtype: "F32", shape: [], data: new Float32Array(2) },
      RangeError,
      "F32 [] takes 4 bytes, data has 8",
    ],
    [
      "pieces that are too few",
      { dtype: "F32", shape: [3, 2], data: pieces([1, 2], [3, 4]) },
      RangeError,
      "F32 [3, 2] takes 24 bytes, data has 16",
    ],
    [
      "pieces that are too many",
      { dtype: "F32", shape: [1, 2], data: pieces([1, 2], [3, 4]) },
      RangeError,
      "F32 [1, 2] takes 8 bytes, data has 16 or more",
    ],
    [
      "a negative dimension",
      { dtype: "F32", shape: [-1], data: new Float32Array(1) },
      RangeError,
      "shape is [-1]",
    ],
    [
      "a dimension that is no whole number",
      { dtype: "F32", shape: [1.5], data: new Float32Array(1) },
      RangeError,
      "shape is [1.5]",
    ],
    [
      "a shape whose product overflows",
      { dtype: "F32", shape: [2 ** 30, 2 ** 30], data: [] },
      RangeError,
      "F32 [1073741824, 1073741824] passes 2^53 bytes",
    ],
  ];
  for (const [what, tensor, ErrorType, message] of wrong) {
    it(`refuses ${what}, and leaves the file and the folder as they were`, () => {
      assertThrows(
        () =>
          SafeTensors.write(path, { good: { dtype: "U8", shape: [1], data: Uint8Array.of(1) }, t: tensor }),
        ErrorType,
        `tensor "t": ${message}`,
      );
      assertUntouched();
    });
  }

  it("refuses values that its types forbid, and leaves the file as it was", () => {
    const cases: [string, string, string][] = [
      ['{"t":{"dtype":"F4","shape":[],"data":[]}}', "{}", 'tensor "t": dtype is F4, known are BOOL'],
      ['{"t":{"dtype":"U8","shape":[1],"data":[1]}}', "{}", "its data must be views of bytes, found number"],
      ['{"t\\ud800":{"dtype":"U8","shape":[0],"data":[]}}', "{}", "lone surrogate"],
      ["{}", '{"k":1}', 'metadata["k"]'],
      ["{}", '{"k":"\\udc00"}', 'metadata["k"]'],
    ];
    for (const [tensors, metadata, message] of cases) {
      assertThrows(
        () => SafeTensors.write(path, JSON.parse(tensors), { metadata: JSON.parse(metadata) }),
        TypeError,
        message,
      );
    }
    const one = { dtype: "U8", shape: [0], data: [] } as const;
    assertThrows(() => SafeTensors.write(path, { __metadata__: one }), RangeError, "__metadata__");
    assertUntouched();
  });

  it("removes its temporary file where the pieces throw, and passes their error on", () => {
    function* failing(): Generator<Uint8Array> {
      yield new Uint8Array(1_000_000);
      throw new SyntaxError("half-way");
    }
    assertThrows(
      () => SafeTensors.write(path, { t: { dtype: "U8", shape: [2_000_000], data: failing() } }),
      SyntaxError,
      "half-way",
    );
    assertUntouched();
  });

  it("tells of a folder that is missing, a file in its place, and a target that is a folder", () => {
    const one = { t: { dtype: "U8", shape: [1], data: Uint8Array.of(1) } } as const;
    const code = (target: string): string =>
      assertThrows(() => SafeTensors.write(target, one), SystemError, target).code;
    assertEquals(code(join(folder, "none", "x")), "ENOENT");
    assertEquals(code(join(path, "x")), "ENOTDIR");
    mkdirSync(join(folder, "taken"));
    assertEquals(code(join(folder, "taken")), "EISDIR");
    rmSync(join(folder, "taken"), { recursive: true });
    assertUntouched();
  });

  it("tells of a folder that it may not write to", {
    skip: skipping(process.getuid?.() === 0 && "root may write anywhere"),
  }, () => {
    chmodSync(folder, 0o555);
    const error = assertThrows(() => SafeTensors.write(path, {}), SystemError, path);
    assertEquals(error.code, "EACCES");
    assertUntouched();
  });

  it("removes its temporary file where the disk takes no more", () => {
    const script = `
      import { SafeTensors } from ${
      JSON.stringify(new URL("../../lib/formats/safetensors.ts", import.meta.url).href)
    };
      try {
        SafeTensors.write(${
      JSON.stringify(path)
    }, { t: { dtype: "U8", shape: [1_000_000], data: new Uint8Array(1_000_000) } });
      } catch (error) {
        console.log(error.name, error.code, error.message);
      }`;
    const host = "Deno" in globalThis
      ? ["eval", script]
      : "Bun" in globalThis
      ? ["-e", script]
      : ["--input-type=module", "-e", script];
    // A limit on the size of files, in the shell's 512 bytes, stands for a full disk: the write fails half-way.
    const limited = 'trap \'\' XFSZ; ulimit -f 64; exec "$0" "$@"';
    const { stdout } = spawnSync("sh", ["-c", limited, process.execPath, ...host], {
      encoding: "utf8",
    });
    assertStringIncludes(
      stdout,
      `SystemError EFBIG write ${path} failed: File too large (EFBIG); the target is left as it was`,
    );
    assertUntouched();
  });
});
