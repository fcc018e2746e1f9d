/**
 * Writes `lib/jit/assembled.ts`: what the assembler makes of the programs of `lib/jit/programs.ts`. A test says when
 * that is due.
 *
 *     deno run -A scripts/assemble.ts
 */
import type { Code } from "../lib/jit/code.ts";
import { programs } from "../lib/jit/programs.ts";

const HEX_PER_LINE = 96;

function source(name: string, { text, rodata, relocations, features }: Code): string {
  if (rodata.length > 0) throw new Error(`${name} has constants, which assembled.ts has no form for`);
  // Whether XGETBV may be run, who runs it asks the CPU.
  if ([...features].some((feature) => feature !== "xsave")) {
    throw new Error(`${name} needs what not every CPU has`);
  }
  const hex = Array.from(text, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const lines = hex.match(new RegExp(`.{1,${HEX_PER_LINE}}`, "g")) ?? [];
  const symbols = relocations.map((relocation) => {
    if (relocation.kind !== "symbol" || relocation.library !== undefined) {
      throw new Error(`${name} refers to what assembled.ts has no form for`);
    }
    return `[${relocation.offset}, ${relocation.addend}, ${JSON.stringify(relocation.name)}]`;
  });
  return `export const ${name}: Code = codeOf([${lines.map((line) => JSON.stringify(line)).join(", ")}], [${
    symbols.join(", ")
  }]);`;
}

const header = `/**
 * What the assembler makes of the programs in \`programs.ts\`, written by \`scripts/assemble.ts\`: in hexadecimal,
 * and the places that refer to symbols.
 */
import type { Code } from "./code.ts";
import { codeOf } from "./hexadecimal.ts";
`;

const path = new URL("../lib/jit/assembled.ts", import.meta.url);
const sources = Object.entries(programs).map(([name, program]) => source(name, program()));
Deno.writeTextFileSync(path, [header, ...sources].join("\n") + "\n");
await new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", path.pathname] }).output();
