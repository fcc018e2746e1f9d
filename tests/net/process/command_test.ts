import { Buffer } from "node:buffer";
import { spawn as spawnByHost } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { hostName, SystemError } from "../../../ffi/mod.ts";
import { EventFd, Fd, Socket } from "../../../lib/io/mod.ts";
import { Command, type CommandOptions, type ExitStatus, pipe } from "../../../lib/net/process.ts";
import { fromPromise, run, select, sleep, spawn } from "../../../lib/task/mod.ts";
import { moduleUrl, outputOf, runChild } from "../../child.ts";
import { skipping } from "../../skip.ts";
import { tiered } from "../../tier.ts";

const unlessRoot = skipping(process.getuid?.() === 0 ? false : "only root starts programs as others");
const decoder = new TextDecoder();

function text(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

function sh(script: string, options: CommandOptions = {}): Command {
  return new Command("sh", { args: ["-c", script], ...options });
}

async function told(script: string, options: CommandOptions = {}): Promise<string> {
  return text((await sh(script, options).output()).stdout).trimEnd();
}

function descriptors(): number {
  return readdirSync("/proc/self/fd").length;
}

/** Our children that have ended and were not waited for. */
function zombies(): number {
  let count = 0;
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "latin1");
      const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      if (state === "Z" && Number(parent) === process.pid) count++;
    } catch {
      // It has gone meanwhile.
    }
  }
  return count;
}

async function until(condition: () => boolean, what: string): Promise<void> {
  for (let i = 0; !condition(); i++) {
    assert(i < 1000, what);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

class Folder implements Disposable {
  readonly path: string = realpathSync(mkdtempSync(join(tmpdir(), "oxbow-command-")));

  script(name: string, source: string, mode = 0o755): string {
    const path = join(this.path, name);
    writeFileSync(path, source);
    chmodSync(path, mode);
    return path;
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true });
  }
}

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
        await assertRejects(() => yes.output({ limit: 100_000 }).toPromise(), RangeError, "more than 100000");
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

describe("a program", () => {
  it("is sought in the child's own PATH", async () => {
    using folder = new Folder();
    folder.script("oxbow-own", "#!/bin/sh\necho found $0\n");
    const found = new Command("oxbow-own", { env: { PATH: `/nonesuch:${folder.path}:/bin:/usr/bin` } });
    assertEquals(text((await found.output()).stdout), `found ${folder.path}/oxbow-own\n`);
    assertThrows(() => new Command("oxbow-own").spawn(), SystemError, "oxbow-own failed");
  });

  it("is sought further where the first of its name may not be run", async () => {
    using folder = new Folder();
    using other = new Folder();
    folder.script("oxbow-own", "nothing", 0o644);
    other.script("oxbow-own", "#!/bin/sh\necho second\n");
    const env = { PATH: `${folder.path}:${other.path}:/bin` };
    assertEquals(text((await new Command("oxbow-own", { env }).output()).stdout), "second\n");
  });

  it("is a path where its name has a slash, and a file: URL too", async () => {
    using folder = new Folder();
    const path = folder.script("own", "#!/bin/sh\necho here\n");
    assertEquals(text((await new Command(path).output()).stdout), "here\n");
    assertEquals(text((await new Command(pathToFileURL(path)).output()).stdout), "here\n");
    assertEquals(text((await new Command("./own", { cwd: folder.path }).output()).stdout), "here\n");
  });

  const cases: [string, () => Command, string, RegExp][] = [
    ["is not there", () => new Command("oxbow-nonesuch"), "ENOENT", /posix_spawn oxbow-nonesuch .*PATH/],
    ["is not at its path", () => new Command("/nonesuch/x"), "ENOENT", /posix_spawn \/nonesuch\/x /],
    ["may not be run", () => new Command("/etc/passwd"), "EACCES", /\/etc\/passwd/],
    ["is a folder", () => new Command("/etc"), "EACCES", /\/etc/],
    [
      "is to begin in no folder",
      () => new Command("true", { cwd: "/nonesuch" }),
      "ENOENT",
      /chdir \/nonesuch /,
    ],
    [
      "is to begin in a file",
      () => new Command("true", { cwd: "/etc/passwd" }),
      "ENOTDIR",
      /chdir \/etc\/passwd/,
    ],
    [
      "has too many arguments",
      () => new Command("true", { args: Array(3e5).fill("x".repeat(40)) }),
      "E2BIG",
      /true/,
    ],
  ];
  for (const [name, make, code, message] of cases) {
    it(`that ${name} is named by the error, and nothing is left open`, () => {
      const command = make();
      const before = descriptors();
      let error: unknown;
      try {
        command.spawn();
      } catch (caught) {
        error = caught;
      }
      assert(error instanceof SystemError, String(error));
      assertEquals(error.code, code);
      assert(message.test(error.message), error.message);
      assertEquals(descriptors(), before);
    });
  }

  it("whose interpreter is missing is told from one that is", () => {
    using folder = new Folder();
    const path = folder.script("own", "#!/nonesuch/interpreter\n");
    assertThrows(() => new Command(path).spawn(), SystemError, "what its first line names");
  });

  it("fails a status and an output when they are awaited, and not before", async () => {
    const command = new Command("oxbow-nonesuch");
    const [status, output] = [command.status(), command.output()];
    await assertRejects(() => status.toPromise(), SystemError, "ENOENT");
    await assertRejects(() => output.toPromise(), SystemError, "ENOENT");
    command.status().drop();
  });
});

describe("what a child has", () => {
  it("is our environment and what is said beside it", async () => {
    process.env.OXBOW_CHANGED = "later";
    process.env.OXBOW_GONE = "still";
    try {
      const env = { OXBOW_OWN: "a=b\nc", OXBOW_GONE: undefined };
      assertEquals(
        await told('echo "$OXBOW_CHANGED|$OXBOW_OWN|$OXBOW_GONE|$HOME"', { env }),
        `later|a=b\nc||${process.env.HOME}`,
      );
    } finally {
      delete process.env.OXBOW_CHANGED;
      delete process.env.OXBOW_GONE;
    }
  });

  it("is nothing of our environment where it is cleared", async () => {
    const { stdout } = await new Command("/usr/bin/env", { clearEnv: true, env: { ONLY: "one" } }).output();
    assertEquals(text(stdout), "ONLY=one\n");
    assertEquals((await new Command("/usr/bin/env", { clearEnv: true }).output()).stdout.byteLength, 0);
    assert((await new Command("true", { clearEnv: true }).status()).success, "it is found still");
  });

  it("is the folder, and the name, that it was told", async () => {
    using folder = new Folder();
    assertEquals(await told("pwd -P", { cwd: folder.path }), folder.path);
    assertEquals(await told("pwd -P", { cwd: pathToFileURL(folder.path) }), folder.path);
    const named = new Command("/bin/sh", {
      argv0: "other",
      args: ["-c", "echo $0; tr '\\0' ' ' < /proc/$$/cmdline"],
    });
    assert(text((await named.output()).stdout).startsWith("other\nother -c"));
  });

  it("is a session, or a group, of its own", async () => {
    using own = sh("sleep 60", { detached: true, killOnDrop: true }).spawn();
    using grouped = sh("sleep 60", { processGroup: 0, killOnDrop: true }).spawn();
    using second = sh("sleep 60", { processGroup: grouped.pid, killOnDrop: true }).spawn();
    using plain = sh("sleep 60", { killOnDrop: true }).spawn();
    function groupAndSession(pid: number): [string, string] {
      const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return [fields[2], fields[3]];
    }
    const [ourGroup, ourSession] = groupAndSession(process.pid);
    const [id, leader] = [String(own.pid), String(grouped.pid)];
    assertEquals(groupAndSession(own.pid), [id, id]);
    assertEquals(groupAndSession(grouped.pid), [leader, ourSession]);
    assertEquals(groupAndSession(second.pid), [leader, ourSession]);
    assertEquals(groupAndSession(plain.pid), [ourGroup, ourSession]);
    await plain.kill();
  });

  it("is no signal that is blocked or ignored, whatever the host does with them", async () => {
    const status = (await told("cat /proc/self/status")).split("\n");
    for (const name of ["SigBlk", "SigIgn"]) {
      assertEquals(status.find((line) => line.startsWith(name)), `${name}:\t0000000000000000`);
    }
    assertEquals((await sh("kill -PIPE $$").status()).signal, "SIGPIPE");
  });

  it("is no descriptor of ours but its three", async () => {
    const inherited = readdirSync("/proc/self/fd").filter((name) => {
      try {
        const flags = /^flags:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${name}`, "latin1"))?.[1] ??
          "0";
        return (parseInt(flags, 8) & 0o2000000) === 0;
      } catch {
        return false;
      }
    });
    using event = new EventFd();
    using socket = Socket.listen({ hostname: "127.0.0.1", port: 0 });
    using file = Fd.open("/etc/passwd");
    const [reader, writer] = pipe();
    using other = new Command("sleep", { args: ["60"], stdin: "piped", stdout: "piped", killOnDrop: true })
      .spawn();
    const listed = (await told("ls /proc/self/fd", { stderr: "null" })).split("\n");
    const ours = [event.fd, socket.fd, file, reader.fd, writer.fd, other.stdin.fd].map((fd) =>
      String(fd.number)
    );
    for (const name of listed) {
      assert(!ours.includes(name) || name === "3", `descriptor ${name} of ${ours}`);
      // ls has opened the folder.
      assert(Number(name) <= 3 || inherited.includes(name), `descriptor ${name}`);
    }
    reader.close();
    writer.close();
  });

  it(
    "is another user's, with nothing of root's left, and we are who we were",
    { skip: unlessRoot },
    async () => {
      const before = readFileSync("/proc/thread-self/status", "latin1");
      const options = { uid: 65534, gid: 65533, cwd: "/" };
      const status = await told("cat /proc/self/status", options);
      const fields = new Map(
        status.split("\n").map((line): [string, string] => {
          const [name, value = ""] = line.split(/:\s*/);
          return [name, value.trim()];
        }),
      );
      assertEquals(fields.get("Uid"), "65534\t65534\t65534\t65534");
      assertEquals(fields.get("Gid"), "65533\t65533\t65533\t65533");
      assertEquals(fields.get("Groups"), "");
      for (const name of ["CapPrm", "CapEff"]) assertEquals(fields.get(name), "0000000000000000");
      assertThrows(() => new Command("/etc/nonesuch", options).spawn(), SystemError, "ENOENT");
      const after = readFileSync("/proc/thread-self/status", "latin1");
      for (const name of ["Uid", "Gid", "Groups", "CapEff", "CapPrm"]) {
        const line = new RegExp(`^${name}:.*$`, "m");
        assertEquals(line.exec(after)?.[0], line.exec(before)?.[0]);
      }
      assertEquals(await told("id -u; id -g", { gid: 65533 }), "0\n65533");
    },
  );
});

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

describe("a child that nobody waits for", () => {
  it("runs on where it is disposed of, and leaves no zombie", async () => {
    using folder = new Folder();
    const path = join(folder.path, "done");
    const before = descriptors();
    {
      using _child = sh(`sleep 0.05; echo > ${path}`).spawn();
    }
    await until(() => existsSync(path), "it has run on");
    await until(() => zombies() === 0, "no zombie");
    await until(() => descriptors() <= before, "no descriptor");
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
    const before = descriptors();
    await run(async () => {
      const command = sh("echo $$; exec sleep 60", { killOnDrop: true });
      await assertRejects(() => command.output().timeout(50).toPromise(), DOMException);
      const other = new Command("sleep", { args: ["60"], killOnDrop: true });
      await assertRejects(() => other.status().timeout(20).toPromise(), DOMException);
    });
    await until(() => zombies() === 0 && descriptors() <= before, "nothing is left");
  });

  it("leaves the process free to end", () => {
    const source = `
      import { Command } from ${JSON.stringify(moduleUrl("lib/net/process.ts"))};
      const child = new Command("sleep", { args: ["2"], stdin: "null", stdout: "null", stderr: "null" }).spawn();
      child[Symbol.dispose]();
      console.log("over");
    `;
    const started = performance.now();
    assertEquals(outputOf(source), "over");
    // The host itself takes a part of it.
    assert(performance.now() - started < 60_000);
  });

  it("is waited for once the collector has its handle", {
    skip: skipping(hostName === "node" ? "Node shows no collector without a flag" : false),
  }, async () => {
    const source = `
      import { readdirSync, readFileSync } from "node:fs";
      import process from "node:process";
      import { Command } from ${JSON.stringify(moduleUrl("lib/net/process.ts"))};
      for (let i = 0; i < 20; i++) new Command("sh", { args: ["-c", "exit 0"], stdout: "piped" }).spawn();
      const left = () => readdirSync("/proc/self/fd").filter((name) => {
        try { return readFileSync("/proc/self/fdinfo/" + name, "latin1").includes("Pid:"); } catch { return false; }
      }).length;
      let rounds = 0;
      for (; left() > 5 && rounds < 300; rounds++) {
        globalThis.gc?.();
        globalThis.Bun?.gc(true);
        globalThis.kept = Array.from({ length: 20000 }, (_, i) => ({ i }));
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      console.log(left() <= 5);
      process.exit(0);
    `;
    assertEquals(outputOf(source, { permissions: ["-A", "--v8-flags=--expose-gc"] }), "true");
    await sleep(0);
  });

  it("leaves nothing, however often", async () => {
    const count = tiered({ quick: 60, full: 10_000, soak: 100_000 });
    await new Command("true").status();
    const before = descriptors();
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
    await until(() => zombies() === 0 && descriptors() <= before, "nothing is left");
  });
});

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
    const output = outputOf(source, { before: "ulimit -n 128" });
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

  it("are limits that are none", async () => {
    using child = new Command("true").spawn();
    assertThrows(() => child.waitWithOutput({ limit: -1 }), RangeError, "limit");
    assertThrows(() => child.startKill(Object("SIGNONE")), TypeError);
    await fromPromise(child.wait().toPromise());
  });
});
