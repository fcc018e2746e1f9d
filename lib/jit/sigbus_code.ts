/**
 * The SIGBUS guard's programs.
 *
 * `guard` takes a range of the table, and `release` gives it back, under a spinlock. The handler does not take that
 * lock, for it may interrupt who holds it: each range has a version, odd while it is written, and the handler reads
 * a range again where the version has changed meanwhile. `release` waits until no handler runs, so that none maps a
 * page of zeros over what comes to lie there next. x86-64 does not reorder stores, nor loads, with each other.
 *
 * One handler at a time puts a page in, and only where the kernel cannot read what is there: of two threads that
 * fault on one page the second would take away what the first has written. Who comes meanwhile does not wait in
 * the handler but returns, and faults again or does not.
 *
 * Somebody may install a handler after ours that calls ours in turn, and `guard` then installs ours again on top:
 * the handler marks a signal that it hands on, and one that comes with the mark goes to who was there first.
 */
import { Assembler } from "./assembler.ts";
import type { Code } from "./code.ts";
import {
  acquire,
  ACTION,
  FIRST_ERROR,
  INFO,
  NR,
  release,
  SA,
  SIG_IGN,
  SIGSET_BYTES,
  systemCall,
} from "./kernel_code.ts";
import { dword, ptr, qword } from "./memory.ts";
import { symbol } from "./places.ts";
import { NAMES, RANGE, RANGE_SHIFT, RANGES, STATE } from "./sigbus_memory.ts";
import {
  eax,
  ecx,
  edi,
  edx,
  esi,
  r10,
  r10d,
  r11,
  r11d,
  r12,
  r12d,
  r8,
  r9,
  r9d,
  rax,
  rbp,
  rbx,
  rcx,
  rdi,
  rdx,
  rsi,
  rsp,
} from "./registers.ts";

const PAGE = 4096;
const SIGBUS = 7;
/** A fault past the end of the file: a broken page and a misaligned access have other codes. */
const BUS_ADRERR = 2;
/** In the padding of a signal's information: any number that nobody else writes there. */
const SEEN = 0x0b0c5165;
/** No operation of rt_sigprocmask: it reads the set before it looks at that. */
const NO_OPERATION = -1;
const EFAULT = 14;
const MAP_PRIVATE_FIXED_ANONYMOUS = 0x2 | 0x10 | 0x20;
const ENOSPC = 28;

/** `void sigbus_handler(int signal, siginfo_t *info, void *context)` */
export function handlerCode(): Code {
  const a = new Assembler();
  const [next, reread, miss, hit] = ["next", "reread", "miss", "hit"].map((name) => a.label(name));
  const [filled, again, failed, chain] = ["filled", "again", "failed", "chain"].map((name) => a.label(name));
  const [address, index, range, version] = [rax, rcx, r10, r11d];
  const [page, count, protection] = [rbx, rbp, r12d];
  a.endbr64();
  for (const register of [rdi, rsi, rdx]) a.push(register);
  a.mov(r8, ptr(symbol(NAMES.state)));
  a.lock_inc(dword(r8, STATE.inside));
  a.cmp(dword(rsi, INFO.code), BUS_ADRERR);
  a.jne(chain);
  a.mov(address, ptr(rsi, INFO.address));
  a.mov(index, ptr(r8, STATE.used));
  a.mov(r9, ptr(symbol(NAMES.ranges)));

  a.bind(next);
  a.sub(index, 1);
  a.jb(chain);
  a.mov(range, index);
  a.shl(range, RANGE_SHIFT);
  a.add(range, r9);
  a.bind(reread);
  a.mov(version, ptr(range, RANGE.version));
  a.test(version, 1);
  a.jnz(next); // It is not there yet, or not any more.
  a.cmp(address, ptr(range, RANGE.start));
  a.jb(miss);
  a.cmp(address, ptr(range, RANGE.end));
  a.jae(miss);
  a.mov(edx, ptr(range, RANGE.protection));
  a.cmp(version, ptr(range, RANGE.version));
  a.je(hit);
  a.jmp(reread);
  a.bind(miss);
  a.cmp(version, ptr(range, RANGE.version));
  a.jne(reread);
  a.jmp(next);

  a.bind(hit);
  a.mov(r9, ptr(symbol(NAMES.faults)));
  for (const register of [rbx, rbp, r12]) a.push(register);
  a.mov(page, address);
  a.and(page, -PAGE);
  a.lea(count, ptr(r9, index.times(4)));
  a.mov(protection, edx);
  a.mov(eax, 1);
  a.xchg(dword(r8, STATE.filling), eax);
  a.test(eax, eax);
  a.jnz(again);
  a.mov(rdi, NO_OPERATION);
  a.mov(rsi, page);
  a.xor(edx, edx);
  a.mov(r10d, SIGSET_BYTES);
  systemCall(a, NR.rt_sigprocmask);
  a.cmp(rax, -EFAULT);
  a.jne(filled);
  // Counted first: whoever finds the zeros finds the count.
  a.lock_inc(dword(count));
  a.mov(rdi, page);
  a.mov(esi, PAGE);
  a.mov(edx, protection);
  a.mov(r10d, MAP_PRIVATE_FIXED_ANONYMOUS);
  a.push(r8);
  a.mov(r8, -1);
  a.xor(r9d, r9d);
  systemCall(a, NR.mmap);
  a.pop(r8);
  a.cmp(rax, FIRST_ERROR);
  a.jae(failed);
  a.bind(filled);
  a.lock_and(dword(r8, STATE.filling), 0);
  a.bind(again);
  for (const register of [r12, rbp, rbx]) a.pop(register);
  a.lock_dec(dword(r8, STATE.inside));
  for (const register of [rdx, rsi, rdi]) a.pop(register);
  a.ret();

  a.bind(failed);
  a.lock_dec(dword(count));
  a.lock_and(dword(r8, STATE.filling), 0);
  for (const register of [r12, rbp, rbx]) a.pop(register);
  a.bind(chain);
  a.lock_dec(dword(r8, STATE.inside));
  for (const register of [rdx, rsi, rdi]) a.pop(register);
  chainToOld(a);
  return a.finish();
}

/** Goes to what had the signal before, as if it had it still: r8 is the state, the arguments are in place. */
function chainToOld(a: Assembler): void {
  const [back, found, kill, ignore, go] = ["back", "found", "kill", "ignore", "go"].map((name) =>
    a.label(name)
  );
  const action = r9;
  a.cmp(dword(rsi, INFO.mark), SEEN);
  a.je(back);
  a.lea(action, ptr(r8, STATE.old));
  a.jmp(found);
  a.bind(back);
  a.lea(action, ptr(r8, STATE.first));
  a.bind(found);
  a.mov(rax, ptr(action, ACTION.handler));
  a.cmp(rax, SIG_IGN);
  a.jb(kill);
  a.je(ignore);
  a.test(dword(action, ACTION.flags), SA.RESETHAND);
  a.jz(go);
  a.mov(qword(action, ACTION.handler), 0);
  a.bind(go);
  a.mov(dword(rsi, INFO.mark), SEEN);
  a.jmp(rax);

  // One that was sent is ignored; a fault kills whoever ignores it.
  a.bind(ignore);
  a.cmp(dword(rsi, INFO.code), 0);
  a.jg(kill);
  a.ret();

  // The same signal again, with nobody to handle it: it arrives when this returns, and says where the fault was.
  a.bind(kill);
  a.mov(dword(rsi, INFO.mark), 0);
  a.push(rsi);
  a.lea(rsi, ptr(r8, STATE.fallback));
  a.mov(edi, SIGBUS);
  a.xor(edx, edx);
  a.mov(r10d, SIGSET_BYTES);
  systemCall(a, NR.rt_sigaction);
  systemCall(a, NR.gettid);
  a.mov(esi, eax);
  systemCall(a, NR.getpid);
  a.mov(edi, eax);
  a.mov(edx, SIGBUS);
  a.pop(r10);
  systemCall(a, NR.rt_tgsigqueueinfo);
  a.ret();
}

/** Installs the handler where it is not, or not any more: r8 is the state. Goes to `failed` with -errno in rax. */
function install(a: Assembler, failed: ReturnType<Assembler["label"]>): void {
  const [done, again, fresh, taken, put] = ["done", "again", "fresh", "taken", "put"].map((name) =>
    a.label(name)
  );
  const { old, first, own, current } = STATE;
  a.mov(edi, SIGBUS);
  a.xor(esi, esi);
  a.lea(rdx, ptr(r8, current));
  a.mov(r10d, SIGSET_BYTES);
  systemCall(a, NR.rt_sigaction);
  a.test(rax, rax);
  a.js(failed);
  a.mov(rax, ptr(symbol("sigbus_handler")));
  a.cmp(rax, ptr(r8, current + ACTION.handler));
  a.jne(taken);
  // Bun puts a handler back that it has found, without its flags.
  a.mov(rax, ptr(r8, current + ACTION.flags));
  a.cmp(rax, ptr(r8, own + ACTION.flags));
  a.je(done);
  a.jmp(put);
  a.bind(taken);
  copyAction(a, current, old);
  a.cmp(dword(r8, STATE.installed), 0);
  a.jne(again);
  copyAction(a, current, first);
  a.bind(again);
  // What the old handler asked for holds when it is called from ours: signals blocked, another stack.
  a.mov(eax, SA.SIGINFO | SA.ONSTACK | SA.RESTORER);
  a.xor(edx, edx);
  a.cmp(qword(r8, old + ACTION.handler), SIG_IGN);
  a.jbe(fresh);
  a.mov(ecx, ptr(r8, old + ACTION.flags));
  a.and(ecx, SA.NODEFER | SA.RESTART);
  a.or(eax, ecx);
  a.mov(rdx, ptr(r8, old + ACTION.mask));
  a.bind(fresh);
  a.mov(ptr(r8, own + ACTION.mask), rdx);
  a.mov(ptr(r8, own + ACTION.flags), rax);
  a.mov(rax, ptr(symbol("sigbus_handler")));
  a.mov(ptr(r8, own + ACTION.handler), rax);
  a.mov(rax, ptr(symbol("sigbus_restorer")));
  a.mov(ptr(r8, own + ACTION.restorer), rax);
  a.bind(put);
  a.lea(rsi, ptr(r8, own));
  a.xor(edx, edx);
  systemCall(a, NR.rt_sigaction);
  a.test(rax, rax);
  a.js(failed);
  a.mov(dword(r8, STATE.installed), 1);
  a.bind(done);
}

/** Copies an action of the state, which is at r8; rax is lost. */
function copyAction(a: Assembler, from: number, to: number): void {
  for (let at = 0; at < ACTION.size; at += 8) {
    a.mov(rax, ptr(r8, from + at));
    a.mov(ptr(r8, to + at), rax);
  }
}

/**
 * `int32_t sigbus_guard(void *start, uint64_t bytes, uint32_t protection)`: the index of the range, which is
 * made of whole pages, or -errno.
 */
export function guardCode(): Code {
  const a = new Assembler();
  const [reused, fill, unlock, full] = ["reused", "fill", "unlock", "full"].map((name) => a.label(name));
  for (const register of [rdx, rsi, rdi]) a.push(register);
  a.mov(r8, ptr(symbol(NAMES.state)));
  acquire(a, r8);
  const failed = a.label("failed");
  install(a, failed);
  for (const register of [rdi, rsi, rdx]) a.pop(register);
  a.mov(r9, ptr(symbol(NAMES.ranges)));
  a.mov(rax, ptr(r8, STATE.free));
  a.test(rax, rax);
  a.jnz(reused);
  a.mov(rax, ptr(r8, STATE.used));
  a.cmp(rax, RANGES);
  a.jae(full);
  a.mov(r10, rax);
  a.shl(r10, RANGE_SHIFT);
  a.add(r10, r9);
  a.jmp(fill);

  a.bind(reused);
  a.sub(rax, 1);
  a.mov(r10, rax);
  a.shl(r10, RANGE_SHIFT);
  a.add(r10, r9);
  a.mov(rcx, ptr(r10, RANGE.next));
  a.mov(ptr(r8, STATE.free), rcx);

  a.bind(fill);
  a.lea(rsi, ptr(rdi, rsi, PAGE - 1));
  a.and(rsi, -PAGE);
  a.and(rdi, -PAGE);
  a.mov(r11, ptr(symbol(NAMES.faults)));
  a.mov(dword(r11, rax.times(4)), 0);
  a.inc(dword(r10, RANGE.version));
  a.mov(ptr(r10, RANGE.start), rdi);
  a.mov(ptr(r10, RANGE.end), rsi);
  a.mov(ptr(r10, RANGE.protection), edx);
  a.inc(dword(r10, RANGE.version));
  a.cmp(rax, ptr(r8, STATE.used));
  a.jb(unlock);
  a.inc(qword(r8, STATE.used));
  a.bind(unlock);
  release(a, r8);
  a.ret();

  a.bind(failed);
  a.add(rsp, 24);
  a.jmp(unlock);
  a.bind(full);
  a.mov(eax, -ENOSPC);
  a.jmp(unlock);
  return a.finish();
}

/**
 * `uint32_t sigbus_release(uint32_t index)`: the handler lets the range be, and does not run for it any more when
 * this is back. Gives its faults.
 */
export function releaseCode(): Code {
  const a = new Assembler();
  const [wait, quiet] = [a.label("wait"), a.label("quiet")];
  const [index, range] = [rdi, r10];
  a.mov(edi, edi); // Its upper half is undefined.
  a.mov(r8, ptr(symbol(NAMES.state)));
  a.mov(range, index);
  a.shl(range, RANGE_SHIFT);
  a.add(range, ptr(symbol(NAMES.ranges)));
  a.inc(dword(range, RANGE.version));
  a.mov(qword(range, RANGE.end), 0);
  a.lock_inc(dword(range, RANGE.version)); // And all that looks for a handler comes after it.
  a.bind(wait);
  a.cmp(dword(r8, STATE.inside), 0);
  a.je(quiet);
  a.pause();
  a.jmp(wait);
  a.bind(quiet);
  a.mov(rcx, ptr(symbol(NAMES.faults)));
  a.mov(edx, ptr(rcx, index.times(4)));
  acquire(a, r8);
  a.mov(rcx, ptr(r8, STATE.free));
  a.mov(ptr(range, RANGE.next), rcx);
  a.inc(index);
  a.mov(ptr(r8, STATE.free), index);
  release(a, r8);
  a.mov(eax, edx);
  a.ret();
  return a.finish();
}

/** `uint32_t *sigbus_counts(void)`: the faults of each range. */
export function countsCode(): Code {
  const a = new Assembler();
  a.mov(rax, ptr(symbol(NAMES.faults)));
  a.ret();
  return a.finish();
}
