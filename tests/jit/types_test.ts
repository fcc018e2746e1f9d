import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { assert, assertEquals } from "@std/assert";
import ts from "typescript";
import { Assembler } from "../../lib/jit/assembler.ts";
import type { Operand } from "../../lib/jit/encoder.ts";
import { encodings, type Form } from "../../lib/jit/form.ts";
import { instructions } from "../../lib/jit/instructions/mod.ts";
import { code } from "../../lib/jit/kinds.ts";
import { broadcast, byte, dword, ptr, qword, word, xmmword, ymmword, zmmword } from "../../lib/jit/memory.ts";
import { rnSae, sae, vex } from "../../lib/jit/modifiers.ts";
import type { Immediate } from "../../lib/jit/notation.ts";
import { symbol } from "../../lib/jit/places.ts";
import { al, bl, bx, cl, eax, ebx, k1, k2, rax, rbx, xmm, ymm, zmm } from "../../lib/jit/registers.ts";
import { tiered } from "../tier.ts";
import { Random } from "./samples.ts";

/** One form of so many is tried. */
const STEP = tiered({ quick: 40, full: 4, soak: 1 });

/** Operands by the expression that makes them. */
const operands: Readonly<Record<string, Operand | Immediate>> = {
  "1": 1,
  "1n": 1n,
  "al": al,
  "bl": bl,
  "cl": cl,
  "bx": bx,
  "eax": eax,
  "ebx": ebx,
  "rax": rax,
  "rbx": rbx,
  "xmm(1)": xmm(1),
  "ymm(1)": ymm(1),
  "zmm(1)": zmm(1),
  "k2": k2,
  "byte(rbx)": byte(rbx),
  "word(rbx)": word(rbx),
  "dword(rbx)": dword(rbx),
  "qword(rbx)": qword(rbx),
  "xmmword(rbx)": xmmword(rbx),
  "ymmword(rbx)": ymmword(rbx),
  "zmmword(rbx)": zmmword(rbx),
  "broadcast(rbx)": broadcast(rbx),
  "broadcast(rbx).to(2)": broadcast(rbx).to(2),
  "broadcast(rbx).to(4)": broadcast(rbx).to(4),
  "broadcast(rbx).to(8)": broadcast(rbx).to(8),
  "broadcast(rbx).to(16)": broadcast(rbx).to(16),
  "ptr(rbx)": ptr(rbx),
  "ptr(rbx, xmm(2).times(4))": ptr(rbx, xmm(2).times(4)),
  "ptr(rbx, ymm(2).times(4))": ptr(rbx, ymm(2).times(4)),
  "ptr(rbx, zmm(2).times(4))": ptr(rbx, zmm(2).times(4)),
  "ptr(rbx, zmm(2).times(4)).k(k1)": ptr(rbx, zmm(2).times(4)).k(k1),
  "xmm(1).z(k1)": xmm(1).z(k1),
  "ymm(1).k(k1)": ymm(1).k(k1),
  "zmm(1).k(k1)": zmm(1).k(k1),
  "k2.k(k1)": k2.k(k1),
  "zmmword(rbx).k(k1)": zmmword(rbx).k(k1),
  "rnSae": rnSae,
  "sae": sae,
  "vex": vex,
  'symbol("x")': symbol("x"),
};

const expressions = Object.keys(operands);

interface Call {
  readonly text: string;
  /** Undefined where values decide, and not types. */
  readonly isTaken: boolean | undefined;
}

function isTaken(mnemonic: string, call: readonly string[]): boolean | undefined {
  try {
    new Assembler().emit(mnemonic, ...call.map((expression) => operands[expression]));
    return true;
  } catch (error) {
    if (error instanceof RangeError) return error.message.includes("lanes here") ? false : undefined;
    assert(error instanceof TypeError);
    return error.message.includes("say the size") ? undefined : false;
  }
}

/** For each operand of the form the expressions whose kind it takes. */
function fitting({ operands: expected }: Form): string[][] {
  return expected.map(({ kinds }) =>
    expressions.filter((expression) => {
      const operand = operands[expression];
      return typeof operand === "object"
        ? (kinds >>> operand.code & 1) !== 0
        : /^1/.test(expression) && kinds === 1 << code.imm;
    })
  );
}

/** Calls that the form takes, and the same with something wrong. */
function callsOf(mnemonic: string, form: Form, random: Random): Call[] {
  const choices = fitting(form);
  if (choices.some((choice) => choice.length === 0)) return [];
  return Array.from({ length: 4 }, (_, i) => {
    const call = choices.map((choice) => random.of(choice));
    if (i === 1 && call.length > 0) call[random.below(call.length)] = random.of(expressions);
    if (i === 2) call.push(random.of(expressions));
    if (i === 3) call.pop();
    return { text: `a.${mnemonic}(${call.join(", ")});`, isTaken: isTaken(mnemonic, call) };
  });
}

const header = `
import { Assembler } from "./assembler.ts";
import { broadcast, byte, dword, ptr, qword, word, xmmword, ymmword, zmmword } from "./memory.ts";
import { rnSae, sae, vex } from "./modifiers.ts";
import { symbol } from "./places.ts";
import { al, bl, bx, cl, eax, ebx, k1, k2, rax, rbx, xmm, ymm, zmm } from "./registers.ts";
const a = new Assembler();
`;

/** Which of the lines do not compile. */
function refusedByTypes(lines: readonly string[]): Set<number> {
  const path = fileURLToPath(new URL("../../lib/jit/calls.ts", import.meta.url));
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ESNext,
    module: ts.ModuleKind.NodeNext,
    lib: ["lib.esnext.d.ts"],
    types: [],
    strict: true,
    noEmit: true,
    allowImportingTsExtensions: true,
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists, readFile } = host;
  const text = header + lines.join("\n");
  host.fileExists = (name) => name === path || fileExists(name);
  host.readFile = (name) => name === path ? text : readFile(name);
  host.getSourceFile = (name, target) =>
    name === path ? ts.createSourceFile(name, text, target, true) : getSourceFile(name, target);
  const program = ts.createProgram([path], options, host);
  const first = header.split("\n").length - 1;
  const refused = new Set<number>();
  for (const { file, start, messageText } of program.getSemanticDiagnostics(program.getSourceFile(path))) {
    const line = file === undefined || start === undefined
      ? -1
      : file.getLineAndCharacterOfPosition(start).line - first;
    assert(line >= 0, ts.flattenDiagnosticMessageText(messageText, "\n"));
    refused.add(line);
  }
  return refused;
}

describe("the types of the methods", () => {
  it("take what the assembler takes, and refuse what it refuses for its kind", () => {
    const random = new Random(3);
    const forms = [...instructions].flatMap(([mnemonic, { forms }]) =>
      forms.filter(({ encoding }) => encoding !== encodings.jump).map((form) => ({ mnemonic, form }))
    );
    const calls = forms.filter((_, i) => i % STEP === 0)
      .flatMap(({ mnemonic, form }) => callsOf(mnemonic, form, random))
      .filter((call) => call.isTaken !== undefined);
    assert(calls.some(({ isTaken }) => isTaken) && calls.some(({ isTaken }) => !isTaken));
    const refused = refusedByTypes(calls.map(({ text }) => text));
    const wrong = calls.filter((call, i) => call.isTaken === refused.has(i));
    assertEquals(wrong, []);
  });
});
