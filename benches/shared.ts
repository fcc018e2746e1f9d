/**
 * Claims: between two processes a ring in a shared map takes messages of 64 bytes at 5 million a second or more, and
 * at ten times the rate of a Unix socket by node:net; a round trip takes at most 1 µs where both sides are awake, and
 * at most twice that of pipes in C where both sleep on one core. Locking and unlocking a free mutex takes at most
 * 60 ns, and one that two processes want no more than pthread's functions called as they are.
 *
 * Each contender runs in two processes of its own, fresh in every round, and includes its compilers' warming up.
 * Waking a virtual CPU that is idle takes 70 to 100 µs by itself: where both sides sleep, they have one core.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { hostName } from "../ffi/mod.ts";
import { Mmap } from "../lib/mem/mmap.ts";
import { SharedMutex } from "../lib/mem/shared.ts";
import { compare, type Contender, timed } from "./compare.ts";
import { buildPeer, runPeer } from "./peers.ts";

const RING = "SharedRing";
const SOCKET = "node:net, Unix socket";
const POLLED = "SharedRing, both polling";
const ADAPTIVE = "SharedRing, recvSync";
const PIPES = "pipes in C";
const MUTEX = "SharedMutex";
const BARE = "pthread over FFI";
const C = "pthread in C";
const LOCKINGS = 1000;

/** What `command` prints, of each round. */
function printed(name: string, command: string, args: readonly string[]): Contender {
  return { name, sample: () => Promise.resolve(runPeer(command, args)) };
}

/** A program of `shared/`, on this host. */
function program(
  name: string,
  file: string,
  args: readonly (string | number)[],
  before: readonly string[] = [],
) {
  const path = fileURLToPath(new URL(`shared/${file}`, import.meta.url));
  const [command, ...rest] = [
    ...before,
    process.execPath,
    ...(hostName === "deno" ? ["run", "-A"] : []),
    path,
  ];
  return printed(name, command, [...rest, ...args.map(String)]);
}

/** Locks and unlocks in this process, with the guard as `using` would have it. */
function lockings(mutex: SharedMutex, quick: boolean): Contender {
  return timed({
    name: MUTEX,
    quick,
    run() {
      let locked = 0;
      for (let i = 0; i < LOCKINGS; i++) {
        const guard = mutex.lockSync();
        if (mutex.isHeld) locked++;
        guard[Symbol.dispose]();
      }
      return locked;
    },
    check(locked) {
      if (locked !== LOCKINGS || mutex.isHeld) {
        throw new Error(`it was locked ${locked} times, not ${LOCKINGS}`);
      }
    },
    figure: (ns) => ns / LOCKINGS,
  });
}

async function compareFree(peer: string | undefined, quick: boolean): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "oxbow-bench-"));
  try {
    using map = Mmap.open(join(folder, "map"), { mode: "w+", length: SharedMutex.byteSize });
    await compare({
      title: "a free mutex, locked and unlocked",
      units: ["ns"],
      baseline: MUTEX,
      contenders: [
        lockings(SharedMutex.create(map), quick),
        ...(peer === undefined ? [] : [printed(C, peer, ["free", quick ? "100000" : "5000000"])]),
      ],
      quick,
      targets: [{ name: MUTEX, figuresAtMost: [60] }],
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function compareMessages(quick: boolean): Promise<void> {
  await compare({
    title: "messages of 64 bytes, from one process to another",
    units: ["ns a message"],
    baseline: SOCKET,
    contenders: [
      program(SOCKET, "socket.ts", [quick ? 20_000 : 300_000]),
      program(RING, "ends.ts", ["stream", quick ? 100_000 : 5_000_000]),
    ],
    quick,
    targets: [{ name: RING, atMost: 0.1, figuresAtMost: [200] }],
  });
  const trips = quick ? 5_000 : 500_000;
  await compare({
    title: "round trips of 64 bytes, both sides awake",
    units: ["µs"],
    baseline: POLLED,
    contenders: [
      program(POLLED, "ends.ts", ["polled", trips]),
      program(ADAPTIVE, "ends.ts", ["trip", trips]),
    ],
    quick,
    targets: [{ name: POLLED, figuresAtMost: [1] }],
  });
}

async function compareAsleep(peer: string, quick: boolean): Promise<void> {
  const pinned = ["taskset", "--cpu-list", "0"];
  const trips = quick ? 2_000 : 200_000;
  await compare({
    title: "round trips of 64 bytes, both sides asleep on one core",
    units: ["µs"],
    baseline: PIPES,
    contenders: [
      printed(PIPES, pinned[0], [...pinned.slice(1), peer, "pipe", String(trips)]),
      program(RING, "ends.ts", ["trip", trips], pinned),
    ],
    quick,
    targets: [{ name: RING, atMost: 2 }],
  });
}

async function compareContended(peer: string | undefined, quick: boolean): Promise<void> {
  const times = quick ? 10_000 : 1_000_000;
  await compare({
    title: "a mutex that two processes want, a locking",
    units: ["ns"],
    baseline: BARE,
    contenders: [
      program(BARE, "ends.ts", ["bare", times]),
      program(MUTEX, "ends.ts", ["mutex", times]),
      ...(peer === undefined ? [] : [printed(C, peer, ["contended", String(times)])]),
    ],
    quick,
    targets: [{ name: MUTEX, atMost: 1 }],
  });
}

export async function run({ quick }: { quick: boolean }): Promise<void> {
  const peer = buildPeer("shared", ["-pthread"]);
  await compareMessages(quick);
  if (spawnSync("taskset", ["--version"]).status !== 0) {
    console.log("taskset is not here: no round trips asleep");
  } else if (peer !== undefined) await compareAsleep(peer, quick);
  await compareFree(peer, quick);
  await compareContended(peer, quick);
}
