import { addressOf, type NativeFunctions, type Pointer, type Signature } from "../../ffi/mod.ts";
import type { Bindable } from "../../ffi/types.ts";
import { Assembler } from "./assembler.ts";
import { load } from "./load.ts";
import { r11 } from "./registers.ts";

/** A function that C has given a pointer to. */
export interface FunctionAt<S extends Signature> extends Disposable {
  readonly call: NativeFunctions<{ readonly call: S }>["call"];
}

/**
 * The function that a pointer points to, as `dlopen` would bind it: what a library hands out by
 * `eglGetProcAddress` and its kin, or keeps in a table of its own. Disposed, it refuses to be called; the
 * pointer must be good until then. Each costs what `load` does, once; a call costs what any other does.
 *
 * @throws {TypeError} where the pointer is none, or null.
 * @throws {NativeUnavailableError} as `load` does.
 *
 * @example
 * ```ts
 * import { dlopen, symbolPointer } from "@oxbow/oxbow/ffi";
 * import { functionAt } from "@oxbow/oxbow/jit";
 *
 * using libm = dlopen(["libm.so.6"], {});
 * const pointer = symbolPointer(libm, "hypot");
 * if (pointer === null) throw new Error("libm has no hypot");
 * using hypot = functionAt(pointer, { parameters: ["f64", "f64"], result: "f64" });
 * console.log(hypot.call(3, 4)); // 5
 * ```
 */
export function functionAt<const S extends Signature>(
  pointer: Pointer,
  signature: S & Bindable<{ readonly call: S }>["call"],
): FunctionAt<S>;
export function functionAt(pointer: Pointer, signature: Signature): FunctionAt<Signature> {
  const address = addressOf(pointer);
  if (address === 0n) throw new TypeError("cannot call a function at the null address");
  const a = new Assembler();
  // By r11, which no argument is in; rax stays, which tells a variadic function of its vectors.
  a.mov(r11, address);
  a.jmp(r11);
  const library = load({ call: { signature, code: a.finish() } });
  return {
    call: library.symbols.call,
    [Symbol.dispose]: () => library.close(),
  };
}
