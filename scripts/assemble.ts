/**
 * Writes `lib/jit/assembled.ts`, what the assembler makes of the programs of `lib/jit/programs.ts`, and the names of
 * `lib/jit/sonames.ts`. A test says when
 * that is due.
 *
 *     deno run -A scripts/assemble.ts
 */
import type { Code } from "../lib/jit/code.ts";
import { sonameOf } from "../lib/jit/library.ts";
import { programs } from "../lib/jit/programs.ts";

const HEX_PER_LINE = 96;

function source(name: string, { text, rodata, relocations, features }: Code): string {
  if (rodata.length > 0) throw new Error(`${name} has constants, which assembled.ts has no form for`);
  // Whether XGETBV may be run, who runs it asks the CPU; SSE2 is in all of x86-64.
  if ([...features].some((feature) => feature !== "xsave" && feature !== "sse2")) {
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

async function write(name: string, text: string): Promise<void> {
  const path = new URL(`../lib/jit/${name}`, import.meta.url);
  Deno.writeTextFileSync(path, text);
  await new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", path.pathname] }).output();
}

const sources = Object.entries(programs).map(([name, program]) => source(name, program()));
await write("assembled.ts", [header, ...sources].join("\n") + "\n");

// Only now, since it is made of what was just written.
const { processObjects } = await import("../lib/jit/process_objects.ts");
const names = Object.entries(processObjects).map(([name, { soname: _, ...object }]) =>
  `${name}: ${JSON.stringify(sonameOf(object))},`
);
await write(
  "sonames.ts",
  `/** The names of \`process_objects.ts\`, which tell their content, written by \`scripts/assemble.ts\`. */
export const SONAMES = {
${names.join("\n")}
} as const;
`,
);
