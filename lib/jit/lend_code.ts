/**
 * Code that is called when nobody has a buffer over foreign memory any more, and takes one off a count of 32 bits:
 * on whichever thread that is. For hosts that ask a function of C for it, and for those that have it of Node-API
 * alone, an addon whose one function makes such a buffer. Sources: js_native_api.h, JSC's JSTypedArray.h.
 */
import { Assembler } from "./assembler.ts";
import type { Code } from "./code.ts";
import { LENT } from "./lend_symbols.ts";
import { dword, ptr, qword } from "./memory.ts";
import { symbol } from "./places.ts";
import { edx, esi, r8, r8d, r9, r9d, rax, rbx, rcx, rdi, rdx, rsi, rsp } from "./registers.ts";

/** `void release(void *bytes, int32_t *count)`: JSTypedArrayBytesDeallocator. */
export function releaseCode(): Code {
  const a = new Assembler();
  a.lock_dec(dword(rsi));
  a.ret();
  return a.finish();
}

/** `void finalize(napi_env env, void *bytes, int32_t *count)`: napi_finalize. */
export function finalizeCode(): Code {
  const a = new Assembler();
  a.lock_dec(dword(rdx));
  a.ret();
  return a.finish();
}

/**
 * `napi_value make(napi_env env, napi_callback_info info)`: an ArrayBuffer of three numbers, which are its address, its
 * length, and the count's address. Gives NULL, which is `undefined`, where there is none.
 */
export function makeCode(): Code {
  const a = new Assembler();
  const [count, values, numbers, result] = [0, 8, 32, 56];
  a.push(rbx);
  a.sub(rsp, 80);
  a.mov(rbx, rdi);
  a.mov(qword(rsp, count), 3);
  a.mov(qword(rsp, result), 0);
  a.lea(rdx, ptr(rsp, count));
  a.lea(rcx, ptr(rsp, values));
  a.xor(r8d, r8d);
  a.xor(r9d, r9d);
  a.call(symbol("napi_get_cb_info"));
  for (let i = 0; i < 3; i++) {
    a.mov(rdi, rbx);
    a.mov(rsi, ptr(rsp, values + 8 * i));
    a.lea(rdx, ptr(rsp, numbers + 8 * i));
    a.call(symbol("napi_get_value_int64"));
  }
  a.mov(rdi, rbx);
  a.mov(rsi, ptr(rsp, numbers));
  a.mov(rdx, ptr(rsp, numbers + 8));
  a.mov(rcx, ptr(symbol(LENT.finalize)));
  a.mov(r8, ptr(rsp, numbers + 16));
  a.lea(r9, ptr(rsp, result));
  a.call(symbol("napi_create_external_arraybuffer"));
  a.mov(rax, ptr(rsp, result));
  a.add(rsp, 80);
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
  a.mov(rcx, ptr(symbol(LENT.make)));
  a.xor(r8d, r8d);
  a.mov(r9, rsp);
  a.call(symbol("napi_create_function"));
  a.mov(rax, ptr(rsp));
  a.add(rsp, 24);
  a.ret();
  return a.finish();
}
