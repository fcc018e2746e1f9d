import { readFileSync } from "node:fs";
import process from "node:process";
import { describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { libc, SystemError } from "../../../ffi/mod.ts";
import { EventFd, Fd, Socket } from "../../../lib/io/mod.ts";
import { Command, pipe } from "../../../lib/net/process.ts";
import { skipping } from "../../skip.ts";
import { Folder, sh, text, told } from "./support.ts";
import { descriptors, openedSince } from "../../descriptors.ts";

const F_SETFD = 2;
const unlessRoot = skipping(process.getuid?.() === 0 ? false : "only root starts programs as others");
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
      assertEquals(openedSince(before), []);
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

  it("is our environment as it is by now, where nothing is said", async () => {
    try {
      for (const value of ["first", "second, and longer than the first"]) {
        process.env.OXBOW_CHANGED = value;
        assertEquals(await told('echo "$OXBOW_CHANGED"', {}), value);
      }
      for (let i = 0; i < 100; i++) process.env[`OXBOW_CHANGED_${i}`] = String(i);
      assertEquals(await told('echo "$OXBOW_CHANGED_99"', {}), "99");
    } finally {
      delete process.env.OXBOW_CHANGED;
      for (let i = 0; i < 100; i++) delete process.env[`OXBOW_CHANGED_${i}`];
    }
    assertEquals(await told('echo "$OXBOW_CHANGED|$OXBOW_CHANGED_99"', {}), "|");
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
    using own = sh("exec sleep 60", { detached: true, killOnDrop: true }).spawn();
    using grouped = sh("exec sleep 60", { processGroup: 0, killOnDrop: true }).spawn();
    using second = sh("exec sleep 60", { processGroup: grouped.pid, killOnDrop: true }).spawn();
    using plain = sh("exec sleep 60", { killOnDrop: true }).spawn();
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
    using _event = new EventFd();
    using _socket = Socket.listen({ hostname: "127.0.0.1", port: 0 });
    using _file = Fd.open("/etc/passwd");
    using inherited = Fd.open("/dev/null");
    assertEquals(libc().fcntl(inherited.number, F_SETFD, 0), 0);
    const [reader, writer] = pipe();
    using _other = new Command("sleep", { args: ["60"], stdin: "piped", stdout: "piped", killOnDrop: true })
      .spawn();
    const listed = (await told("ls /proc/self/fd", { stderr: "null" })).split("\n");
    // ls has opened the folder.
    assertEquals(listed, ["0", "1", "2", "3"]);
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
