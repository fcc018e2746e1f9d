/**
 * The programs of signals that become events: a handler that writes to eventfds, and who watches what.
 *
 * `watch` and `unwatch` write the memory under a spinlock, which the handler does not take. A watcher's signal is
 * written last and cleared first; `unwatch` then waits, with the lock, until no handler runs: so that none writes to
 * a descriptor which was closed meanwhile and is another file's, or to the next watcher of that place.
 *
 * `watch` installs the handler again where somebody has taken the signal. That may be one who calls our handler in
 * turn, as Deno's does: what comes back on a thread that tells who had the signal is not counted again.
 */
import { Assembler } from "./assembler.ts";
import type { Code } from "./code.ts";
import { acquire, ACTION, NR, release, SA, SIG_IGN, SIGSET_BYTES, systemCall } from "./kernel_code.ts";
import { dword, ptr, qword } from "./memory.ts";
import type { Label } from "./places.ts";
import { symbol } from "./places.ts";
import { NAMES, SIGNAL, SIGNAL_SHIFT, STATE, WATCHER, WATCHER_SHIFT, WATCHERS } from "./signal_memory.ts";
import {
  eax,
  ebp,
  ecx,
  edi,
  edx,
  esi,
  r10d,
  r12,
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

const EAGAIN = 11;

const FLAGS = SA.SIGINFO | SA.ONSTACK | SA.RESTART | SA.RESTORER;

/** `void signal_handler(int signal, siginfo_t *info, void *context)` */
export function handlerCode(): Code {
  const a = new Assembler();
  const [count, next, skip, quiet, done] = ["count", "next", "skip", "quiet", "done"].map((name) =>
    a.label(name)
  );
  const [watcher, end, entry] = [rbx, rbp, r12];
  const [old, thread] = [rbx, ebp];
  const saved = [rbx, rbp, r12, rdi, rsi, rdx];
  a.endbr64();
  for (const register of saved) a.push(register);
  a.mov(r8, ptr(symbol(NAMES.state)));
  a.lock_inc(dword(r8, STATE.inside));
  a.mov(ecx, edi);
  findSignal(a, entry, rcx);
  a.cmp(dword(entry, SIGNAL.telling), 0);
  a.je(count);
  systemCall(a, NR.gettid);
  a.cmp(ptr(entry, SIGNAL.telling), eax);
  a.je(quiet);
  a.mov(ecx, edi);
  a.bind(count);
  a.mov(watcher, ptr(symbol(NAMES.watchers)));
  a.lea(end, ptr(watcher, WATCHERS << WATCHER_SHIFT));
  a.bind(next);
  a.cmp(ptr(watcher, WATCHER.signal), ecx);
  a.jne(skip);
  a.push(rcx);
  a.mov(edi, ptr(watcher, WATCHER.fd));
  a.lea(rsi, ptr(r8, STATE.one));
  a.mov(edx, 8);
  systemCall(a, NR.write);
  a.pop(rcx);
  a.bind(skip);
  a.add(watcher, 1 << WATCHER_SHIFT);
  a.cmp(watcher, end);
  a.jb(next);
  a.lock_dec(dword(r8, STATE.inside));

  a.cmp(dword(entry, SIGNAL.chains), 0);
  a.je(done);
  a.mov(old, ptr(entry, SIGNAL.old + ACTION.handler));
  a.cmp(old, SIG_IGN);
  a.jbe(done);
  systemCall(a, NR.gettid);
  a.mov(thread, eax);
  a.mov(ptr(entry, SIGNAL.telling), thread);
  for (const [i, register] of [rdx, rsi, rdi].entries()) a.mov(register, ptr(rsp, 8 * i));
  a.sub(rsp, 8);
  a.call(old);
  a.add(rsp, 8);
  a.cmp(ptr(entry, SIGNAL.telling), thread);
  a.jne(done);
  a.mov(dword(entry, SIGNAL.telling), 0);
  a.jmp(done);

  a.bind(quiet);
  a.lock_dec(dword(r8, STATE.inside));
  a.bind(done);
  for (const register of saved.toReversed()) a.pop(register);
  a.ret();
  return a.finish();
}

/** Where the signal of a number in `number` has its entry: `entry`. */
function findSignal(a: Assembler, entry: typeof rbx, number: typeof rcx): void {
  a.mov(entry, number);
  a.shl(entry, SIGNAL_SHIFT);
  a.add(entry, ptr(symbol(NAMES.signals)));
}

/** sigaction of the signal in edi; the arguments in rsi and rdx are in place. Goes to `failed` with -errno. */
function sigaction(a: Assembler, failed: Label): void {
  a.mov(r10d, SIGSET_BYTES);
  systemCall(a, NR.rt_sigaction);
  a.test(rax, rax);
  a.js(failed);
}

/**
 * `int32_t signal_watch(uint32_t signal, int32_t fd, uint32_t chains)`: the watcher's index, or -errno. `chains`
 * says whether who has the signal now is told of it still.
 */
export function watchCode(): Code {
  const a = new Assembler();
  const [next, found, taken, put, installed, unlock] = [
    "next",
    "found",
    "taken",
    "put",
    "installed",
    "unlock",
  ].map(
    (name) => a.label(name),
  );
  const [index, entry, watcher] = [rbp, rbx, r9];
  const [descriptor, chains] = [ACTION.size, ACTION.size + 8];
  for (const register of [rbx, rbp, rdx, rsi]) a.push(register);
  a.sub(rsp, ACTION.size);
  a.mov(edi, edi); // Its upper half is undefined.
  a.mov(r8, ptr(symbol(NAMES.state)));
  acquire(a, r8);
  a.mov(watcher, ptr(symbol(NAMES.watchers)));
  a.xor(index, index);
  a.bind(next);
  a.cmp(dword(watcher, index.times(8), WATCHER.signal), 0);
  a.je(found);
  a.inc(index);
  a.cmp(index, WATCHERS);
  a.jb(next);
  a.mov(rax, -EAGAIN);
  a.jmp(unlock);

  a.bind(found);
  findSignal(a, entry, rdi);
  a.xor(esi, esi);
  a.mov(rdx, rsp);
  sigaction(a, unlock);
  a.mov(rax, ptr(symbol("signal_handler")));
  a.cmp(rax, ptr(rsp, ACTION.handler));
  a.jne(taken);
  // Bun puts a handler back that it has found, without its flags.
  a.cmp(qword(rsp, ACTION.flags), FLAGS);
  a.je(installed);
  a.jmp(put);
  a.bind(taken);
  for (let at = 0; at < ACTION.size; at += 8) {
    a.mov(rax, ptr(rsp, at));
    a.mov(ptr(entry, SIGNAL.old + at), rax);
  }
  a.mov(edx, ptr(rsp, chains));
  a.mov(ptr(entry, SIGNAL.chains), edx);
  a.mov(rax, ptr(symbol("signal_handler")));
  a.mov(ptr(r8, STATE.own + ACTION.handler), rax);
  a.mov(rax, ptr(symbol("signal_restorer")));
  a.mov(ptr(r8, STATE.own + ACTION.restorer), rax);
  a.mov(qword(r8, STATE.own + ACTION.flags), FLAGS);
  a.mov(qword(r8, STATE.one), 1);
  a.bind(put);
  a.lea(rsi, ptr(r8, STATE.own));
  a.xor(edx, edx);
  sigaction(a, unlock);
  a.bind(installed);
  a.inc(dword(entry, SIGNAL.users));
  a.mov(ecx, ptr(rsp, descriptor));
  a.mov(dword(watcher, index.times(8), WATCHER.fd), ecx);
  a.mov(dword(watcher, index.times(8), WATCHER.signal), edi);
  a.mov(rax, index);
  a.bind(unlock);
  release(a, r8);
  a.add(rsp, ACTION.size);
  for (const register of [rsi, rdx, rbp, rbx]) a.pop(register);
  a.ret();
  return a.finish();
}

/**
 * `void signal_unwatch(uint32_t index)`: the handler does not write for this watcher any more when this is back.
 * With a signal's last watcher, who had it before gets it again; unless somebody else has taken it since.
 */
export function unwatchCode(): Code {
  const a = new Assembler();
  const [wait, quiet] = ["wait", "quiet"].map((name) => a.label(name));
  const entry = rbx;
  a.push(rbx);
  a.sub(rsp, ACTION.size);
  a.mov(ecx, edi);
  a.mov(r8, ptr(symbol(NAMES.state)));
  acquire(a, r8);
  a.mov(r9, ptr(symbol(NAMES.watchers)));
  a.mov(edi, ptr(r9, rcx.times(8), WATCHER.signal));
  a.lock_and(dword(r9, rcx.times(8), WATCHER.signal), 0); // And all that looks for a handler comes after it.
  findSignal(a, entry, rdi);
  a.dec(dword(entry, SIGNAL.users));
  a.jnz(wait);
  a.xor(esi, esi);
  a.mov(rdx, rsp);
  sigaction(a, wait);
  a.mov(rax, ptr(symbol("signal_handler")));
  a.cmp(rax, ptr(rsp, ACTION.handler));
  a.jne(wait);
  a.lea(rsi, ptr(entry, SIGNAL.old));
  a.xor(edx, edx);
  sigaction(a, wait);
  a.bind(wait);
  a.cmp(dword(r8, STATE.inside), 0);
  a.je(quiet);
  a.pause();
  a.jmp(wait);
  a.bind(quiet);
  release(a, r8);
  a.add(rsp, ACTION.size);
  a.pop(rbx);
  a.ret();
  return a.finish();
}
