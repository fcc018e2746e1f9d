/** Files for the tests of maps, and what their programs in child processes begin with. */
import { after, before } from "node:test";
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { moduleUrl } from "../child.ts";

/** A folder that is there while a file's tests run. */
export interface Scratch {
  readonly folder: string;
  /** A file of its own, of these bytes, or of so many zeros that take no room. */
  file(contents: Uint8Array | number): string;
}

/** Makes a folder before the tests of the calling file, and removes it after them. */
export function scratch(): Scratch {
  let folder = "";
  let files = 0;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "oxbow-mem-"));
  });
  after(() => rmSync(folder, { recursive: true }));
  return {
    get folder() {
      return folder;
    },
    file(contents) {
      const path = join(folder, `file-${files++}.bin`);
      if (typeof contents === "number") {
        writeFileSync(path, "");
        truncateSync(path, contents);
      } else {
        writeFileSync(path, contents);
      }
      return path;
    },
  };
}

/** Bytes that differ from those around them. */
export function pattern(length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, i) => (i * 131 + (i >> 8) * 17 + 5) & 255);
}

/** What smaps(5) says in kilobytes of the mappings whose line holds `text`, added up. */
export function smaps(text: string, field: string): number {
  const parts = readFileSync("/proc/self/smaps", "latin1").split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m);
  const values = parts.filter((part) => part.slice(0, part.indexOf("\n")).includes(text)).map((part) =>
    Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(part)?.[1])
  );
  return values.reduce((sum, value) => sum + value, 0);
}

/** How a program in a child process begins: with maps, files of its own, and the garbage collector. */
export const TOOLS = `
  import * as fs from "node:fs";
  import { tmpdir } from "node:os";
  import { join } from "node:path";
  import process from "node:process";
  import { Mmap } from "${moduleUrl("lib/mem/mmap.ts")}";
  import { Fd } from "${moduleUrl("lib/io/mod.ts")}";
  import { collect, gc } from "${moduleUrl("tests/collector.ts")}";
  const PAGE = 4096;
  const folder = fs.mkdtempSync(join(tmpdir(), "oxbow-child-"));
  process.on("exit", () => fs.rmSync(folder, { recursive: true, force: true }));
  let files = 0;
  // Pages full of 7.
  function file(pages) {
    const path = join(folder, "file-" + files++ + ".bin");
    fs.writeFileSync(path, new Uint8Array(pages * PAGE).fill(7));
    return path;
  }
  function thrown(call) {
    try {
      call();
      return "nothing";
    } catch (error) {
      return error.code ?? error.name;
    }
  }
  const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
  const isMapped = (path) => fs.readFileSync("/proc/self/maps", "latin1").includes(path);
  const descriptors = (path) => fs.readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return fs.readlinkSync("/proc/self/fd/" + fd).includes(path);
    } catch {
      return false;
    }
  }).length;
`;
