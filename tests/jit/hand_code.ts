/** Machine code by hand, so that what loads it is tested without what assembles it. */
import type { Code, Feature, Relocation } from "../../lib/jit/code.ts";
import type { SharedObject } from "../../lib/jit/elf.ts";

export interface HandCode {
  readonly relocations?: readonly Relocation[];
  readonly rodata?: readonly number[];
  readonly features?: readonly Feature[];
}

export function handCode(
  text: readonly number[],
  { relocations = [], rodata = [], features = [] }: HandCode = {},
): Code {
  return {
    text: Uint8Array.from(text),
    rodata: Uint8Array.from(rodata),
    relocations,
    features: new Set(features),
  };
}

/** `xor eax, eax` and so on: what returns a number. */
export function returning(value: number): Code {
  // mov eax, value; ret
  return handCode([0xb8, value, value >> 8, value >> 16, value >> 24, 0xc3]);
}

/** jmp [rip + the symbol's slot] */
export function jumpTo(name: string, library?: string): Code {
  return handCode([0xff, 0x25, 0, 0, 0, 0], {
    relocations: [{ kind: "symbol", offset: 2, addend: -4, name, library }],
  });
}

/** lea eax, [rdi + rsi]; ret */
export const add: Code = handCode([0x8d, 0x04, 0x37, 0xc3]);

/** sub rsp, 8; call rdi; add rsp, 8; ret */
export const callBack: Code = handCode([0x48, 0x83, 0xec, 8, 0xff, 0xd7, 0x48, 0x83, 0xc4, 8, 0xc3]);

/** mov rax, [rip + slot of the memory]; lock inc dword [rax]; mov eax, [rax]; ret */
export function bump(memory: string): Code {
  return handCode([0x48, 0x8b, 0x05, 0, 0, 0, 0, 0xf0, 0xff, 0x00, 0x8b, 0x00, 0xc3], {
    relocations: [{ kind: "symbol", offset: 3, addend: -4, name: memory, library: undefined }],
  });
}

/** mov eax, [rip + constants + 4]; ret */
export const constant: Code = handCode([0x8b, 0x05, 0, 0, 0, 0, 0xc3], {
  relocations: [{ kind: "rodata", offset: 2, addend: 0 }],
  rodata: [1, 0, 0, 0, 42, 0, 0, 0],
});

/** Of everything that there is. */
export const everything: SharedObject = {
  functions: {
    add,
    constant,
    again: constant,
    bump: bump("cell"),
    peek: bump("other"),
    parent: jumpTo("getppid"),
    cosine: jumpTo("cos", "libm.so.6"),
    // Another function of the same object, whose name the C library has too.
    getpid: returning(7),
    ours: jumpTo("getpid"),
  },
  memory: { cell: 100_000, other: 4 },
};
