/** What the programs of our own threads have in common: they are made with signals blocked, and have names. */
import type { Assembler } from "./assembler.ts";
import { NR, SIGSET_BYTES, systemCall } from "./kernel_code.ts";
import { dword, ptr } from "./memory.ts";
import { edi, edx, r10d, rdx, rsi, rsp } from "./registers.ts";

const SIG_SETMASK = 2;
/** All signals but 32 and 33, by which glibc has all threads do what one was told, and waits for it. */
const ALL_BUT_INTERNAL = [0x7fffffff, -2] as const;
const PR_SET_NAME = 15;
/** Where the stack has the mask that is set, and the one before. */
const [ALL, OLD] = [0, 8];

/** Blocks all signals, for the thread that is made next to inherit. Uses 16 bytes of the stack until `restoreSignals`. */
export function blockSignals(a: Assembler): void {
  for (const [i, half] of ALL_BUT_INTERNAL.entries()) a.mov(dword(rsp, ALL + 4 * i), half);
  a.mov(edi, SIG_SETMASK);
  a.lea(rsi, ptr(rsp, ALL));
  a.lea(rdx, ptr(rsp, OLD));
  a.mov(r10d, SIGSET_BYTES);
  systemCall(a, NR.rt_sigprocmask);
}

/** Undoes `blockSignals`. */
export function restoreSignals(a: Assembler): void {
  a.mov(edi, SIG_SETMASK);
  a.lea(rsi, ptr(rsp, OLD));
  a.xor(edx, edx);
  a.mov(r10d, SIGSET_BYTES);
  systemCall(a, NR.rt_sigprocmask);
}

/** What debuggers and `/proc` call the thread: at most 15 bytes of ASCII. Uses 16 bytes of the stack. */
export function nameThread(a: Assembler, name: string): void {
  const bytes = new TextEncoder().encode(name);
  const padded = new DataView(new ArrayBuffer(4 * Math.ceil((bytes.length + 1) / 4)));
  for (const [i, byte] of bytes.entries()) padded.setUint8(i, byte);
  for (let at = 0; at < padded.byteLength; at += 4) a.mov(dword(rsp, at), padded.getInt32(at, true));
  a.mov(edi, PR_SET_NAME);
  a.mov(rsi, rsp);
  systemCall(a, NR.prctl);
}
