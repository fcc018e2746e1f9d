import { after, before, describe, it } from "node:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { Fd } from "../../lib/io/mod.ts";
import { HandleError, Mmap } from "../../lib/mem/mmap.ts";
import { UnixStream } from "../../lib/net/mod.ts";
import { run, sleep, spawn } from "../../lib/task/mod.ts";
import { moduleUrl, outputOf } from "../child.ts";
import { tiered } from "../tier.ts";
import { descriptors, openedSince } from "../descriptors.ts";

let folder: string;

before(() => {
  folder = mkdtempSync(join(tmpdir(), "oxbow-handle-"));
});

after(() => rmSync(folder, { recursive: true }));

/** For what goes on for long in the greater tiers. */
const LONG_MS = tiered({ quick: 60_000, full: 600_000, soak: 7_200_000 });

function fileOf(text: string): string {
  const path = join(folder, `${text}.txt`);
  writeFileSync(path, text);
  return path;
}

/** A record as `sendHandle` sends it, for a peer that lies. */
function recordOf(version: number, writes: number, offset: bigint, length: bigint): Uint8Array {
  const bytes = new Uint8Array(40);
  bytes.set(new TextEncoder().encode("oxbowmap"));
  const view = new DataView(bytes.buffer);
  view.setUint32(8, version, true);
  view.setUint32(12, writes, true);
  view.setBigUint64(16, offset, true);
  view.setBigUint64(24, length, true);
  return bytes;
}

describe("a map that is sent", () => {
  it("is the same memory there, and what either writes both see", async () => {
    await run(async () => {
      const [left, right] = UnixStream.pair();
      using map = Mmap.anonymous(10_000);
      map.bytes()[0] = 1;
      await left.sendHandle(map);
      using other = await right.receiveHandle({ mode: "r+" });
      assertEquals([other.byteLength, other.bytes()[0], other.mode], [10_000, 1, "r+"]);
      other.bytes()[9_999] = 2;
      assertEquals(map.bytes()[9_999], 2);
      left.close();
      right.close();
    });
  });

  it("is the same part of a file, in the mode that it has or a lesser one", async () => {
    await run(async () => {
      const [left, right] = UnixStream.pair();
      const path = fileOf("0123456789");
      using reading = Mmap.open(path, { offset: 2, length: 5 });
      using writing = Mmap.open(path, { mode: "r+", offset: 3 });
      for (const [map, mode, expected] of [[reading, "r", "23456"], [writing, "r+", "3456789"]] as const) {
        await left.sendHandle(map);
        using other = await right.receiveHandle();
        assertEquals([other.mode, new TextDecoder().decode(other.bytes().slice())], [mode, expected]);
      }
      await left.sendHandle(writing);
      using copied = await right.receiveHandle({ mode: "c" });
      copied.bytes()[0] = 0;
      assertEquals(readFileSync(path, "utf8"), "0123456789");
      await left.sendHandle(reading);
      await assertRejects(async () => await right.receiveHandle({ mode: "r+" }), HandleError, "only reads");
      left.close();
      right.close();
    });
  });

  it("goes to another process, which outlives its sender's map", () => {
    const source = `
      import { spawn as start } from "node:child_process";
      import { writeFileSync } from "node:fs";
      import process from "node:process";
      import { Mmap } from "${moduleUrl("lib/mem/mmap.ts")}";
      import { UnixListener } from "${moduleUrl("lib/net/mod.ts")}";
      import { run } from "${moduleUrl("lib/task/mod.ts")}";
      writeFileSync("peer.mjs", \`
        import { UnixStream } from "${moduleUrl("lib/net/mod.ts")}";
        import { run } from "${moduleUrl("lib/task/mod.ts")}";
        await run(async () => {
          using stream = await UnixStream.connect({ path: "./socket" });
          using map = await stream.receiveHandle({ mode: "r+" });
          map.bytes()[1] = map.bytes()[0] + 1;
          await stream.writeAll(Uint8Array.of(1));
          await stream.read(new Uint8Array(1));
          console.log(map.bytes()[0], map.byteLength);
        });
      \`);
      const options = typeof Deno === "undefined" ? [] : ["run", "-A", "--no-config", "--no-lock", "--quiet"];
      await run(async () => {
        using listener = UnixListener.bind({ path: "./socket" });
        const peer = start(process.execPath, [...options, "peer.mjs"], { stdio: ["ignore", "inherit", "inherit"] });
        const end = new Promise((resolve) => peer.on("close", resolve));
        const { stream } = await listener.accept();
        const map = Mmap.memfd("sent", 5_000);
        map.bytes()[0] = 41;
        await stream.sendHandle(map);
        await stream.read(new Uint8Array(1));
        console.log(map.bytes()[1], stream.peerCredentials.pid === peer.pid);
        map[Symbol.dispose]();
        await stream.writeAll(Uint8Array.of(1));
        stream.close();
        await end;
      });`;
    assertEquals(outputOf(source), "42 true\n41 5000");
  });

  it("is no map where the peer sends something else, and leaves no descriptor", async () => {
    await run(async () => {
      const path = fileOf("0123456789");
      const before = descriptors();
      {
        using file = Fd.open(path, { read: true });
        using folderFd = Fd.open(folder);
        const lies: [string, Fd[], Uint8Array][] = [
          ["without a descriptor", [], new Uint8Array(40)],
          ["something else", [file], new Uint8Array(40)],
          ["another version", [file], recordOf(2, 0, 0n, 10n)],
          ["more descriptors", [file, file], recordOf(1, 0, 0n, 10n)],
          ["cannot map", [file], recordOf(1, 0, 0n, 11n)],
          ["cannot map", [file], recordOf(1, 0, 5n, 6n)],
          ["cannot map", [file], recordOf(1, 0, 2n ** 64n - 1n, 1n)],
          ["cannot map", [file], recordOf(1, 0, 0n, 2n ** 64n - 1n)],
          ["open for reading alone", [file], recordOf(1, 1, 0n, 10n)],
          ["cannot map", [folderFd], recordOf(1, 0, 0n, 10n)],
        ];
        for (const [said, fds, record] of lies) {
          const [left, right] = UnixStream.pair();
          await left.sendFds(fds, record);
          await assertRejects(async () => await right.receiveHandle(), HandleError, said);
          left.close();
          right.close();
        }
        const [left, right] = UnixStream.pair();
        await left.sendFds([file], recordOf(1, 0, 0n, 10n).subarray(0, 10));
        left.close();
        await assertRejects(async () => await right.receiveHandle(), HandleError, "ended the connection");
        right.close();
      }
      assertEquals(openedSince(before), []);
    });
  });

  it("comes in pieces too, and a wait that is dropped in between closes its descriptor", async () => {
    await run(async () => {
      const path = fileOf("0123456789");
      using file = Fd.open(path);
      const before = descriptors();
      const [left, right] = UnixStream.pair();
      const record = recordOf(1, 0, 1n, 3n);
      const receiving = spawn(() => right.receiveHandle());
      await left.sendFds([file], record.subarray(0, 7));
      await sleep(2);
      await left.writeAll(record.subarray(7));
      {
        using map = await receiving;
        assertEquals(new TextDecoder().decode(map.bytes().slice()), "123");
      }
      const dropped = spawn(() => right.receiveHandle());
      await left.sendFds([file], record.subarray(0, 7));
      await sleep(2);
      dropped.abort();
      await sleep(1);
      left.close();
      right.close();
      assertEquals(openedSince(before), []);
    });
  });

  it("leaves nothing behind, however often", { timeout: LONG_MS }, async () => {
    await run(async () => {
      const [left, right] = UnixStream.pair();
      using map = Mmap.anonymous(4096);
      await left.sendHandle(map);
      (await right.receiveHandle())[Symbol.dispose]();
      const before = descriptors();
      const cycles = tiered({ quick: 100, full: 20_000, soak: 200_000 });
      for (let i = 0; i < cycles; i++) {
        await left.sendHandle(map);
        const other = await right.receiveHandle();
        assert(other.bytes().length === 4096);
        other[Symbol.dispose]();
      }
      assertEquals(openedSince(before), []);
      left.close();
      right.close();
    });
  });
});
