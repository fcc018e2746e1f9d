import { existsSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { before, describe, it } from "node:test";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { Command } from "../../../lib/net/process.ts";
import { run } from "../../../lib/task/mod.ts";
import { moduleUrl, outputOf } from "../../child.ts";
import { slept } from "../ends.ts";
import { tiered } from "../../tier.ts";
import { Folder, isAlive, sh, until, zombies } from "./support.ts";
import { descriptors, openedSince } from "../../descriptors.ts";

describe("a child that nobody waits for", () => {
  // A process keeps the descriptors by which it is woken from its first sleep on, and one more from its first child on.
  before(async () => {
    await run(slept);
    await sh("exit 0").status();
  });

  it("runs on where it is disposed of, and leaves no zombie", async () => {
    using folder = new Folder();
    const path = join(folder.path, "done");
    const open = descriptors();
    {
      using _child = sh(`sleep 0.05; echo > ${path}`).spawn();
    }
    await until(() => existsSync(path), "it has run on");
    await until(() => zombies() === 0, "no zombie");
    await until(() => openedSince(open).length === 0, "no descriptor");
  });

  it("is killed where that was asked for", async () => {
    const child = new Command("sleep", { args: ["60"], killOnDrop: true }).spawn();
    const { pid } = child;
    assert(isAlive(pid));
    child[Symbol.dispose]();
    await until(() => !isAlive(pid), "it was killed and waited for");
    child[Symbol.dispose]();
  });

  it("is killed where its output or its status is abandoned", async () => {
    async function abandoned(): Promise<void> {
      const command = sh("echo $$; exec sleep 60", { killOnDrop: true });
      await assertRejects(() => command.output().timeout(50).toPromise(), DOMException);
      const other = new Command("sleep", { args: ["60"], killOnDrop: true });
      await assertRejects(() => other.status().timeout(20).toPromise(), DOMException);
    }
    // What a runtime opens for good, it opens at its first sleep.
    await run(abandoned);
    await until(() => zombies() === 0, "no zombie");
    const open = descriptors();
    await run(abandoned);
    await until(() => zombies() === 0 && openedSince(open).length === 0, "nothing is left");
  });

  it("leaves the process free to end", () => {
    const source = `
      import { Command } from ${JSON.stringify(moduleUrl("lib/net/process.ts"))};
      const child = new Command("sleep", { args: ["120"], stdin: "null", stdout: "null", stderr: "null" }).spawn();
      child[Symbol.dispose]();
      console.log(child.pid);
    `;
    const pid = Number(outputOf(source));
    assert(isAlive(pid));
    process.kill(pid);
  });

  it("is waited for once the collector has its handle", () => {
    const source = `
      import { readdirSync, readFileSync } from "node:fs";
      import process from "node:process";
      import { Command } from ${JSON.stringify(moduleUrl("lib/net/process.ts"))};
      import { collect } from ${JSON.stringify(moduleUrl("tests/collector.ts"))};
      for (let i = 0; i < 20; i++) new Command("sh", { args: ["-c", "exit 0"], stdout: "piped" }).spawn();
      const left = () => readdirSync("/proc/self/fd").filter((name) => {
        try { return readFileSync("/proc/self/fdinfo/" + name, "latin1").includes("Pid:"); } catch { return false; }
      }).length;
      console.log(await collect(() => left() <= 5));
      process.exit(0);
    `;
    assertEquals(outputOf(source), "true");
  });

  it("leaves nothing, however often", async () => {
    const count = tiered({ quick: 60, full: 10_000, soak: 100_000 });
    await new Command("true").status();
    const open = descriptors();
    await run(async () => {
      for (let i = 0; i < count; i++) {
        switch (i % 4) {
          case 0:
            await new Command("true").status();
            break;
          case 1:
            await new Command("echo", { args: ["x"] }).output();
            break;
          case 2: {
            using _child = new Command("true", { stdin: "piped", stdout: "piped" }).spawn();
            break;
          }
          default: {
            using child = new Command("sleep", { args: ["60"] }).spawn();
            await child.kill();
          }
        }
      }
    });
    await until(() => zombies() === 0 && openedSince(open).length === 0, "nothing is left");
  });
});
