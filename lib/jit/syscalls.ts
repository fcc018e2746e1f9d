/**
 * System calls without libc: a few bytes of machine code for each, so that a call gives `-errno` itself and
 * there is no errno to be read after it, or to be lost. And lists of system calls that run in one call of C.
 *
 * `unsafe`, as `/ffi` is: a wrong address, or a buffer too short, ends the process, and Deno's sandbox is not
 * asked. Source: syscall(2), and the numbers of `asm/unistd_64.h`.
 *
 * @module
 */
import type { Library, Signature, SymbolTable } from "../../ffi/mod.ts";
import type { Bindable } from "../../ffi/types.ts";
import { Assembler } from "./assembler.ts";
import type { Code } from "./code.ts";
import { openLibrary } from "./library.ts";
import { eax, r10, rcx } from "./registers.ts";

/** A system call as a function: up to six integers and addresses go in, and an integer or an address comes out. */
export interface SyscallSignature extends Signature {
  /** Its number on x86-64. */
  readonly number: number;
}

/** System calls by names of your own. */
export type SyscallTable = Readonly<Record<string, SyscallSignature>>;

/** What of system calls `dlopen` is told. */
export type Unnumbered<T extends SyscallTable> = { readonly [K in keyof T]: Omit<T[K], "number"> };

const MOST_ARGUMENTS = 6;

/** The kernel takes the fourth argument in r10, since `syscall` itself uses rcx; and the number in rax. */
function syscallCode(number: number, parameters: number): Code {
  const a = new Assembler();
  if (parameters > 3) a.mov(r10, rcx);
  a.mov(eax, number);
  a.syscall();
  a.ret();
  return a.finish();
}

function requireSyscall(name: string, { number, parameters, result }: SyscallSignature): void {
  if (!Number.isInteger(number) || number < 0 || number > 0xffff) {
    throw new RangeError(`cannot make ${name}: ${number} is no number of a system call`);
  }
  if (parameters.length > MOST_ARGUMENTS) {
    throw new RangeError(
      `cannot make ${name}: it has ${parameters.length} parameters, and a system call up to 6`,
    );
  }
  const float = [...parameters, result].find((type) => type === "f32" || type === "f64");
  if (float !== undefined) throw new TypeError(`cannot make ${name}: no system call takes or gives ${float}`);
}

/**
 * Functions that are system calls, typed and checked by their signatures. What fails gives the negative errno:
 * `new SystemError(-result, name)` tells it. A result of `i32` is its lower half, which is enough for
 * descriptors and for counts under 2 GiB, and the fastest.
 *
 * A call that succeeds costs what libc's function does. One that fails costs 0.85 to 0.95 of it with errno,
 * which need not be asked for.
 *
 * @throws {RangeError | TypeError} where a number or a signature is none of a system call.
 * @throws {NativeUnavailableError} as `load` does.
 *
 * @example
 * ```ts
 * import { unsafeSyscalls } from "@oxbow/oxbow/jit";
 *
 * using kernel = unsafeSyscalls({
 *   getpid: { number: 39, parameters: [], result: "i32" },
 *   close: { number: 3, parameters: ["i32"], result: "i32" },
 * });
 * console.log(kernel.symbols.getpid() > 0, kernel.symbols.close(-1)); // true -9
 * ```
 */
export function unsafeSyscalls<const T extends SyscallTable>(table: T & Bindable<Unnumbered<T>>): Library<T>;
export function unsafeSyscalls(table: SyscallTable): Library<SymbolTable> {
  // A call may be named __proto__.
  const functions: Record<string, Code> = Object.create(null);
  const signatures: Record<string, Signature> = Object.create(null);
  for (const [name, call] of Object.entries(table)) {
    requireSyscall(name, call);
    const { number, ...signature } = call;
    functions[name] = syscallCode(number, signature.parameters.length);
    signatures[name] = { ...signature, symbol: name };
  }
  return openLibrary({ functions }, signatures, true);
}
