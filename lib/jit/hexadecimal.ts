/** Code that needs nothing of the CPU and has no constants, as `assembled.ts` keeps it. */
import type { Code } from "./code.ts";

/** The text in hexadecimal digits, and where it refers to symbols. */
export function codeOf(
  lines: readonly string[],
  symbols: readonly (readonly [offset: number, addend: number, name: string])[],
): Code {
  const bytes = lines.join("").match(/../g) ?? [];
  return {
    text: Uint8Array.from(bytes, (byte) => parseInt(byte, 16)),
    rodata: new Uint8Array(0),
    relocations: symbols.map(([offset, addend, name]) => ({
      kind: "symbol",
      offset,
      addend,
      name,
      library: undefined,
    })),
    features: new Set(),
  };
}
