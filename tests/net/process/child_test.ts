import { Buffer } from "node:buffer";
import { spawn as spawnByHost } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { SystemError } from "../../../ffi/mod.ts";
import { LimitExceededError } from "../../../lib/net/async_io.ts";
import { Command, type ExitStatus, pipe } from "../../../lib/net/process.ts";
import { run, sleep, spawn } from "../../../lib/task/mod.ts";
import { tiered } from "../../tier.ts";
import { sh, text } from "./support.ts";

describe("a child's end", () => {
  it("is told to who waits in the host's loop, and to who waits in run meanwhile", async () => {
    using child = sh("read line; exit 7", { stdin: "piped" }).spawn();
    const { stdin } = child;
    const outside = child.wait().toPromise();
    const inside = await run(async () => {
      const waiting = spawn(() => child.wait());
      await sleep(1);
      await stdin.writeAll(Uint8Array.of(10));
      return await waiting;
    });
    assertEquals([inside.code, (await outside).code], [7, 7]);
  });

  it("is told to who waits for it while it is disposed of", async () => {
    await run(async () => {
      const [reader, writer] = pipe();
      const child = sh("read line; exit 7", { stdin: reader }).spawn();
      const waiting = spawn(() => child.wait());
      await sleep(1);
      child[Symbol.dispose]();
      await sleep(1);
      writer.close();
      assertEquals((await waiting).code, 7);
    });
  });
});

for (const where of ["run", "the host's loop"]) {
  const inside = where === "run" ? run : (test: () => Promise<void>) => test();

  describe(`a child, in ${where}`, () => {
    it("tells its code", () =>
      inside(async () => {
        assertEquals(await new Command("true").status(), { success: true, code: 0 });
        assertEquals(await sh("exit 3").status(), { success: false, code: 3 });
        assertEquals(await sh("exit 255").status(), { success: false, code: 255 });
      }));

    it("tells the signal that ended it", () =>
      inside(async () => {
        assertEquals(await sh("kill -TERM $$").status(), {
          success: false,
          signal: "SIGTERM",
          dumpedCore: false,
        });
        using child = new Command("sleep", { args: ["60"] }).spawn();
        assertEquals((await child.kill()).signal, "SIGKILL");
        using other = new Command("sleep", { args: ["60"] }).spawn();
        assertEquals((await other.kill("SIGUSR1")).signal, "SIGUSR1");
      }));

    it("is given its arguments as they are, and gives its output", () =>
      inside(async () => {
        const args = ["", "a b", "'\"$x\\", "zażółć", "-n", "\n"];
        const { stdout, stderr, status } = await sh('printf "%s|" "$@"; echo wrong >&2', {
          args: ["-c", 'printf "%s|" "$@"; echo wrong >&2', "sh", ...args],
        }).output();
        assertEquals(text(stdout), args.map((argument) => `${argument}|`).join(""));
        assertEquals(text(stderr), "wrong\n");
        assert(status.success);
      }));

    it("is written to and read from", () =>
      inside(async () => {
        using child = new Command("cat", { stdin: "piped", stdout: "piped" }).spawn();
        const sent = Buffer.alloc(1_000_000, "oxbow ");
        const writing = (async () => {
          await child.stdin.writeAll(sent);
          await child.stdin.shutdown();
        })();
        const { stdout, status } = await child.waitWithOutput();
        await writing;
        assert(status.success);
        assertEquals(Buffer.compare(stdout, sent), 0);
      }));

    it("fills both pipes at once, and nobody waits for ever", () =>
      inside(async () => {
        const { stdout, stderr } = await sh(
          "i=0; while [ $i -lt 30 ]; do head -c 30000 /dev/zero; head -c 30000 /dev/zero >&2; i=$((i+1)); done",
        ).output();
        assertEquals([stdout.byteLength, stderr.byteLength], [900_000, 900_000]);
      }));

    it("finds its end where nobody has asked for its stdin", () =>
      inside(async () => {
        using child = new Command("cat", { stdin: "piped", stdout: "null" }).spawn();
        assertEquals(await child.wait(), { success: true, code: 0 });
      }));

    it("is waited for by many, and told again", () =>
      inside(async () => {
        using child = sh("read line; exit 4", { stdin: "piped" }).spawn();
        const stdin = child.stdin;
        const waiting = [child.wait(), child.wait(), child.wait()].map((wait) => wait.toPromise());
        assertEquals(child.tryWait(), undefined);
        assertEquals(child.id, child.pid);
        await stdin.writeAll(Buffer.from("go\n"));
        const expected: ExitStatus = { success: false, code: 4 };
        assertEquals(await Promise.all(waiting), [expected, expected, expected]);
        assertEquals(await child.wait(), expected);
        assertEquals(child.tryWait(), expected);
        assertEquals(child.id, undefined);
        child.startKill();
        assertEquals(await child.kill(), expected);
      }));

    it("never reads, and its writer is held back", () =>
      inside(async () => {
        using child = new Command("sleep", { args: ["60"], stdin: "piped", killOnDrop: true }).spawn();
        const bytes = new Uint8Array(50_000_000);
        let isOver = false;
        const writing = child.stdin.writeAll(bytes).toPromise().then(() => isOver = true, (error) => error);
        await new Promise((resolve) => setTimeout(resolve, 30));
        assert(!isOver);
        child.startKill();
        const error = await writing;
        assert(error instanceof SystemError && error.code === "EPIPE", String(error));
      }));

    it("ends at once with a hundred others, and none is forgotten", () =>
      inside(async () => {
        const children = Array.from({ length: 100 }, (_, i) => sh(`exit ${i}`, { killOnDrop: true }).spawn());
        const codes = await Promise.all(children.map(async (child) => (await child.wait()).code));
        assertEquals(codes, children.map((_, i) => i));
        for (const child of children) child[Symbol.dispose]();
      }));

    it("is killed where its output is more than is wanted", () =>
      inside(async () => {
        const yes = new Command("yes");
        await assertRejects(
          () => yes.output({ limit: 100_000 }).toPromise(),
          LimitExceededError,
          "longer than 100000",
        );
        const { stdout } = await new Command("echo", { args: ["x"] }).output({ limit: 2 });
        assertEquals(text(stdout), "x\n");
      }));

    it("runs beside one of the host's own, and each is told of its end", () =>
      inside(async () => {
        const before = process.listenerCount("SIGCHLD");
        for (let i = 0; i < tiered({ quick: 5, full: 100, soak: 1000 }); i++) {
          const theirs = spawnByHost("sh", ["-c", "exit 7"], { stdio: "ignore" });
          const exit = once(theirs, "exit");
          using ours = sh("exit 8").spawn();
          using later = sh("sleep 0.01; exit 9").spawn();
          const [[code], status, last] = await Promise.all([exit, ours.wait(), later.wait()]);
          assertEquals([code, status.code, last.code], [7, 8, 9]);
        }
        assertEquals(process.listenerCount("SIGCHLD"), before);
      }));
  });
}
