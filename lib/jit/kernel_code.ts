/** What handlers of signals in machine code have in common: the kernel's numbers, a spinlock, system calls. */
import { Assembler } from "./assembler.ts";
import type { Code } from "./code.ts";
import { dword } from "./memory.ts";
import { eax, type Gpr, rax } from "./registers.ts";

/** Numbers of system calls: `asm/unistd_64.h`. */
export const NR = {
  write: 1,
  close: 3,
  mmap: 9,
  munmap: 11,
  rt_sigaction: 13,
  rt_sigprocmask: 14,
  rt_sigreturn: 15,
  getpid: 39,
  prctl: 157,
  gettid: 186,
  futex: 202,
  epoll_wait: 232,
  epoll_ctl: 233,
  rt_tgsigqueueinfo: 297,
} as const;

/** The kernel's `struct sigaction`, which is not libc's: what is at which byte. */
export const ACTION = { handler: 0, flags: 8, restorer: 16, mask: 24, size: 32 } as const;
/** The kernel's `sigset_t`. */
export const SIGSET_BYTES = 8;
/** Of `siginfo_t`: `mark` is padding, in which we note that our handler has seen it. */
export const INFO = { code: 8, address: 16, mark: 120 } as const;

export const SIG_IGN = 1;
export const SA = {
  SIGINFO: 0x4,
  RESTORER: 0x04000000,
  ONSTACK: 0x08000000,
  RESTART: 0x10000000,
  NODEFER: 0x40000000,
  RESETHAND: 0x80000000 | 0,
} as const;

/** The results of system calls that are errors, from here to -1, as a comparison without signs sees them. */
export const FIRST_ERROR = -4095;

/** Leaves in rax what the system call gives, whose arguments are in place; rcx and r11 are lost. */
export function systemCall(a: Assembler, number: number): void {
  a.mov(eax, number);
  a.syscall();
}

/** Waits until the lock, 32 bits at `address`, is ours; eax is lost. */
export function acquire(a: Assembler, address: Gpr<"r64">): void {
  const [again, taken] = [a.label(), a.label()];
  a.bind(again);
  a.mov(eax, 1);
  a.xchg(dword(address), eax);
  a.test(eax, eax);
  a.jz(taken);
  a.pause();
  a.jmp(again);
  a.bind(taken);
}

/** Gives the lock back, after all that was written before has become visible. */
export function release(a: Assembler, address: Gpr<"r64">): void {
  a.lock_and(dword(address), 0);
}

/** Where the kernel goes when a handler returns: gdb knows these very bytes for a signal's frame. */
export function restorerCode(): Code {
  const a = new Assembler();
  a.mov(rax, NR.rt_sigreturn);
  a.syscall();
  return a.finish();
}
