import { createHash } from "node:crypto";
import {
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import type { Corpus, Embedder } from "../../../examples/search/vectors/embedder.ts";
import { HashedEmbedder } from "../../../examples/search/vectors/hashed_embedder.ts";
import { IndexError, IndexFile } from "../../../examples/search/index/index_file.ts";
import { indexFolder, type IndexReport } from "../../../examples/search/index/index_folder.ts";
import { SearchIndex } from "../../../examples/search/index/search_index.ts";
import { prose, seeded, TestFolder } from "../folder.ts";

const UNICODE = "Ωμέγα façade İstanbul 漢字かな交じり文 ไทย שָׁלוֹם e\u0301té 😀\r\n".repeat(40);

/** Some thousand words of every kind, the same each time. */
function library(): Record<string, string | Uint8Array> {
  const random = seeded(7);
  const files: Record<string, string | Uint8Array> = {
    "unicode.txt": UNICODE,
    "latin1.txt": Uint8Array.from("na\xefve text of an old encoding, mostly plain", (c) => c.charCodeAt(0)),
    "blank.txt": "\n \n",
    "empty.txt": "",
    "minified.js": "function(){return 1};".repeat(700),
    "image.png": Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0, 0, 0, 0),
  };
  for (let i = 0; i < 12; i++) files[`${"abc"[i % 3]}/${i}.md`] = prose(40 + 60 * i, random);
  return files;
}

/** The bytes of an index, by file: what must hang on the contents of the folder alone. */
function bytesOf(out: string): Record<string, string> {
  const names = readdirSync(out).filter((name) => name !== "seen.safetensors").sort();
  return Object.fromEntries(
    names.map((name) => [name, createHash("sha256").update(readFileSync(join(out, name))).digest("hex")]),
  );
}

function counts({ files, embedded, kept, gone }: IndexReport): Partial<IndexReport> {
  return { files, embedded, kept, gone };
}

/** What an index made anew of the folder would be. */
async function fresh(folder: TestFolder): Promise<Record<string, string>> {
  using out = new TestFolder();
  await indexFolder(folder.path, { out: out.at("fresh") });
  return bytesOf(out.at("fresh"));
}

describe("indexFolder()", () => {
  it("makes the same bytes on every host", async () => {
    using folder = new TestFolder(library());
    using out = new TestFolder();
    await indexFolder(folder.path, { out: out.path });
    assertEquals(bytesOf(out.path), {
      "index.safetensors": "7e08e0059056c65c16163f732d180e0eaabcbea6e125cd056d380c92053eb783",
      "passages-de9d27f5916fe99b.txt": "764b40309767abd1d65751b0720ed292b4f67afc15a34c2769ecc2bea748d83f",
    });
  });

  it("reports what it did and what it skipped, and why", async () => {
    using folder = new TestFolder(library());
    truncateSync(folder.at("image.png"), 100 * 2 ** 20);
    folder.write("small.bin", "\0");
    const report = await indexFolder(folder.path);
    const { passages } = report;
    assertEquals(report, {
      folder: folder.at(".oxbow"),
      files: 17,
      passages,
      embedded: 17,
      embeddedBytes: report.embeddedBytes,
      kept: 0,
      gone: 0,
      skipped: { binary: 1, large: 1, changed: 0, unreadable: 0 },
    });
    assert(passages > 30 && passages < 60, `${passages} passages`);
    using index = IndexFile.open(folder.at(".oxbow"));
    assertEquals(index.passageCount, passages);
  });

  it("keeps every file's text, in passages whose lines are those of the file", async () => {
    using folder = new TestFolder(library());
    await indexFolder(folder.path);
    using index = IndexFile.open(folder.at(".oxbow"));
    const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
    for (let file = 0; file < index.fileCount; file++) {
      const path = index.path(file);
      const first = index.files.passages[file];
      const end = index.files.passages[file + 1];
      const content = readFileSync(folder.at(path), "utf8");
      assertEquals(decoder.decode(index.text(first, end)), content.trim() === "" ? "" : content);
      const lines = content.split("\n");
      for (let passage = first; passage < end; passage++) {
        const text = decoder.decode(index.text(passage, passage + 1)).trim();
        const from = index.lines[2 * passage];
        const to = index.lines[2 * passage + 1];
        assertStringIncludes(lines.slice(from - 1, to).join("\n"), text);
      }
    }
  });

  it("keeps itself out of version control, where it chose the folder", async () => {
    using folder = new TestFolder({ "a.txt": "text" });
    using out = new TestFolder();
    await indexFolder(folder.path);
    await indexFolder(folder.path, { out: out.path });
    assertEquals(readFileSync(folder.at(".oxbow/.gitignore"), "utf8"), "*\n");
    assertEquals(existsSync(out.at(".gitignore")), false);
  });

  it("does not index its own output, wherever that is", async () => {
    for (const out of [undefined, "sub/out"]) {
      using folder = new TestFolder({ "a.txt": "text" });
      const options = { out: out && folder.at(out) };
      assertEquals((await indexFolder(folder.path, options)).files, 1);
      assertEquals((await indexFolder(folder.path, options)).files, 1);
    }
  });

  it("tells how far it is", async () => {
    using folder = new TestFolder({ "a.txt": "text", "b.txt": "more" });
    const told: number[][] = [];
    await indexFolder(folder.path, { onProgress: (done, total) => told.push([done, total]) });
    assertEquals(told.at(-1), [8, 8]);
  });
});

describe("indexFolder(), a second time", () => {
  it("embeds only the files that changed, and makes the bytes of an index made anew", async () => {
    using folder = new TestFolder(library());
    await indexFolder(folder.path);
    folder.write("a/0.md", `${prose(300, seeded(1))}`);
    folder.write("a/00.md", "a new file, with a new word: xylophone");
    folder.write("z/new.md", prose(250, seeded(2)));
    folder.remove("b/4.md");
    folder.remove("c");
    assertEquals(counts(await indexFolder(folder.path)), { files: 14, embedded: 3, kept: 11, gone: 5 });
    const { ".gitignore": _, ...bytes } = bytesOf(folder.at(".oxbow"));
    assertEquals(bytes, await fresh(folder));
  });

  it("makes the bytes of an index made anew after any changes", async () => {
    const random = seeded(3);
    using folder = new TestFolder({ "0": prose(30, random) });
    for (let round = 0; round < 12; round++) {
      for (let change = 0; change < 3; change++) {
        const path = `${Math.floor(5 * random())}`;
        if (path !== "0" && random() < 0.4) rmSync(folder.at(path), { force: true });
        else folder.write(path, prose(Math.floor(400 * random()), random));
      }
      await indexFolder(folder.path);
      const { ".gitignore": _, ...bytes } = bytesOf(folder.at(".oxbow"));
      assertEquals(bytes, await fresh(folder));
    }
  });

  it("changes nothing where nothing changed", async () => {
    using folder = new TestFolder(library());
    await indexFolder(folder.path);
    const { ino } = statSync(folder.at(".oxbow/index.safetensors"));
    utimesSync(folder.at("a/0.md"), 1000, 1000);
    assertEquals(counts(await indexFolder(folder.path)), { files: 17, embedded: 0, kept: 17, gone: 0 });
    assertEquals(statSync(folder.at(".oxbow/index.safetensors")).ino, ino);
  });

  it("sees a change right after it looked, though size and time are the same", async () => {
    using folder = new TestFolder({ "a.txt": "first word", "b.txt": "b" });
    for (const text of ["other word", "third word"]) {
      await indexFolder(folder.path);
      folder.write("a.txt", text);
      utimesSync(folder.at("a.txt"), 1000, 1000);
      assertEquals(counts(await indexFolder(folder.path)), { files: 2, embedded: 1, kept: 1, gone: 0 });
      using index = SearchIndex.open(folder.path);
      assertEquals(index.search([text.slice(0, 5)])[0][0].text, text);
    }
  });

  it("drops a file that is no longer text", async () => {
    using folder = new TestFolder({ "a.txt": "text", "b.txt": "text" });
    await indexFolder(folder.path);
    folder.write("b.txt", "bin\0ary");
    const report = await indexFolder(folder.path);
    assertEquals(counts(report), { files: 1, embedded: 0, kept: 1, gone: 1 });
    assertEquals(report.skipped.binary, 1);
  });

  it("leaves the old text behind no longer than the old index", async () => {
    using folder = new TestFolder({ "a.txt": "text" });
    await indexFolder(folder.path);
    folder.write("a.txt", "other text");
    await indexFolder(folder.path);
    const names = readdirSync(folder.at(".oxbow")).filter((name) => name.startsWith("passages-"));
    using index = IndexFile.open(folder.at(".oxbow"));
    assertEquals(names, [index.textName]);
  });

  it("makes anew what another embedder, or nobody, wrote", async () => {
    using folder = new TestFolder(library());
    await indexFolder(folder.path, { embedder: new HashedEmbedder(64) });
    assertEquals((await indexFolder(folder.path)).embedded, 17);
    truncateSync(folder.at(".oxbow/index.safetensors"), 1000);
    assertEquals((await indexFolder(folder.path)).embedded, 17);
    truncateSync(folder.at(".oxbow/seen.safetensors"), 10);
    assertEquals((await indexFolder(folder.path)).embedded, 17);
    const { ".gitignore": _, ...bytes } = bytesOf(folder.at(".oxbow"));
    assertEquals(bytes, await fresh(folder));
  });

  it("takes nothing over from an index in which one byte has changed", async () => {
    using folder = new TestFolder(library());
    const expected = await fresh(folder);
    await indexFolder(folder.path);
    const text = readdirSync(folder.at(".oxbow")).find((name) => name.startsWith("passages-")) ?? "";
    for (const name of ["index.safetensors", text]) {
      const bytes = readFileSync(folder.at(`.oxbow/${name}`));
      bytes[bytes.length >> 1] ^= 1;
      writeFileSync(folder.at(`.oxbow/${name}`), bytes);
      assertEquals((await indexFolder(folder.path)).embedded, 17);
      const { ".gitignore": _, ...after } = bytesOf(folder.at(".oxbow"));
      assertEquals(after, expected);
    }
  });

  it("clears away what a run that was killed left behind", async () => {
    using folder = new TestFolder({ "a.txt": "text" });
    folder.write(".oxbow/.oxbow-1234.tmp", "half a matrix");
    folder.write(".oxbow/lock", "999999999");
    await indexFolder(folder.path);
    assertEquals(readdirSync(folder.at(".oxbow")).filter((name) => /tmp$|lock/.test(name)), []);
  });
});

describe("indexFolder(), when it cannot", () => {
  it("leaves the old index as it was when it is aborted, and nothing else", async () => {
    using folder = new TestFolder({ "a.txt": "text" });
    await indexFolder(folder.path);
    const names = readdirSync(folder.at(".oxbow")).sort();
    const bytes = bytesOf(folder.at(".oxbow"));
    folder.write("b.txt", prose(500, seeded(5)));
    for (const abort of [(controller: AbortController) => controller.abort(), later]) {
      const controller = new AbortController();
      const run = indexFolder(folder.path, { signal: controller.signal });
      abort(controller);
      await assertRejects(() => run, DOMException, "abort");
      assertEquals(readdirSync(folder.at(".oxbow")).sort(), names);
      assertEquals(bytesOf(folder.at(".oxbow")), bytes);
    }
    await assertRejects(
      () => indexFolder(folder.path, { signal: AbortSignal.abort() }),
      DOMException,
      "abort",
    );
    assertEquals(readdirSync(folder.at(".oxbow")).sort(), names);
  });

  /** In the host's loop, as a signal comes. */
  function later(controller: AbortController): void {
    setTimeout(() => controller.abort(), 0);
  }

  it("says that a folder is not there, none, or holds no text", async () => {
    using folder = new TestFolder({ "file": "\0" });
    await assertRejects(() => indexFolder(folder.at("none")), Error, "there is no such folder");
    await assertRejects(() => indexFolder(folder.at("file")), Error, "it is not a folder");
    await assertRejects(() => indexFolder(folder.path), Error, "it holds no text (1 files skipped)");
    assertEquals(readdirSync(folder.path), ["file"]);
  });

  it("keeps the index of a folder whose text went away", async () => {
    using folder = new TestFolder({ "a.txt": "text" });
    await indexFolder(folder.path);
    folder.remove("a.txt");
    await assertRejects(() => indexFolder(folder.path), Error, "it holds no text");
    using index = SearchIndex.open(folder.path);
    assertEquals(index.passages, 1);
  });

  it("says that there are more passages than can be mapped", async () => {
    using folder = new TestFolder({ "a.txt": "text" });
    const huge: Embedder = {
      name: "huge",
      dims: 2 ** 31,
      state: {},
      embedPassage: () => {},
      embedQuery: () => {},
    };
    await assertRejects(
      () => indexFolder(folder.path, { embedder: huge }),
      Error,
      "more than the 0 passages",
    );
    assertEquals(readdirSync(folder.path), ["a.txt"]);
  });

  it("says where the index cannot go, and what to do", async () => {
    using folder = new TestFolder({ "a.txt": "text" });
    const out = folder.at("a.txt/out");
    const error = await assertRejects(
      () => indexFolder(folder.path, { out }),
      IndexError,
      `cannot write an index to ${out}`,
    );
    assertStringIncludes(error.message, "--out");
  });

  it("waits for no other process, and says who is writing", async () => {
    using folder = new TestFolder({ "a.txt": "text" });
    folder.write(".oxbow/lock", "1");
    await assertRejects(() => indexFolder(folder.path), IndexError, "process 1 is writing this index");
    assertEquals(readFileSync(folder.at(".oxbow/lock"), "utf8"), "1");
  });

  it("does not write one index twice at once", async () => {
    using folder = new TestFolder({ "a.txt": "text" });
    const first = indexFolder(folder.path);
    await assertRejects(() => indexFolder(folder.path), IndexError, `process ${process.pid} is writing`);
    assertEquals((await first).files, 1);
    assertEquals((await indexFolder(folder.path)).files, 1);
  });
});

/** Learns how many words there are, and makes that part of every vector. */
class CountingEmbedder implements Embedder {
  readonly name = "counting";
  readonly dims = 2;
  readonly state: { words: Float32Array };

  constructor(words = 0) {
    this.state = { words: Float32Array.of(words) };
  }

  train({ bags }: Corpus): void {
    this.state.words[0] = bags.words.length;
  }

  embedPassage(_corpus: Corpus, _passage: number, out: Float32Array): void {
    this.embedQuery([], out);
  }

  embedQuery(_words: readonly unknown[], out: Float32Array): void {
    out.set([Math.cos(this.state.words[0]), Math.sin(this.state.words[0])]);
  }
}

describe("indexFolder(), with an embedder that learns", () => {
  it("embeds all passages anew, and keeps what was learned", async () => {
    using folder = new TestFolder({ "a.txt": "one two three" });
    await indexFolder(folder.path, { embedder: new CountingEmbedder() });
    folder.write("b.txt", "three four");
    assertEquals(counts(await indexFolder(folder.path, { embedder: new CountingEmbedder() })), {
      files: 2,
      embedded: 1,
      kept: 1,
      gone: 0,
    });
    {
      using file = IndexFile.open(folder.at(".oxbow"));
      assertEquals(file.matrix, Float32Array.of(Math.cos(5), Math.sin(5), Math.cos(5), Math.sin(5)));
      assertEquals(file.state("words"), Float32Array.of(5));
    }
    const counting = (_dims: number, state: (name: string) => Float32Array) =>
      new CountingEmbedder(state("words")[0]);
    using index = SearchIndex.open(folder.path, {
      embedders: { counting },
      weights: { lexical: 0, vector: 1 },
    });
    assertEquals(index.search(["zebra"])[0].map(({ file, score }) => [file, score.toFixed(5)]), [
      ["a.txt", "1.00000"],
      ["b.txt", "1.00000"],
    ]);
  });

  it("is refused by a search that does not know it", async () => {
    using folder = new TestFolder({ "a.txt": "one two three" });
    await indexFolder(folder.path, { embedder: new CountingEmbedder() });
    assertThrows(() => SearchIndex.open(folder.path), IndexError, 'embedder "counting"');
  });
});
