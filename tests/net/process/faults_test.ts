import process from "node:process";
import { describe, it } from "node:test";
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { hostName, SystemError } from "../../../ffi/mod.ts";
import { Command, pipe } from "../../../lib/net/process.ts";
import { fromPromise, run, select, sleep, spawn } from "../../../lib/task/mod.ts";
import { listenFirst, moduleUrl, outputOf } from "../../child.ts";
import { skipping } from "../../skip.ts";
import { sh, text } from "./support.ts";

describe("faults", () => {
  it("leave no child behind where descriptors have run out", () => {
    const source = `
      import { Fd } from ${JSON.stringify(moduleUrl("lib/io/mod.ts"))};
      import { Command } from ${JSON.stringify(moduleUrl("lib/net/process.ts"))};
      await new Command("true").status();
      const taken = [];
      try { for (;;) taken.push(Fd.open("/dev/null")); } catch (error) { console.log(error.code); }
      let started = 0;
      const seen = new Set();
      while (taken.length > 0 && started === 0) {
        try {
          using child = new Command("true", { stdin: "piped", stdout: "piped", stderr: "piped" }).spawn();
          started++;
          await child.wait();
        } catch (error) {
          seen.add(error.code);
        }
        taken.pop().close();
      }
      console.log([...seen].join(), started);
    `;
    const output = outputOf(listenFirst + source, { before: "ulimit -n 128" });
    assertEquals(output, "EMFILE\nEMFILE 1");
  });

  it("of a child that was ended under its writer are told", async () => {
    await run(async () => {
      using child = new Command("cat", { stdin: "piped", stdout: "piped" }).spawn();
      const reading = spawn(() => child.stdout.read(new Uint8Array(10)));
      child.startKill("SIGTERM");
      assertEquals(await reading, 0);
      await assertRejects(
        () => child.stdin.writeAll(new Uint8Array(100_000)).toPromise(),
        SystemError,
        "EPIPE",
      );
      assertEquals((await child.wait()).signal, "SIGTERM");
    });
  });

  it("do not follow from a wait that is dropped", async () => {
    await run(async () => {
      using child = sh("read line; exit 5", { stdin: "piped" }).spawn();
      const { stdin } = child;
      const first = await select({ wait: child.wait(), later: sleep(5) });
      assertEquals(first.key, "later");
      await stdin.shutdown();
      assertEquals((await child.wait()).code, 5);
    });
  });

  it("do not follow from another runtime that has ended", async () => {
    const child = await run(async () => {
      const started = new Command("sleep", { args: ["60"] }).spawn();
      await select({ wait: started.wait(), later: sleep(1) });
      return started;
    });
    child.startKill();
    assertEquals((await run(() => child.wait())).signal ?? "ended", "SIGKILL");
    child[Symbol.dispose]();
  });

  it("are Deno's, where no program may be run", {
    skip: skipping(hostName === "deno" ? false : "what Deno alone forbids"),
  }, () => {
    const source = `
      import { Command } from ${JSON.stringify(moduleUrl("lib/net/process.ts"))};
      try { await new Command("true").status(); console.log("ran"); } catch (error) { console.log(error.name); }
    `;
    assertEquals(outputOf(source, { permissions: ["--allow-ffi"] }), "NotCapable");
    const permitted = `
      import { Command } from ${JSON.stringify(moduleUrl("lib/net/process.ts"))};
      const { stdout } = await new Command("sh", { args: ["-c", "echo $HOME"], env: { OWN: "1" } }).output();
      console.log(new TextDecoder().decode(stdout));
    `;
    assertEquals(
      outputOf(permitted, { permissions: ["--allow-ffi", "--allow-run"] }),
      process.env.HOME ?? "",
    );
  });

  it("are wrong options", () => {
    const wrong: [unknown, string][] = [
      [{ arguments: [] }, "no option"],
      [{ args: "x" }, "args"],
      [{ args: ["a\0b"] }, "NUL"],
      [{ args: [1] }, "argument 1"],
      [{ args: Array(2) }, "argument 1"],
      [{ env: { "A=B": "x" } }, "no variable's name"],
      [{ env: { A: 1 } }, "the variable A"],
      [{ env: null }, "env"],
      [{ stdin: "pipe" }, "stdin"],
      [{ stdout: 3 }, "stdout"],
      [{ cwd: "" }, "path is empty"],
      [{ clearEnv: 1 }, "clearEnv"],
      [{ argv0: 5 }, "argv0"],
    ];
    for (const [options, message] of wrong) {
      assertThrows(() => new Command("true", Object(options)), TypeError, message);
    }
    for (const options of [{ uid: -1 }, { gid: 2 ** 32 }, { processGroup: 1.5 }]) {
      assertThrows(() => new Command("true", options), RangeError);
    }
    assertThrows(() => new Command(""), TypeError, "empty");
    assertThrows(() => new Command("a\0b"), TypeError, "NUL");
    const [reader, writer] = pipe();
    assertThrows(() => new Command("true", { stdin: writer }), TypeError, "PipeReader");
    assertThrows(() => new Command("true", { stdout: reader }), TypeError, "PipeWriter");
    reader.close();
    writer.close();
  });

  it("are none where arguments and environment say something else the second time", async () => {
    const turncoat = (): PropertyDescriptor => {
      let asked = 0;
      return { enumerable: true, get: () => asked++ === 0 ? "first" : "then\0X=1" };
    };
    const args: string[] = Object.defineProperty(["-c", 'echo "$#$0$A$X"', ""], 2, turncoat());
    const env: Record<string, string> = Object.defineProperty({}, "A", turncoat());
    const { stdout } = await new Command("sh", { args, env }).output();
    assertEquals(text(stdout), "0firstfirst\n");
  });

  it("are limits that are none", async () => {
    using child = new Command("true").spawn();
    assertThrows(() => child.waitWithOutput({ limit: -1 }), RangeError, "limit");
    assertThrows(() => child.startKill(Object("SIGNONE")), TypeError);
    await fromPromise(child.wait().toPromise());
  });
});
