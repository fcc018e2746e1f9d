/**
 * The programs of threads that make calls for a thread of JavaScript, the owner.
 *
 * Of the ring the owner alone writes the head; threads move the tail on by a compare-and-swap, and then exchange the
 * entry for 0: whoever finds it there has the call, so that the owner takes one back in the same way, and an entry that
 * is gone is a hole that the next one passes. Each entry comes with a permit, on whose count threads sleep. One thread at
 * a time is woken, or made; whoever takes an entry sees to the next before it makes its call, which may block: so a burst
 * of short calls wakes few, and no call waits behind one that blocks. What has ended is pushed on a list, which the owner
 * takes as a whole: an eventfd is written where the list was empty.
 *
 * The memory is given back by whoever lets go of it last: a call may outlive the thread of JavaScript that asked for it.
 * Sources: futex(2), pthread_create(3), R. K. Treiber 1986 for the list.
 */
import { Assembler } from "./assembler.ts";
import {
  CALLS,
  CALLS_BLOCK as BLOCK,
  CALLS_BYTES,
  CALLS_RECORD as RECORD,
  FLAG_RETRY,
  RECORD_SHIFT,
  RING,
  SLOTS,
} from "./calls_memory.ts";
import type { Code } from "./code.ts";
import { NR, systemCall } from "./kernel_code.ts";
import { byte, dword, ptr, qword } from "./memory.ts";
import { type Label, symbol } from "./places.ts";
import {
  eax,
  ebp,
  ecx,
  edi,
  edx,
  esi,
  r10,
  r12,
  r12d,
  r13,
  r14,
  r14d,
  r8,
  r9,
  rax,
  rbp,
  rbx,
  rcx,
  rdi,
  rdx,
  rsi,
  rsp,
} from "./registers.ts";
import { blockSignals, nameThread, restoreSignals } from "./thread_code.ts";

const FUTEX_WAIT_PRIVATE = 128;
const FUTEX_WAKE_PRIVATE = 129;
const EVERYBODY = 0x7fffffff;
/** Permits for as many as may come: nobody sleeps any more. */
const ENDLESS = 0x40000000;
const EINTR = 4;
const ETIMEDOUT = 110;
const THREAD_NAME = "oxbow-calls";

/** Of the block in rbx. */
function wake(a: Assembler, count: number): void {
  a.lea(rdi, ptr(rbx, BLOCK.permits));
  a.mov(esi, FUTEX_WAKE_PRIVATE);
  a.mov(edx, count);
  systemCall(a, NR.futex);
}

/** Takes the next entry of the block in rbx: its slot plus 1 in ebp. Goes to `none` where there is none. */
function pop(a: Assembler, none: Label): void {
  const next = a.label();
  a.bind(next);
  a.mov(eax, ptr(rbx, BLOCK.tail));
  a.cmp(eax, ptr(rbx, BLOCK.head));
  a.je(none);
  a.lea(ecx, ptr(rax, 1));
  a.lock_cmpxchg(dword(rbx, BLOCK.tail), ecx);
  a.jne(next);
  a.and(eax, RING - 1);
  a.xor(ebp, ebp);
  a.xchg(dword(rbx, rax.times(4), BLOCK.ring), ebp);
  a.test(ebp, ebp);
  a.jz(next);
}

/**
 * `int calls_submit(struct block *, uint32_t slot)`: has a thread make the call of a record that was written. Gives 0; -1
 * where the ring is full; or the errno by which there is no thread at all.
 */
export function submitCode(): Code {
  const a = new Assembler();
  const full = a.label("full");
  a.mov(ecx, ptr(rdi, BLOCK.head));
  a.mov(eax, ecx);
  a.sub(eax, ptr(rdi, BLOCK.tail));
  a.cmp(eax, RING);
  a.jae(full);
  a.mov(edx, ecx);
  a.and(edx, RING - 1);
  a.cmp(dword(rdi, rdx.times(4), BLOCK.ring), 0);
  a.jne(full);
  a.mov(eax, esi);
  a.shl(eax, RECORD_SHIFT);
  a.mov(ptr(rdi, rax, BLOCK.records + RECORD.place), edx);
  a.lea(eax, ptr(rsi, 1));
  a.mov(ptr(rdi, rdx.times(4), BLOCK.ring), eax);
  a.inc(ecx);
  a.mov(ptr(rdi, BLOCK.head), ecx);
  a.lock_inc(dword(rdi, BLOCK.permits));
  a.sub(rsp, 8);
  a.call(symbol(CALLS.rouse));
  a.add(rsp, 8);
  a.ret();
  a.bind(full);
  a.mov(eax, -1);
  a.ret();
  return a.finish();
}

/**
 * `int calls_rouse(struct block *)`: where there are permits and no thread is on its way to them, wakes one, or makes one
 * where none sleeps. Gives the errno by which there is no thread at all, or 0.
 */
export function rouseCode(): Code {
  const a = new Assembler();
  const [make, isNobody, fine, done] = ["make", "is nobody", "fine", "done"].map((name) => a.label(name));
  a.push(rbx);
  a.sub(rsp, 32);
  a.mov(rbx, rdi);
  a.cmp(dword(rbx, BLOCK.permits), 0);
  a.je(fine);
  a.xor(eax, eax);
  a.mov(ecx, 1);
  a.lock_cmpxchg(dword(rbx, BLOCK.searching), ecx);
  a.jne(fine);
  a.cmp(dword(rbx, BLOCK.sleepers), 0);
  a.je(make);
  wake(a, 1);
  a.test(eax, eax);
  a.jnz(fine);
  // The sleeper is not asleep yet, or no longer: it looks at the permits itself. Or all are at their calls.
  a.bind(isNobody);
  a.lock_and(dword(rbx, BLOCK.searching), 0);
  a.bind(fine);
  a.xor(eax, eax);
  a.jmp(done);
  a.bind(make);
  a.mov(eax, ptr(rbx, BLOCK.threads));
  a.cmp(eax, ptr(rbx, BLOCK.limit));
  a.jae(isNobody);
  startThread(a);
  a.bind(done);
  a.add(rsp, 32);
  a.pop(rbx);
  a.ret();
  return a.finish();
}

/** One thread more, which no signal comes to; the result in eax. It uses 24 bytes of the stack. */
function startThread(a: Assembler): void {
  const thread = 16;
  const [started, end] = [a.label(), a.label()];
  a.lock_inc(dword(rbx, BLOCK.threads));
  a.lock_inc(dword(rbx, BLOCK.refs));
  blockSignals(a);
  a.lea(rdi, ptr(rsp, thread));
  a.lea(rsi, ptr(rbx, BLOCK.attributes));
  a.mov(rdx, ptr(symbol(CALLS.thread)));
  a.mov(rcx, rbx);
  a.call(symbol("pthread_create"));
  a.mov(ptr(rsp, thread), eax);
  restoreSignals(a);
  a.mov(eax, ptr(rsp, thread));
  a.test(eax, eax);
  a.jz(started);
  a.lock_and(dword(rbx, BLOCK.searching), 0);
  a.lock_dec(dword(rbx, BLOCK.refs));
  a.lock_dec(dword(rbx, BLOCK.threads));
  a.jz(end);
  a.bind(started);
  a.xor(eax, eax);
  a.bind(end);
}

/** Makes the call of the record in r12; r13 is where errno is, which is 0 where the call says nothing of it. */
function makeCall(a: Assembler): void {
  const [again, ended] = [a.label(), a.label()];
  a.bind(again);
  a.mov(dword(r13), 0);
  for (const [i, register] of [rdi, rsi, rdx, rcx, r8, r9].entries()) {
    a.mov(register, ptr(r12, RECORD.arguments + 8 * i));
  }
  a.xor(eax, eax);
  a.call(qword(r12, RECORD.function));
  a.mov(ecx, ptr(r13));
  a.test(byte(r12, RECORD.flags), FLAG_RETRY);
  a.jz(ended);
  a.cmp(eax, -1);
  a.jne(ended);
  a.cmp(ecx, EINTR);
  a.je(again);
  a.bind(ended);
  a.mov(ptr(r12, RECORD.result), rax);
  a.mov(ptr(r12, RECORD.errno), ecx);
}

/** Puts the record in r12, whose slot plus 1 is in ebp, on the list, and writes the eventfd where that was empty. */
function tell(a: Assembler, told: Label): void {
  const again = a.label();
  a.bind(again);
  a.mov(eax, ptr(rbx, BLOCK.done));
  a.mov(ptr(r12, RECORD.next), eax);
  a.lock_cmpxchg(dword(rbx, BLOCK.done), ebp);
  a.jne(again);
  a.test(eax, eax);
  a.jnz(told);
  a.mov(edi, ptr(rbx, BLOCK.event));
  a.lea(rsi, ptr(rbx, BLOCK.one));
  a.mov(edx, 8);
  systemCall(a, NR.write);
  a.jmp(told);
}

/** `void *calls_thread(struct block *)`: makes calls until there is none for as long as `idle` says. */
export function threadCode(): Code {
  const a = new Assembler();
  const [next, take, has, begin, none, sleep, searches, leave, letGo] = [
    ["next", "take", "has", "begin"],
    ["none", "sleep", "searches", "leave", "let go"],
  ].flat().map((name) => a.label(name));
  const saved = [rbx, rbp, r12, r13];
  /** Whether it is the one that was woken or made last. */
  const isSearching = dword(rsp, 16);
  for (const register of saved) a.push(register);
  a.sub(rsp, 24);
  a.mov(rbx, rdi);
  nameThread(a, THREAD_NAME);
  a.call(symbol("__errno_location"));
  a.mov(r13, rax);

  a.bind(searches);
  a.mov(isSearching, 1);
  a.bind(next);
  a.cmp(dword(rbx, BLOCK.isClosing), 0);
  a.jne(leave);
  a.bind(take);
  a.mov(eax, ptr(rbx, BLOCK.permits));
  a.test(eax, eax);
  a.jz(none);
  a.lea(ecx, ptr(rax, -1));
  a.lock_cmpxchg(dword(rbx, BLOCK.permits), ecx);
  a.jne(take);
  a.cmp(isSearching, 0);
  a.je(has);
  a.mov(isSearching, 0);
  a.lock_and(dword(rbx, BLOCK.searching), 0);
  a.bind(has);
  a.cmp(dword(rbx, BLOCK.permits), 0);
  a.je(begin);
  a.mov(rdi, rbx);
  a.call(symbol(CALLS.rouse));
  a.bind(begin);
  // Where there is none: its permit was one too many.
  pop(a, next);
  a.lea(r12d, ptr(rbp, -1));
  a.shl(r12, RECORD_SHIFT);
  a.lea(r12, ptr(rbx, r12, BLOCK.records));
  makeCall(a);
  tell(a, next);

  a.bind(none);
  a.cmp(isSearching, 0);
  a.je(sleep);
  // Who gave a permit just now may have relied on it.
  a.mov(isSearching, 0);
  a.lock_and(dword(rbx, BLOCK.searching), 0);
  a.jmp(take);

  a.bind(sleep);
  a.lock_inc(dword(rbx, BLOCK.sleepers));
  a.lea(rdi, ptr(rbx, BLOCK.permits));
  a.mov(esi, FUTEX_WAIT_PRIVATE);
  a.xor(edx, edx);
  a.lea(r10, ptr(rbx, BLOCK.idle));
  systemCall(a, NR.futex);
  a.lock_dec(dword(rbx, BLOCK.sleepers));
  a.test(eax, eax);
  a.jz(searches);
  a.cmp(eax, -ETIMEDOUT);
  a.jne(next);
  // The owner, who has just seen this thread, may have made none for a permit that it gave: asked once more now.
  a.lock_dec(dword(rbx, BLOCK.threads));
  a.cmp(dword(rbx, BLOCK.permits), 0);
  a.je(letGo);
  a.lock_inc(dword(rbx, BLOCK.threads));
  a.jmp(next);

  a.bind(leave);
  a.lock_dec(dword(rbx, BLOCK.threads));
  a.bind(letGo);
  a.mov(rdi, rbx);
  a.call(symbol(CALLS.release));
  a.xor(eax, eax);
  a.add(rsp, 24);
  for (const register of saved.toReversed()) a.pop(register);
  a.ret();
  return a.finish();
}

/** `void calls_release(struct block *)`: one less to whom the memory belongs. The last gives it back, and the eventfd. */
export function releaseCode(): Code {
  const a = new Assembler();
  const [next, none, out] = ["next", "none", "out"].map((name) => a.label(name));
  a.lock_dec(dword(rdi, BLOCK.refs));
  a.jnz(out);
  a.push(rbx);
  a.push(r14);
  a.mov(rbx, rdi);
  a.mov(edi, ptr(rbx, BLOCK.event));
  systemCall(a, NR.close);
  a.xor(r14d, r14d);
  a.bind(next);
  a.mov(rdi, ptr(rbx, r14, BLOCK.records + RECORD.extra));
  a.test(rdi, rdi);
  a.jz(none);
  a.mov(rsi, ptr(rbx, r14, BLOCK.records + RECORD.extraBytes));
  systemCall(a, NR.munmap);
  a.bind(none);
  a.add(r14d, 1 << RECORD_SHIFT);
  a.cmp(r14d, SLOTS << RECORD_SHIFT);
  a.jb(next);
  a.mov(rdi, rbx);
  a.mov(esi, CALLS_BYTES);
  systemCall(a, NR.munmap);
  a.pop(r14);
  a.pop(rbx);
  a.bind(out);
  a.ret();
  return a.finish();
}

/** `void calls_close(struct block *)`: what was not begun is never called, and threads end with what they are at. */
export function closeCode(): Code {
  const a = new Assembler();
  const [next, drained] = ["next", "drained"].map((name) => a.label(name));
  a.push(rbx);
  a.push(rbp);
  a.mov(rbx, rdi);
  a.mov(dword(rbx, BLOCK.isClosing), 1);
  a.bind(next);
  pop(a, drained);
  a.jmp(next);
  a.bind(drained);
  a.lock_or(dword(rbx, BLOCK.permits), ENDLESS);
  wake(a, EVERYBODY);
  a.pop(rbp);
  a.pop(rbx);
  a.ret();
  return a.finish();
}

/** `void calls_end(struct block *)`: the owner's last. glibc calls it where its thread ends, be it terminated. */
export function endCode(): Code {
  const a = new Assembler();
  a.push(rbx);
  a.mov(rbx, rdi);
  a.call(symbol(CALLS.close));
  a.mov(rdi, rbx);
  a.call(symbol(CALLS.release));
  a.pop(rbx);
  a.ret();
  return a.finish();
}
