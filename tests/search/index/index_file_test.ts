import { readdirSync, readFileSync, renameSync, rmSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { IndexError, IndexFile, locateIndex } from "../../../examples/search/index/index_file.ts";
import { indexFolder } from "../../../examples/search/index/index_folder.ts";
import { SafeTensors, type TensorSource } from "../../../lib/formats/safetensors.ts";
import { TestFolder } from "../folder.ts";

/** A folder that is indexed, and the folder of its index. */
async function indexed(): Promise<TestFolder & { readonly out: string }> {
  const folder = new TestFolder({ "a.txt": "one two three", "b.txt": "four" });
  const { folder: out } = await indexFolder(folder.path);
  return Object.assign(folder, { out });
}

function textOf(out: string): string {
  return join(out, readdirSync(out).find((name) => name.startsWith("passages-")) ?? "");
}

/** Writes the index again, with other metadata and tensors. */
function rewrite(
  out: string,
  metadata: Readonly<Record<string, string>>,
  change: (tensors: Record<string, TensorSource>) => void = () => {},
): void {
  const path = join(out, "index.safetensors");
  const tensors: Record<string, TensorSource> = {};
  let before: Readonly<Record<string, string>>;
  {
    using file = SafeTensors.open(path);
    before = file.metadata;
    for (const name of file.names()) {
      const { dtype, shape, data } = file.tensor(name);
      tensors[name] = { dtype, shape, data: data.slice() };
    }
  }
  change(tensors);
  SafeTensors.write(path, tensors, { metadata: { ...before, ...metadata } });
}

describe("IndexFile.open()", () => {
  it("maps what was written", async () => {
    using folder = await indexed();
    using file = IndexFile.open(folder.out);
    assertEquals([file.embedder, file.dims, file.passageCount, file.fileCount, file.wordCount], [
      "hashed",
      1024,
      2,
      2,
      4,
    ]);
    assertEquals([file.path(0), file.path(1)], ["a.txt", "b.txt"]);
    assertEquals(new TextDecoder().decode(file.text(0, 2)), "one two threefour");
    const words = Array.from(
      { length: file.terms.size },
      (_, term) => new TextDecoder().decode(file.terms.word(term)),
    );
    assertEquals(words, ["four", "one", "three", "two"]);
  });

  it("takes its views with it when it is disposed", async () => {
    using folder = await indexed();
    const file = IndexFile.open(folder.out);
    const { matrix } = file;
    const text = file.text(0, 1);
    file[Symbol.dispose]();
    assertEquals([matrix.length, text.length], [0, 0]);
  });

  it("says that there is none", () => {
    using folder = new TestFolder();
    assertThrows(
      () => IndexFile.open(folder.path),
      IndexError,
      `there is no index in ${folder.path}: make one`,
    );
    assertThrows(() => IndexFile.open(folder.at("none")), IndexError, "there is no index");
  });

  it("says that it was cut short, at whatever byte", async () => {
    using folder = await indexed();
    const path = join(folder.out, "index.safetensors");
    const size = readFileSync(path).length;
    for (const length of [size - 1, size >> 1, 200, 8, 3, 0]) {
      truncateSync(path, length);
      assertThrows(() => IndexFile.open(folder.out), IndexError, "is damaged");
    }
  });

  it("says that its text was cut short, or is gone", async () => {
    using folder = await indexed();
    truncateSync(textOf(folder.out), 5);
    assertThrows(() => IndexFile.open(folder.out), IndexError, "has 5 bytes, not 17");
    rmSync(textOf(folder.out));
    const error = assertThrows(() => IndexFile.open(folder.out), IndexError, "is missing");
    assertEquals(error.message.includes("make it again with `search index`"), true);
  });

  it("says that it is of a newer version, and of no version", async () => {
    using folder = await indexed();
    rewrite(folder.out, { version: "2" });
    assertThrows(
      () => IndexFile.open(folder.out),
      IndexError,
      "of a newer version (2; this program reads 1)",
    );
    rewrite(folder.out, { version: "" });
    assertThrows(() => IndexFile.open(folder.out), IndexError, "of another version");
    rewrite(folder.out, { format: "weights" });
    assertThrows(() => IndexFile.open(folder.out), IndexError, "is not a search index");
  });

  it("names no file outside its folder as its text", async () => {
    using folder = await indexed();
    rewrite(folder.out, { text: "../../../etc/passwd" });
    assertThrows(() => IndexFile.open(folder.out), IndexError, "it does not name its text");
  });

  it("checks that its tensors fit together", async () => {
    const changes: Record<string, (tensors: Record<string, TensorSource>) => void> = {
      "it has no tensor terms.idf": (tensors) => delete tensors["terms.idf"],
      "its tensor postings.count is": (tensors) =>
        tensors["postings.count"] = { dtype: "U16", shape: [1], data: new Uint16Array(1) },
      "its tensor passages.lines is": (tensors) =>
        tensors["passages.lines"] = { dtype: "F32", shape: [4], data: new Float32Array(4) },
      "its matrix is": (tensors) => tensors.matrix = { dtype: "F32", shape: [3], data: new Float32Array(3) },
    };
    for (const [message, change] of Object.entries(changes)) {
      using folder = await indexed();
      rewrite(folder.out, {}, change);
      assertThrows(() => IndexFile.open(folder.out), IndexError, message);
    }
  });

  it("checks that its offsets end where its arrays do", async () => {
    const shorten = (name: string) => (tensors: Record<string, TensorSource>) =>
      tensors[name] = { dtype: "U8", shape: [2], data: new Uint8Array(2) };
    const changes = [
      shorten("files.path"),
      shorten("terms.word"),
      (tensors: Record<string, TensorSource>) => {
        tensors["postings.passage"] = { dtype: "U32", shape: [1], data: new Uint32Array(1) };
        tensors["postings.count"] = { dtype: "U16", shape: [1], data: new Uint16Array(1) };
      },
      (tensors: Record<string, TensorSource>) => {
        tensors["files.passage"] = { dtype: "U32", shape: [3], data: Uint32Array.of(0, 1, 3) };
      },
    ];
    for (const change of changes) {
      using folder = await indexed();
      rewrite(folder.out, {}, change);
      assertThrows(
        () => IndexFile.open(folder.out),
        IndexError,
        "its offsets do not end where its arrays do",
      );
    }
  });

  it("says that a passage lies outside the text", async () => {
    using folder = await indexed();
    rewrite(folder.out, {}, (tensors) => {
      tensors["passages.offset"] = { dtype: "F64", shape: [3], data: Float64Array.of(0, NaN, 17) };
    });
    using file = IndexFile.open(folder.out);
    assertThrows(() => file.text(0, 1), IndexError, "passage 0 does not lie in its text");
    assertThrows(() => file.text(1, 2), IndexError, "passage 1 does not lie in its text");
  });
});

describe("locateIndex()", () => {
  it("finds the index in a folder, or that the folder is", async () => {
    using folder = await indexed();
    assertEquals(locateIndex(folder.path), folder.out);
    assertEquals(locateIndex(folder.out), folder.out);
    renameSync(folder.out, folder.at("moved"));
    assertEquals(locateIndex(folder.at("moved")), folder.at("moved"));
    assertEquals(locateIndex(folder.path), folder.at(".oxbow"));
  });
});
