/**
 * The programs of descriptors that wake a host's event loop: a thread that waits for one and calls a thread-safe function
 * of Node-API, what makes and ends it, and an addon whose one export makes that function.
 *
 * Each arming is one epoll_ctl(2) with `EPOLLONESHOT`, so that the thread sleeps until there is something to tell,
 * and tells it once. Sources: node_api.h, epoll(7), pthread_create(3).
 */
import { Assembler } from "./assembler.ts";
import type { Code } from "./code.ts";
import { NR, systemCall } from "./kernel_code.ts";
import { dword, ptr, qword } from "./memory.ts";
import { symbol } from "./places.ts";
import {
  eax,
  edi,
  edx,
  esi,
  r10,
  r12,
  r12d,
  r8,
  r8d,
  r9,
  r9d,
  rax,
  rbx,
  rcx,
  rdi,
  rdx,
  rsi,
  rsp,
} from "./registers.ts";
import { blockSignals, nameThread, restoreSignals } from "./thread_code.ts";
import { BLOCK, WATCH } from "./watch_memory.ts";

const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
const EPOLL_CTL_MOD = 3;
const EPOLLIN = 1;
const EPOLLONESHOT = 1 << 30;
/** Where `struct epoll_event`, which is packed, has its data. */
const DATA = 4;
const ENOENT = 2;
const EINTR = 4;
const NAPI_TSFN_NONBLOCKING = 0;
const NAPI_TSFN_ABORT = 1;

const THREAD_NAME = "oxbow-watch";

/** `int watch_start(struct block *, const pthread_attr_t *)`: the thread, which no signal comes to. Gives an errno. */
export function startCode(): Code {
  const a = new Assembler();
  a.push(rbx);
  a.push(r12);
  a.sub(rsp, 24);
  a.mov(rbx, rdi);
  a.mov(r12, rsi);
  blockSignals(a);
  a.lea(rdi, ptr(rbx, BLOCK.thread));
  a.mov(rsi, r12);
  a.mov(rdx, ptr(symbol(WATCH.thread)));
  a.mov(rcx, rbx);
  a.call(symbol("pthread_create"));
  a.mov(r12d, eax);
  restoreSignals(a);
  a.mov(eax, r12d);
  a.add(rsp, 24);
  a.pop(r12);
  a.pop(rbx);
  a.ret();
  return a.finish();
}

/** `void *watch_thread(struct block *)`: tells of each arming that was fulfilled, until the eventfd is written to. */
export function threadCode(): Code {
  const a = new Assembler();
  const [wait, interrupted, end] = ["wait", "interrupted", "end"].map((name) => a.label(name));
  a.push(rbx);
  a.sub(rsp, 16);
  a.mov(rbx, rdi);
  nameThread(a, THREAD_NAME);
  a.bind(wait);
  a.mov(edi, ptr(rbx, BLOCK.epoll));
  a.lea(rsi, ptr(rbx, BLOCK.event));
  a.mov(edx, 1);
  a.mov(r10, -1);
  systemCall(a, NR.epoll_wait);
  a.cmp(eax, 1);
  a.jne(interrupted);
  a.mov(eax, ptr(rbx, BLOCK.event + DATA));
  a.test(eax, eax);
  a.jz(end);
  a.mov(ptr(rbx, BLOCK.fired), eax);
  a.mov(rdi, ptr(rbx, BLOCK.alarm));
  a.xor(esi, esi);
  a.mov(edx, NAPI_TSFN_NONBLOCKING);
  a.call(symbol("napi_call_threadsafe_function"));
  a.jmp(wait);
  a.bind(interrupted);
  a.cmp(eax, -EINTR);
  a.je(wait);
  a.bind(end);
  a.xor(eax, eax);
  a.add(rsp, 16);
  a.pop(rbx);
  a.ret();
  return a.finish();
}

/** epoll_ctl(2) of the watched descriptor. */
function control(a: Assembler, operation: number): void {
  a.mov(edi, ptr(r8, BLOCK.epoll));
  a.mov(esi, operation);
  a.mov(edx, ptr(r8, BLOCK.watched));
  a.lea(r10, ptr(r8, BLOCK.change));
  systemCall(a, NR.epoll_ctl);
}

/** `int watch_arm(struct block *, uint32_t number)`: gives 0, or -errno. The number is not 0. */
export function armCode(): Code {
  const a = new Assembler();
  const done = a.label("done");
  a.mov(r8, rdi);
  a.mov(dword(r8, BLOCK.change), EPOLLIN | EPOLLONESHOT);
  a.mov(ptr(r8, BLOCK.change + DATA), esi);
  control(a, EPOLL_CTL_MOD);
  a.cmp(eax, -ENOENT);
  a.jne(done);
  control(a, EPOLL_CTL_ADD);
  a.bind(done);
  a.ret();
  return a.finish();
}

/** `int watch_disarm(struct block *)` */
export function disarmCode(): Code {
  const a = new Assembler();
  a.mov(r8, rdi);
  control(a, EPOLL_CTL_DEL);
  a.ret();
  return a.finish();
}

/** `uint32_t watch_fired(struct block *)`: the number of the arming that was fulfilled last. */
export function firedCode(): Code {
  const a = new Assembler();
  a.mov(eax, ptr(rdi, BLOCK.fired));
  a.ret();
  return a.finish();
}

/**
 * `void watch_end(struct block *)`: ends the thread and gives all back. Node-API calls it where the thread of JavaScript
 * ends first: the thread-safe function too would stay, and with it what Deno's worker has of descriptors.
 */
export function endCode(): Code {
  const a = new Assembler();
  const done = a.label("done");
  a.push(rbx);
  a.mov(rbx, rdi);
  a.mov(qword(rbx, BLOCK.one), 1);
  a.mov(edi, ptr(rbx, BLOCK.control));
  a.lea(rsi, ptr(rbx, BLOCK.one));
  a.mov(edx, 8);
  systemCall(a, NR.write);
  a.mov(rdi, ptr(rbx, BLOCK.thread));
  a.xor(esi, esi);
  a.call(symbol("pthread_join"));
  for (const descriptor of [BLOCK.epoll, BLOCK.control, BLOCK.watched]) {
    a.mov(edi, ptr(rbx, descriptor));
    systemCall(a, NR.close);
  }
  a.mov(rdi, rbx);
  a.mov(rbx, ptr(rbx, BLOCK.alarm));
  a.mov(esi, BLOCK.size);
  systemCall(a, NR.munmap);
  a.test(rbx, rbx);
  a.jz(done);
  a.mov(rdi, rbx);
  a.mov(esi, NAPI_TSFN_ABORT);
  a.call(symbol("napi_release_threadsafe_function"));
  a.bind(done);
  a.pop(rbx);
  a.ret();
  return a.finish();
}

/** `void watch_close(struct block *)`: as `watch_end`, which Node-API calls no more. */
export function closeCode(): Code {
  const a = new Assembler();
  a.push(rbx);
  a.mov(rbx, rdi);
  a.mov(rdi, ptr(rbx, BLOCK.env));
  a.mov(rsi, ptr(symbol(WATCH.end)));
  a.mov(rdx, rbx);
  a.call(symbol("napi_remove_env_cleanup_hook"));
  a.mov(rdi, rbx);
  a.call(symbol(WATCH.end));
  a.pop(rbx);
  a.ret();
  return a.finish();
}

function keepingAlive(name: string): Code {
  const a = new Assembler();
  a.sub(rsp, 8);
  a.mov(rsi, ptr(rdi, BLOCK.alarm));
  a.mov(rdi, ptr(rdi, BLOCK.env));
  a.call(symbol(name));
  a.add(rsp, 8);
  a.ret();
  return a.finish();
}

/** `void watch_ref(struct block *)`: the process does not end. */
export function refCode(): Code {
  return keepingAlive("napi_ref_threadsafe_function");
}

/** `void watch_unref(struct block *)`: it may. */
export function unrefCode(): Code {
  return keepingAlive("napi_unref_threadsafe_function");
}

/**
 * `napi_value watch_make(napi_env env, napi_callback_info info)`, of JavaScript's function, its name and the block's
 * address: it can be called from any thread, keeps no process alive, and its thread ends with the caller's. Gives
 * what makes it, or NULL, which is `undefined`, where it was made.
 */
export function makeCode(): Code {
  const a = new Assembler();
  const failed = a.label("failed");
  // The first are the arguments that do not fit into registers.
  const [count, fn, name, address, block] = [48, 56, 64, 72, 80];
  a.push(rbx);
  a.sub(rsp, 96);
  a.mov(rbx, rdi);
  a.mov(qword(rsp, count), 3);
  a.lea(rdx, ptr(rsp, count));
  a.lea(rcx, ptr(rsp, fn));
  a.xor(r8d, r8d);
  a.xor(r9d, r9d);
  a.call(symbol("napi_get_cb_info"));
  a.mov(rdi, rbx);
  a.mov(rsi, ptr(rsp, address));
  a.lea(rdx, ptr(rsp, block));
  a.call(symbol("napi_get_value_int64"));
  a.mov(rax, ptr(rsp, block));
  a.mov(ptr(rax, BLOCK.env), rbx);
  // No finalizer, no context, and JavaScript's function is called without arguments.
  for (let i = 0; i < 4; i++) a.mov(qword(rsp, 8 * i), 0);
  a.add(rax, BLOCK.alarm);
  a.mov(ptr(rsp, 8 * 4), rax);
  a.mov(rdi, rbx);
  a.mov(rsi, ptr(rsp, fn));
  a.xor(edx, edx);
  a.mov(rcx, ptr(rsp, name));
  a.xor(r8d, r8d);
  a.mov(r9d, 1);
  a.call(symbol("napi_create_threadsafe_function"));
  a.test(eax, eax);
  a.mov(rax, ptr(rsp, fn));
  a.jnz(failed);
  a.mov(rdi, ptr(rsp, block));
  a.call(symbol(WATCH.unref));
  a.mov(rdi, rbx);
  a.mov(rsi, ptr(symbol(WATCH.end)));
  a.mov(rdx, ptr(rsp, block));
  a.call(symbol("napi_add_env_cleanup_hook"));
  a.xor(eax, eax);
  a.bind(failed);
  a.add(rsp, 96);
  a.pop(rbx);
  a.ret();
  return a.finish();
}

/** `napi_value napi_register_module_v1(napi_env env, napi_value exports)`: the function `make`. */
export function registerCode(): Code {
  const a = new Assembler();
  a.sub(rsp, 24);
  a.mov(qword(rsp), 0);
  a.xor(esi, esi);
  a.xor(edx, edx);
  a.mov(rcx, ptr(symbol(WATCH.make)));
  a.xor(r8d, r8d);
  a.mov(r9, rsp);
  a.call(symbol("napi_create_function"));
  a.mov(rax, ptr(rsp));
  a.add(rsp, 24);
  a.ret();
  return a.finish();
}
