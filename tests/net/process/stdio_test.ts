import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { Fd } from "../../../lib/io/mod.ts";
import { Command, pipe } from "../../../lib/net/process.ts";
import { moduleUrl, runChild } from "../../child.ts";
import { Folder, sh, text, told } from "./support.ts";

describe("a child's stdio", () => {
  it("is a file of ours, which stays ours", async () => {
    using folder = new Folder();
    const path = join(folder.path, "out");
    using file = Fd.open(path, { write: true, create: true });
    assert((await sh("echo one; echo two >&2", { stdout: file, stderr: file }).status()).success);
    assert(!file.isClosed);
    assertEquals(readFileSync(path, "utf8"), "one\ntwo\n");
    using input = Fd.open(path);
    assertEquals(text((await new Command("cat", { stdin: input }).output()).stdout), "one\ntwo\n");
  });

  it("is nothing where it is null", async () => {
    assertEquals(await told("wc -c"), "0");
    assert((await sh("echo x; echo y >&2", { stdout: "null", stderr: "null" }).status()).success);
  });

  it("is a pipe from one child to the next, which waits in it as programs do", async () => {
    const [reader, writer] = pipe();
    const first = sh("head -c 300000 /dev/zero", { stdout: writer });
    const second = new Command("wc", { args: ["-c"], stdin: reader, stdout: "piped" });
    using one = first.spawn();
    assert(writer.isClosed, "the end is the child's");
    const output = second.output();
    assertEquals(text((await output).stdout).trim(), "300000");
    assert((await one.wait()).success);
    assertThrows(() => first.spawn(), Error, "closed or given away");
  });

  it("is swapped without loss: our own descriptors in another order", () => {
    const source = `
      import { Fd } from ${JSON.stringify(moduleUrl("lib/io/mod.ts"))};
      import { Command } from ${JSON.stringify(moduleUrl("lib/net/process.ts"))};
      const [out, err] = [Fd.unsafeOwn(1), Fd.unsafeOwn(2)];
      const command = new Command("sh", {
        args: ["-c", "echo to stdout; echo to stderr >&2"], stdout: err, stderr: out,
      });
      await command.status();
    `;
    const { code, stdout, stderr } = runChild(source);
    assertEquals([code, stdout, stderr], [0, "to stderr\n", "to stdout\n"]);
  });

  it("works where we have none ourselves", () => {
    using folder = new Folder();
    const path = join(folder.path, "result");
    const source = `
      import { writeFileSync } from "node:fs";
      import { Command } from ${JSON.stringify(moduleUrl("lib/net/process.ts"))};
      const { stdout, stderr } = await new Command("sh", { args: ["-c", "cat; echo out; echo err >&2"] }).output();
      writeFileSync(${JSON.stringify(path)}, JSON.stringify([stdout.length, stderr.length]));
    `;
    const { code } = runChild(source, { before: "exec 0<&- 1>&- 2>&-" });
    assertEquals([code, readFileSync(path, "utf8")], [0, "[4,4]"]);
  });

  it("throws where it is asked for and not piped", async () => {
    using child = new Command("true").spawn();
    assertThrows(() => child.stdin, TypeError, 'stdin: "piped"');
    assertThrows(() => child.stdout, TypeError, 'stdout: "piped"');
    assertThrows(() => child.stderr, TypeError, 'stderr: "piped"');
    await child.wait();
  });
});
