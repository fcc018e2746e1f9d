/**
 * The structs of Linux's and glibc's interfaces, field by field as their headers have them, on x86-64 and on
 * arm64. What counts seconds or bytes is read as a number. Padding is left to the layout rules, or named as
 * in the header where they do not make it.
 */
import process from "node:process";
import { array } from "./array.ts";
import type { Fields, Layout } from "./field.ts";
import { type Struct, struct } from "./struct.ts";

/** The machines that Linux's layouts differ between. */
export type Architecture = "x64" | "arm64";

/** The one that we run on. arm64's layouts are the kernel's for every machine since. */
const here: Architecture = process.arch === "x64" ? "x64" : "arm64";

type Octets = Layout<Uint8Array<ArrayBuffer>>;
const octets4: Octets = array("u8", 4);
const octets8: Octets = array("u8", 8);
const octets16: Octets = array("u8", 16);
const octets24: Octets = array("u8", 24);
const octets28: Octets = array("u8", 28);
const octets100: Octets = array("u8", 100);
const octets108: Octets = array("u8", 108);
const octets128: Octets = array("u8", 128);

const timespecFields = {
  tv_sec: "i53", // time_t
  tv_nsec: "i53", // long
} as const satisfies Fields;
/** timespec(3type). */
export const timespec: Struct<typeof timespecFields> = struct(timespecFields);

const itimerspecFields = {
  it_interval: timespec,
  it_value: timespec,
} as const satisfies Fields;
/** itimerspec(3type): timerfd_settime(2). */
export const itimerspec: Struct<typeof itimerspecFields> = struct(itimerspecFields);

const iovecFields = {
  iov_base: "pointer", // void *
  iov_len: "u53", // size_t
} as const satisfies Fields;
/** iovec(3type): readv(2). */
export const iovec: Struct<typeof iovecFields> = struct(iovecFields);

const msghdrFields = {
  msg_name: "pointer", // void *
  msg_namelen: "u32", // socklen_t
  msg_iov: "pointer", // struct iovec *
  msg_iovlen: "u53", // size_t
  msg_control: "pointer", // void *
  msg_controllen: "u53", // size_t
  msg_flags: "i32", // int
} as const satisfies Fields;
/** `struct msghdr`: sendmsg(2). */
export const msghdr: Struct<typeof msghdrFields> = struct(msghdrFields);

const mmsghdrFields = {
  msg_hdr: msghdr,
  msg_len: "u32", // unsigned int
} as const satisfies Fields;
/** `struct mmsghdr`: sendmmsg(2), recvmmsg(2). */
export const mmsghdr: Struct<typeof mmsghdrFields> = struct(mmsghdrFields);

const cmsghdrFields = {
  cmsg_len: "u53", // size_t
  cmsg_level: "i32", // int
  cmsg_type: "i32", // int
} as const satisfies Fields;
/** `struct cmsghdr`, before its data: cmsg(3). */
export const cmsghdr: Struct<typeof cmsghdrFields> = struct(cmsghdrFields);

const ucredFields = {
  pid: "i32", // pid_t
  uid: "u32", // uid_t
  gid: "u32", // gid_t
} as const satisfies Fields;
/** `struct ucred`: unix(7). */
export const ucred: Struct<typeof ucredFields> = struct(ucredFields);

const ipMreqnFields = {
  imr_multiaddr: octets4, // struct in_addr
  imr_address: octets4, // struct in_addr
  imr_ifindex: "i32", // int
} as const satisfies Fields;
/** `struct ip_mreqn`: ip(7). */
export const ip_mreqn: Struct<typeof ipMreqnFields> = struct(ipMreqnFields, { align: 4 });

const ipv6MreqFields = {
  ipv6mr_multiaddr: octets16, // struct in6_addr
  ipv6mr_interface: "u32", // unsigned int
} as const satisfies Fields;
/** `struct ipv6_mreq`: ipv6(7). */
export const ipv6_mreq: Struct<typeof ipv6MreqFields> = struct(ipv6MreqFields, { align: 4 });

const sockaddrInFields = {
  sin_family: "u16", // sa_family_t
  sin_port: "u16be", // in_port_t
  sin_addr: octets4, // struct in_addr
  sin_zero: octets8, // unsigned char[8]
} as const satisfies Fields;
/** `struct sockaddr_in`: ip(7). */
export const sockaddr_in: Struct<typeof sockaddrInFields> = struct(sockaddrInFields, { align: 4 });

const sockaddrIn6Fields = {
  sin6_family: "u16", // sa_family_t
  sin6_port: "u16be", // in_port_t
  sin6_flowinfo: "u32be", // uint32_t
  sin6_addr: octets16, // struct in6_addr
  sin6_scope_id: "u32", // uint32_t
} as const satisfies Fields;
/** `struct sockaddr_in6`: ipv6(7). */
export const sockaddr_in6: Struct<typeof sockaddrIn6Fields> = struct(sockaddrIn6Fields, { align: 4 });

const sockaddrUnFields = {
  sun_family: "u16", // sa_family_t
  sun_path: octets108, // char[108]
} as const satisfies Fields;
/** `struct sockaddr_un`: unix(7). */
export const sockaddr_un: Struct<typeof sockaddrUnFields> = struct(sockaddrUnFields);

const signalfdSiginfoFields = {
  ssi_signo: "u32",
  ssi_errno: "i32",
  ssi_code: "i32",
  ssi_pid: "u32",
  ssi_uid: "u32",
  ssi_fd: "i32",
  ssi_tid: "u32",
  ssi_band: "u32",
  ssi_overrun: "u32",
  ssi_trapno: "u32",
  ssi_status: "i32",
  ssi_int: "i32",
  ssi_ptr: "u64",
  ssi_utime: "u64",
  ssi_stime: "u64",
  ssi_addr: "u64",
  ssi_addr_lsb: "u16",
  __pad2: "u16",
  ssi_syscall: "i32",
  ssi_call_addr: "u64",
  ssi_arch: "u32",
  __pad: octets28,
} as const satisfies Fields;
/** `struct signalfd_siginfo`: signalfd(2). */
export const signalfd_siginfo: Struct<typeof signalfdSiginfoFields> = struct(signalfdSiginfoFields);

const siginfoFields = {
  si_signo: "i32",
  si_errno: "i32",
  si_code: "i32",
  __pad0: "i32",
  // From here on a union: this is its member for SIGCHLD.
  si_pid: "i32",
  si_uid: "u32",
  si_status: "i32",
  __pad1: octets100,
} as const satisfies Fields;
/** `siginfo_t` as waitid(2) fills it in. */
export const siginfo: Struct<typeof siginfoFields> = struct(siginfoFields);

const inotifyEventFields = {
  wd: "i32", // int
  mask: "u32", // uint32_t
  cookie: "u32", // uint32_t
  len: "u32", // uint32_t: how many bytes of a name and NULs follow
} as const satisfies Fields;
/** `struct inotify_event` before its name: inotify(7). */
export const inotify_event: Struct<typeof inotifyEventFields> = struct(inotifyEventFields);

const sigactionFields = {
  sa_handler: "pointer", // or sa_sigaction: a union
  sa_mask: octets128, // sigset_t, of longs
  sa_flags: "i32", // int
  sa_restorer: "pointer", // void (*)(void)
} as const satisfies Fields;
/** `struct sigaction` as glibc's sigaction(2) takes it, which is not the kernel's. */
export const sigaction: Struct<typeof sigactionFields> = struct(sigactionFields);

const epollEventFields = {
  events: "u32", // uint32_t
  data: "u64", // union epoll_data
} as const satisfies Fields;

/** `struct epoll_event` on a machine: packed on x86-64 alone. */
export function epollEventOn(architecture: Architecture): Struct<typeof epollEventFields> {
  return struct(epollEventFields, { packed: architecture === "x64" });
}

/** `struct epoll_event`: epoll_ctl(2). */
export const epoll_event: Struct<typeof epollEventFields> = epollEventOn(here);

const statOnX64 = {
  st_dev: "u64", // dev_t
  st_ino: "u64", // ino_t
  st_nlink: "u53", // nlink_t
  st_mode: "u32", // mode_t
  st_uid: "u32", // uid_t
  st_gid: "u32", // gid_t
  st_rdev: "u64", // dev_t
  st_size: "i53", // off_t
  st_blksize: "i53", // blksize_t
  st_blocks: "i53", // blkcnt_t
  st_atim: timespec,
  st_mtim: timespec,
  st_ctim: timespec,
  __glibc_reserved: octets24,
} as const satisfies Fields;

const statOnArm64 = {
  st_dev: "u64", // dev_t
  st_ino: "u64", // ino_t
  st_mode: "u32", // mode_t
  st_nlink: "u32", // nlink_t
  st_uid: "u32", // uid_t
  st_gid: "u32", // gid_t
  st_rdev: "u64", // dev_t
  __pad1: "u64",
  st_size: "i53", // off_t
  st_blksize: "i32", // blksize_t
  st_blocks: "i53", // blkcnt_t
  st_atim: timespec,
  st_mtim: timespec,
  st_ctim: timespec,
  __glibc_reserved: octets8,
} as const satisfies Fields;

type Stat = Struct<typeof statOnX64> | Struct<typeof statOnArm64>;

/** `struct stat` on a machine. */
export function statOn(architecture: Architecture): Stat {
  return architecture === "x64" ? struct(statOnX64) : struct(statOnArm64);
}

/** stat(3type): fstat(2). */
export const stat: Stat = statOn(here);

/** What of pthreads(7) and sem_overview(7) lies in shared memory: nothing but its room is known. */
export interface SharedObjects {
  readonly pthread_mutex_t: Layout<BigInt64Array<ArrayBuffer>>;
  readonly pthread_cond_t: Layout<BigInt64Array<ArrayBuffer>>;
  readonly sem_t: Layout<BigInt64Array<ArrayBuffer>>;
}

/** glibc's on a machine. */
export function sharedObjectsOn(architecture: Architecture): SharedObjects {
  return {
    pthread_mutex_t: array("i64", architecture === "x64" ? 5 : 6),
    pthread_cond_t: array("i64", 6),
    sem_t: array("i64", 4),
  };
}

const shared: SharedObjects = sharedObjectsOn(here);
/** pthread_mutex_init(3). */
export const pthread_mutex_t: SharedObjects["pthread_mutex_t"] = shared.pthread_mutex_t;
/** pthread_cond_init(3). */
export const pthread_cond_t: SharedObjects["pthread_cond_t"] = shared.pthread_cond_t;
/** sem_init(3). */
export const sem_t: SharedObjects["sem_t"] = shared.sem_t;
