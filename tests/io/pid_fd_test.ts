import { type ChildProcess, spawn } from "node:child_process";
import { describe, it } from "node:test";
import process from "node:process";
import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import {
  check,
  cString,
  dlopen,
  hostName,
  NULL,
  pointerArray,
  pointerTo,
  SystemError,
} from "../../ffi/mod.ts";
import { Epoll, EPOLLIN, PidFd, type Signal, WouldBlock } from "../../lib/io/mod.ts";
import { moduleUrl, outputOf } from "../child.ts";
import { skipping } from "../skip.ts";
import { tiered } from "../tier.ts";
import { descriptors, openedSince } from "../descriptors.ts";

/** A process that no host knows of, and that nobody waits for but who has it. */
function spawnUnknown(script: string): number {
  using libc = dlopen(["libc.so.6"], {
    posix_spawn: {
      parameters: ["buffer!", "cstring!", "pointer", "pointer", "pointer", "pointer"],
      result: "i32",
    },
  });
  const argv = ["sh", "-c", script].map(cString);
  const list = pointerArray([...argv, new Uint8Array(0)]);
  const none = new BigUint64Array(1);
  const pid = new Int32Array(1);
  assertEquals(libc.symbols.posix_spawn(pid, "/bin/sh", NULL, NULL, list.pointer, pointerTo(none)), 0);
  assertEquals(argv.length, 3);
  return pid[0];
}

function ended(process: PidFd): void {
  using epoll = new Epoll({ maxEvents: 1 });
  epoll.add(process.fd, EPOLLIN, 0);
  // A child's end is a signal, too, which ends a wait with nothing.
  for (let i = 0; i < 100; i++) if (epoll.wait(1_000) === 1) return;
  throw new Error("a process did not end");
}

function started(command: string, ...args: string[]): { child: ChildProcess; pid: number } {
  const child = spawn(command, args, { stdio: "ignore" });
  return { child, pid: check(child.pid ?? -1, "spawn") };
}

describe("PidFd", () => {
  it("is readable once the process has ended, and then tells how, again and again", () => {
    const endings: [script: string, status: unknown][] = [
      ["exit 0", { code: 0 }],
      ["exit 7", { code: 7 }],
      ["kill -9 $$", { signal: "SIGKILL", dumpedCore: false }],
      ["kill -TERM $$", { signal: "SIGTERM", dumpedCore: false }],
      ["kill -40 $$", { signal: 40, dumpedCore: false }],
    ];
    for (const [script, status] of endings) {
      using child = PidFd.open(spawnUnknown(script));
      ended(child);
      for (let i = 0; i < 2; i++) assertEquals(child.exitStatus(), status);
      assertEquals(child.wait(), status);
    }
  });

  it("is not readable while it runs, and would block", () => {
    using child = PidFd.open(spawnUnknown("exec sleep 60"));
    using epoll = new Epoll();
    epoll.add(child.fd, EPOLLIN, 0);
    assertEquals([epoll.wait(0), child.exitStatus(), child.wait()], [0, WouldBlock, WouldBlock]);
    child.sendSignal("SIGKILL");
    ended(child);
    child.wait();
  });

  it("sends it a signal, by its name or by a realtime signal's number", () => {
    for (const signal of ["SIGTERM", "SIGUSR1", "SIGKILL", 34, 64] as const) {
      using child = PidFd.open(spawnUnknown("exec sleep 60"));
      child.sendSignal(signal);
      ended(child);
      assertEquals(child.wait(), { signal, dumpedCore: false });
    }
  });

  it("says ECHILD where it was waited for, and ESRCH where a signal comes too late", () => {
    using child = PidFd.open(spawnUnknown("exit 0"));
    ended(child);
    // Ended and not waited for: there is something to send to, still.
    child.sendSignal("SIGTERM");
    assertEquals(child.wait(), { code: 0 });
    for (const call of [() => child.wait(), () => child.exitStatus()]) {
      const error = assertThrows(call, SystemError, "the host has waited for it");
      assertEquals(error.code, "ECHILD");
    }
    assertEquals(assertThrows(() => child.sendSignal("SIGTERM"), SystemError).code, "ESRCH");
  });

  it("leaves the end of a child of the host's to the host", async () => {
    const { child, pid } = started("sh", "-c", "exit 3");
    const exit = new Promise((resolve) => child.once("exit", resolve));
    using watched = PidFd.open(pid);
    ended(watched);
    assertEquals(watched.exitStatus(), { code: 3 });
    assertEquals(await exit, 3);
    assertEquals(assertThrows(() => watched.exitStatus(), SystemError).code, "ECHILD");
  });

  it("does not mean another process that has the number since", () => {
    const first = spawnUnknown("exit 0");
    using child = PidFd.open(first);
    ended(child);
    child.wait();
    assertEquals(assertThrows(() => PidFd.open(first), SystemError, `process ${first}`).code, "ESRCH");
    assertEquals(assertThrows(() => child.sendSignal("SIGKILL"), SystemError).code, "ESRCH");
  });

  it("may be of a process that is no child, and then of its end alone", () => {
    using parent = PidFd.open(process.ppid);
    using epoll = new Epoll();
    epoll.add(parent.fd, EPOLLIN, 0);
    assertEquals(epoll.wait(0), 0);
    assertEquals(assertThrows(() => parent.exitStatus(), SystemError, "no child").code, "ECHILD");
  });

  it("refuses what is no process and no signal", () => {
    for (const pid of [0, -1, 0.5, NaN, 2 ** 22]) {
      assertThrows(() => PidFd.open(pid), RangeError, `pid is ${pid}, not an integer from 1`);
    }
    using itself = PidFd.open(process.pid);
    for (const signal of ["SIGNONE", "", "toString", null, undefined, {}]) {
      assertThrows(() => Reflect.apply(itself.sendSignal, itself, [signal]), TypeError, "the name of none");
    }
    for (const signal of [0, 15, 33, 65, 34.5, NaN]) {
      assertThrows(
        () => itself.sendSignal(signal),
        RangeError,
        `signal is ${signal}, not the number of a realtime`,
      );
    }
  });

  it("is not used once it was closed, and gives its descriptor back", () => {
    const child = PidFd.open(process.pid);
    child.close();
    child[Symbol.dispose]();
    const signal: Signal = "SIGCONT";
    for (const use of [() => child.wait(), () => child.exitStatus(), () => child.sendSignal(signal)]) {
      assertThrows(use, Error, "a file descriptor that was closed");
    }
    const before = descriptors();
    for (let i = 0; i < tiered({ quick: 10_000, full: 100_000, soak: 10_000_000 }); i++) {
      PidFd.open(process.pid).close();
    }
    assert(openedSince(before).length < 50);
  });

  it("asks Deno for --allow-run", { skip: skipping(hostName !== "deno" && "permissions are Deno's") }, () => {
    const source = `import { PidFd } from "${moduleUrl("lib/io/mod.ts")}";
      try { PidFd.open(Deno.pid).close(); console.log("done"); }
      catch (error) { console.log(error.name, error.message); }`;
    assertEquals(
      outputOf(source, { permissions: ["--allow-ffi"], configured: true }),
      "NotCapable Requires run access, run again with the --allow-run flag",
    );
    assertStrictEquals(
      outputOf(source, { permissions: ["--allow-ffi", "--allow-run"], configured: true }),
      "done",
    );
  });
});
