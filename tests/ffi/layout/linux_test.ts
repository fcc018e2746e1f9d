import { describe, it } from "node:test";
import { mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { assertEquals } from "@std/assert";
import {
  type Architecture,
  cmsghdr,
  epollEventOn,
  inotify_event,
  iovec,
  ip_mreqn,
  ipv6_mreq,
  itimerspec,
  mmsghdr,
  msghdr,
  sharedObjectsOn,
  sigaction,
  siginfo,
  signalfd_siginfo,
  sockaddr_in,
  sockaddr_in6,
  sockaddr_un,
  statOn,
  timespec,
  ucred,
} from "../../../ffi/layout/linux.ts";
import type { Fields, Layout } from "../../../ffi/layout/field.ts";
import { Stat } from "../../../ffi/layout/stat.ts";
import { check, cString, libc, stat } from "../../../ffi/mod.ts";
import { compileC } from "./c_program.ts";
import { unlessInstalled } from "../../skip.ts";

interface Laid extends Layout<unknown> {
  readonly fields: Fields;
  readonly offsets: Readonly<Record<string, number>>;
}

function structsOn(architecture: Architecture): Readonly<Record<string, Laid>> {
  return {
    timespec,
    itimerspec,
    iovec,
    msghdr,
    mmsghdr,
    cmsghdr,
    ucred,
    ip_mreqn,
    ipv6_mreq,
    sockaddr_in,
    sockaddr_in6,
    sockaddr_un,
    signalfd_siginfo,
    sigaction,
    inotify_event,
    stat: statOn(architecture),
    epoll_event: epollEventOn(architecture),
  };
}

const HEADERS = [
  "stddef.h",
  "stdint.h",
  "pthread.h",
  "semaphore.h",
  "signal.h",
  "time.h",
  "netinet/in.h",
  "sys/epoll.h",
  "sys/inotify.h",
  "sys/signalfd.h",
  "sys/socket.h",
  "sys/stat.h",
  "sys/uio.h",
  "sys/un.h",
];

const SIZES: Readonly<Record<string, number>> = {
  u16: 2,
  u16be: 2,
  i32: 4,
  u32: 4,
  u32be: 4,
  i53: 8,
  u53: 8,
  u64: 8,
  pointer: 8,
};

function assertion(condition: string): string {
  return `_Static_assert(${condition}, "${condition.replaceAll('"', "")}");`;
}

/** What C must find true of a field: where it lies, how much it takes, and whether it has a sign. */
function fieldAssertions(name: string, field: string, struct: Laid): string[] {
  const type = struct.fields[field];
  const size = typeof type === "string" ? SIZES[type] : type.size;
  const found = [
    assertion(`offsetof(struct ${name}, ${field}) == ${struct.offsets[field]}`),
    assertion(`sizeof(((struct ${name} *)0)->${field}) == ${size}`),
  ];
  const isUnion = name === "epoll_event" && field === "data";
  if (typeof type === "string" && /^[iu]\d+$/.test(type) && !isUnion) {
    const sign = type.startsWith("i") ? "<" : ">";
    found.push(assertion(`(__typeof__(((struct ${name} *)0)->${field}))-1 ${sign} 0`));
  }
  return found;
}

/** A C file that compiles only where every layout is C's. */
function assertionsOn(architecture: Architecture): string {
  const structs = Object.entries(structsOn(architecture)).flatMap(([name, struct]) => [
    assertion(`sizeof(struct ${name}) == ${struct.size}`),
    assertion(`_Alignof(struct ${name}) == ${struct.align}`),
    ...Object.keys(struct.fields).flatMap((field) => fieldAssertions(name, field, struct)),
  ]);
  const objects = Object.entries(sharedObjectsOn(architecture)).flatMap(([name, { size, align }]) => [
    assertion(`sizeof(${name}) == ${size}`),
    assertion(`_Alignof(${name}) == ${align}`),
  ]);
  // Of a typedef, and by macros of what is in its union.
  const info = (["si_signo", "si_code", "si_pid", "si_uid", "si_status"] as const).map((field) =>
    assertion(`offsetof(siginfo_t, ${field}) == ${siginfo.offsets[field]}`)
  );
  info.push(assertion(`sizeof(siginfo_t) == ${siginfo.size}`));
  const head = HEADERS.map((header) => `#include <${header}>`);
  return ["#define _GNU_SOURCE", ...head, ...structs, ...objects, ...info, ""].join("\n");
}

const CROSS_COMPILERS = { x64: "x86_64-linux-gnu-gcc", arm64: "aarch64-linux-gnu-gcc" } as const;

describe("the layouts of Linux's structs", () => {
  for (const architecture of ["x64", "arm64"] as const) {
    const compiler = architecture === process.arch ? "gcc" : CROSS_COMPILERS[architecture];
    const skip = unlessInstalled(compiler);
    const source = assertionsOn(architecture);

    it(`are those of ${compiler}, which is skipped where it is not installed`, { skip }, () => {
      compileC(compiler, source);
    });
  }

  it("differ between x86-64 and arm64 where the kernel's do", () => {
    assertEquals([epollEventOn("x64").size, epollEventOn("arm64").size], [12, 16]);
    assertEquals([epollEventOn("x64").offsets.data, epollEventOn("arm64").offsets.data], [4, 8]);
    assertEquals([statOn("x64").size, statOn("arm64").size], [144, 128]);
    assertEquals([statOn("x64").offsets.st_mode, statOn("arm64").offsets.st_mode], [24, 16]);
  });
});

describe("stat", () => {
  it("is filled in by fstat as the host's own tells it", () => {
    const folder = mkdtempSync(join(tmpdir(), "oxbow-stat-"));
    const path = join(folder, "file");
    writeFileSync(path, "twelve bytes", { mode: 0o640 });
    utimesSync(path, 1_000_000_000, 1_500_000_000.25);
    const bytes = new Uint8Array(stat.size);
    const ours = new Stat();
    const fd = check(libc().open(cString(path), 0, 0), "open");
    check(libc().fstat(fd, bytes), "fstat");
    check(libc().fstat(fd, ours.bytes), "fstat");
    libc().close(fd);
    const theirs = statSync(path, { bigint: true });
    rmSync(folder, { recursive: true });

    const view = stat.view(bytes);
    assertEquals(
      [view.st_dev, view.st_ino, view.st_rdev].concat(
        [view.st_nlink, view.st_mode, view.st_uid, view.st_gid, view.st_size, view.st_blocks].map(BigInt),
      ),
      [
        ...[theirs.dev, theirs.ino, theirs.rdev],
        ...[theirs.nlink, theirs.mode, theirs.uid, theirs.gid, theirs.size, theirs.blocks],
      ],
    );
    assertEquals([view.st_atim.tv_sec, view.st_atim.tv_nsec], [1_000_000_000, 0]);
    assertEquals([view.st_mtim.tv_sec, view.st_mtim.tv_nsec], [1_500_000_000, 250_000_000]);
    assertEquals([ours.device, ours.inode, ours.size, ours.type], [theirs.dev, theirs.ino, 12, 0o100000]);
  });
});
