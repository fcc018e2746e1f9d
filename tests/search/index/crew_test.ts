import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { type AskedFile, type Batch, batchesOf, readBatch } from "../../../examples/search/index/batch.ts";
import { LoneCrew, openCrew } from "../../../examples/search/index/crew.ts";
import { PoolCrew } from "../../../examples/search/index/pool_crew.ts";
import { PooledRows } from "../../../examples/search/index/pooled_rows.ts";
import { walk } from "../../../examples/search/files/walk.ts";
import { HashedEmbedder } from "../../../examples/search/vectors/hashed_embedder.ts";
import { Pool } from "../../../lib/task/pool.ts";
import { prose, seeded, TestFolder } from "../folder.ts";

/** How many ranges of addresses are of maps in memory. */
function mappings(): number {
  return readFileSync("/proc/self/maps", "utf8").match(/memfd:oxbow \(deleted\)/g)?.length ?? 0;
}

/** Files of two batches, some of which are not text, and one that was there before. */
function asked(folder: TestFolder): AskedFile[] {
  const random = seeded(11);
  for (let i = 0; i < 600; i++) {
    folder.write(`${i % 7}/${i}`, i % 50 === 0 ? "bin\0ary" : prose(i % 10, random));
  }
  const files = walk(folder.path, folder.at("none")).files.map((file) => ({ ...file, digest: undefined }));
  const [{ digest }] = readBatch(folder.path, files.slice(3, 4)).files;
  return files.map((file, i) => i === 3 ? { ...file, digest } : file);
}

async function all(batches: AsyncIterable<Batch>): Promise<Batch[]> {
  const read: Batch[] = [];
  for await (const batch of batches) read.push(batch);
  return read;
}

describe("PoolCrew", () => {
  it("reads the batches that one thread alone reads, in their order", async () => {
    using folder = new TestFolder();
    const files = asked(folder);
    await using lone = new LoneCrew();
    await using crew = new PoolCrew(2);
    const batches = await all(crew.read(folder.path, files));
    assertEquals(batches.length, 2);
    assertEquals(batches, await all(lone.read(folder.path, files)));
    assertEquals(batches[0].files[3].outcome, "same");
    assert(batches.some((batch) => batch.files.some(({ outcome }) => outcome === "binary")));
  });

  it("may be left in the middle", async () => {
    using folder = new TestFolder();
    const files = asked(folder);
    await using crew = new PoolCrew(2);
    for await (const batch of crew.read(folder.path, files)) {
      assertEquals(batch.files.length, 512);
      break;
    }
  });
});

describe("PooledRows", () => {
  it("gives the vectors of one thread alone, of whichever passages are asked for", async () => {
    const random = seeded(5);
    using folder = new TestFolder({ "a.txt": prose(40_000, random) });
    const files = walk(folder.path, folder.at("none")).files.map((file) => ({ ...file, digest: undefined }));
    const corpus = readBatch(folder.path, files);
    const passages = Uint32Array.from(corpus.lengths.keys()).filter((passage) => passage % 3 !== 1);
    assert(passages.length > 130, `${passages.length} passages`);
    const embedder = new HashedEmbedder(16);
    await using pool = Pool.open({ threads: 1 });
    using rows = new PooledRows(pool, 1, corpus, passages, embedder.dims, 8);
    await using lone = new LoneCrew();
    using expected = lone.embed(embedder, corpus, passages);
    const [row, wanted] = [new Float32Array(16), new Float32Array(16)];
    for (let i = 0; i < passages.length; i++) {
      rows.next(row);
      expected.next(wanted);
      assertEquals(row, wanted);
    }
    assertNotEquals(row, new Float32Array(16));
  });

  it("leave nothing mapped when their threads have ended", async () => {
    using folder = new TestFolder({ "a.txt": prose(4_000, seeded(6)) });
    const files = walk(folder.path, folder.at("none")).files.map((file) => ({ ...file, digest: undefined }));
    const corpus = readBatch(folder.path, files);
    const passages = Uint32Array.from(corpus.lengths.keys());
    const before = mappings();
    for (let round = 0; round < 3; round++) {
      await using pool = Pool.open({ threads: 1 });
      using rows = new PooledRows(pool, 1, corpus, passages, 1024, 8);
      rows.next(new Float32Array(1024));
    }
    // Some of before may have been collected since.
    const more = mappings() - before;
    assert(more <= 0, `${more} more`);
  });
});

describe("openCrew()", () => {
  it("starts no thread for what one reads in no time", async () => {
    const file = { path: "a", size: 1000, modified: 0, changed: 0, digest: undefined };
    await using few = await openCrew(4, [file]);
    await using one = await openCrew(1, [{ ...file, size: 2 ** 25 }]);
    await using large = await openCrew(4, [{ ...file, size: 2 ** 40 }]);
    await using many = await openCrew(4, [{ ...file, size: 2 ** 25 }]);
    assertEquals([few, one, large].map((crew) => crew instanceof LoneCrew), [true, true, true]);
    assert(many instanceof PoolCrew);
  });
});

describe("batchesOf()", () => {
  it("keeps the order, and ends a batch by its bytes or its files", () => {
    const files = Array.from({ length: 2000 }, (_, i) => ({
      path: `${i}`,
      size: i < 600 ? 2 : 2 ** 20,
      modified: 0,
      changed: 0,
      digest: undefined,
    }));
    const batches = [...batchesOf(files)];
    assertEquals(batches.flat(), files);
    assertEquals(batches.slice(0, 3).map((batch) => batch.length), [512, 92, 4]);
  });
});
