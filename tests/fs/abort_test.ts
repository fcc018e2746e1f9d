import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { File, mkdir, readDir, readFile, remove, rename, writeFile } from "../../lib/fs/mod.ts";
import { nativeThreads } from "../../lib/task/blocking/native_threads.ts";
import { run, sleep, spawn } from "../../lib/task/mod.ts";
import { moduleUrl, runChild } from "../child.ts";
import { descriptors, openedSince } from "../descriptors.ts";
import { tiered } from "../tier.ts";
import { bytesOf, Folder, pattern } from "./folder.ts";

function fifo(folder: Folder): string {
  const path = folder.at("fifo");
  assertEquals(spawnSync("mkfifo", [path]).status, 0);
  return path;
}

/** Waits for what was left to itself. */
async function over(): Promise<void> {
  while (nativeThreads().calls > 0) await sleep(1);
}

describe("an operation that is aborted", () => {
  it("is not begun where the signal is aborted already", async () => {
    using folder = new Folder();
    const signal = AbortSignal.abort(new Error("enough"));
    await run(async () => {
      await using file = await File.open(folder.at("a"), { read: true, write: true, create: true });
      const path = folder.at("b");
      const operations = [
        () => File.open(path, { write: true, create: true, signal }),
        () => file.writeAt(bytesOf("x"), 0, { signal }),
        () => file.write(bytesOf("x"), { signal }),
        () => file.readAt(new Uint8Array(1), 0, { signal }),
        () => file.read(new Uint8Array(1), { signal }),
        () => file.truncate(9, { signal }),
        () => file.sync({ signal }),
        () => file.dataSync({ signal }),
        () => file.metadata({ signal }),
        () => rename(folder.at("a"), path, { signal }),
        () => remove(folder.at("a"), { signal }),
        () => mkdir(path, { signal }),
        () => mkdir(path, { recursive: true, signal }),
        () => readFile(folder.at("a"), { signal }),
        () => writeFile(path, bytesOf("x"), { signal }),
        () => writeFile(path, bytesOf("x"), { atomic: true, signal }),
        () => readDir(folder.path, { signal }).nextBatch(),
      ];
      for (const operation of operations) {
        await assertRejects(async () => await operation(), Error, "enough");
      }
      await over();
      assertEquals(fs.readdirSync(folder.path), ["a"]);
      assertEquals(fs.statSync(folder.at("a")).size, 0);
    });
  });

  it("opens no file for nobody: one that is opened later is closed", async () => {
    using folder = new Folder();
    const path = fifo(folder);
    await run(async () => {
      const before = descriptors();
      // What no thread has begun is taken out, and leaves nothing to close: until one was begun.
      for (let i = 0; i < 5 || nativeThreads().calls === 0; i++) {
        await assertRejects(
          async () => await File.open(path, { signal: AbortSignal.timeout(5) }),
          DOMException,
          "time",
        );
      }
      await using _writer = await File.open(path, { write: true });
      await over();
      assertEquals(openedSince(before).filter((one) => one.includes(path)).length, 1);
    });
  });

  it("writes into no buffer any more, and its descriptor goes once it has ended", async () => {
    using folder = new Folder();
    const path = fifo(folder);
    await run(async () => {
      const before = descriptors();
      const opening = spawn(() => File.open(path));
      const writer = await File.open(path, { write: true });
      const reader = await opening;
      const buffer = new Uint8Array(8);
      const reading = spawn(() => reader.read(buffer));
      while (nativeThreads().calls === 0) await sleep(1);
      await writer.metadata();
      reading.abort();
      await assertRejects(async () => await reading, Error);
      await reader.close();
      await assertRejects(async () => await reader.read(buffer), Error, "the file was closed");
      await writer.write(bytesOf("late"));
      await over();
      await writer.close();
      assertEquals(buffer, new Uint8Array(8));
      assertEquals(openedSince(before).filter((one) => one.includes(path)), []);
    });
  });

  it("leaves nothing behind wherever it stands: files are old or new, and no descriptor stays", async () => {
    using folder = new Folder();
    const [old, other] = [pattern(600_000, 1), pattern(600_000, 2)];
    await run(async () => {
      await writeFile(folder.at("a"), old);
      const before = descriptors();
      let aborted = 0;
      const rounds = tiered({ quick: 60, full: 1000, soak: 20_000 });
      for (let round = 0; round < rounds; round++) {
        const writing = spawn(() =>
          writeFile(folder.at("a"), round % 2 === 0 ? other : old, { atomic: true })
        );
        const reading = spawn(() => readFile(folder.at("a")));
        // At each of its calls, and between them.
        for (let turn = 0; turn < round % 30; turn++) await new Promise((resolve) => setImmediate(resolve));
        writing.abort();
        reading.abort();
        for (const task of [writing, reading]) {
          try {
            await task;
          } catch {
            aborted++;
          }
        }
        await over();
        const content = fs.readFileSync(folder.at("a"));
        assert(Buffer.compare(content, old) === 0 || Buffer.compare(content, other) === 0);
        assertEquals(fs.readdirSync(folder.path), ["a"]);
      }
      assert(aborted > 0);
      assertEquals(openedSince(before).filter((one) => one.includes(folder.path)), []);
    });
  });
});

describe("a pipe that nobody opens", () => {
  const module = JSON.stringify(moduleUrl("lib/fs/mod.ts"));
  const endings = {
    "the process exits": "File.open(path).toPromise(); setTimeout(() => process.exit(0), 20);",
    "run is over": `const { run, spawn } = await import(${JSON.stringify(moduleUrl("lib/task/mod.ts"))});
      await run(async () => { spawn(() => File.open(path)); await readFile("/etc/passwd"); });`,
  };
  for (const [what, source] of Object.entries(endings)) {
    it(`does not keep the process, where ${what}`, () => {
      using folder = new Folder();
      const path = fifo(folder);
      const { code } = runChild(`
        import process from "node:process";
        import { File, readFile } from ${module};
        const path = ${JSON.stringify(path)};
        ${source}`);
      assertEquals(code, 0);
    });
  }
});
