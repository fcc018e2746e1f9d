import { readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import ts from "typescript";

/** The rooms from the ground up; a file imports from its own room and from those on lower floors. */
const floors = [
  ["ffi/"],
  ["lib/jit/", "lib/io/", "lib/slab"],
  ["lib/mem/"],
  ["lib/task/"],
  ["lib/vector/"],
  ["lib/formats/", "lib/net/", "lib/fs/", "lib/blas/"],
  ["lib/nn/"],
  ["mod.ts", "examples/"],
];

const root = new URL("../../", import.meta.url);
const sources = ["ffi", "lib", "examples", "tests", "benches", "scripts"].flatMap((folder) =>
  readdirSync(new URL(folder, root), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => `${folder}/${name}`)
).concat("mod.ts").map((path) => parse(path, readFileSync(new URL(path, root), "utf8")));

function parse(path: string, text: string): ts.SourceFile {
  return ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
}

/** `path:line: source` of each node that `isFault` finds. */
function faults(file: ts.SourceFile, isFault: (node: ts.Node) => boolean): string[] {
  const found: string[] = [];
  function visit(node: ts.Node): void {
    if (isFault(node)) {
      const { line } = file.getLineAndCharacterOfPosition(node.getStart());
      found.push(`${file.fileName}:${line + 1}: ${node.getText()}`);
    }
    ts.forEachChild(node, visit);
  }
  visit(file);
  return found;
}

function silencesTheCompiler(node: ts.Node): boolean {
  return node.kind === ts.SyntaxKind.AnyKeyword || ts.isNonNullExpression(node) ||
    ts.isTypeAssertionExpression(node) ||
    (ts.isAsExpression(node) && node.type.getText() !== "const");
}

function reachesNativeCode(node: ts.Node): boolean {
  return (ts.isStringLiteral(node) && /^(?:bun|node):ffi$/.test(node.text)) ||
    (ts.isPropertyAccessExpression(node) && /^Deno\.(?:dlopen|Unsafe)/.test(node.getText()));
}

/**
 * `it.skip` gives no reason, `t.skip` counts as passed on Deno, and a reason that `skipping` has not printed is in
 * Node's report alone.
 */
function skipsWithoutReason(node: ts.Node): boolean {
  if (ts.isCallExpression(node)) {
    return /^(?:it|test|describe|suite)\.(?:skip|todo|only)$/.test(node.expression.getText());
  }
  if (!ts.isPropertyAssignment(node) || node.name.getText() !== "skip") return false;
  const { initializer } = node;
  // An operator of streams is called so too.
  if (ts.isArrowFunction(initializer)) return false;
  const names = /^(?:skipping|unless\w+)$/;
  return !(ts.isIdentifier(initializer) || initializer.kind === ts.SyntaxKind.FalseKeyword ||
    (ts.isCallExpression(initializer) && names.test(initializer.expression.getText())));
}

function importsOf(file: ts.SourceFile): string[] {
  return ts.preProcessFile(file.text, true, true).importedFiles.map(({ fileName }) => fileName)
    .filter((specifier) => specifier.startsWith("."))
    .map((specifier) => posix.join(posix.dirname(file.fileName), specifier));
}

function climbs(from: string, to: string): boolean {
  const floor = floors.findIndex((rooms) => rooms.some((room) => from.startsWith(room)));
  const room = floors[floor].find((room) => from.startsWith(room)) ?? "";
  return !to.startsWith(room) && !floors.slice(0, floor).flat().some((below) => to.startsWith(below));
}

describe("the house", () => {
  const inside = sources.filter(({ fileName }) => floors.flat().some((room) => fileName.startsWith(room)));

  it("has a floor for every file of the library", () => {
    const library = sources.filter(({ fileName }) => /^(?:ffi|lib|examples)\//.test(fileName));
    assertEquals(library.filter((file) => !inside.includes(file)).map(({ fileName }) => fileName), []);
  });

  it("imports downwards only", () => {
    const climbing = inside.flatMap((file) =>
      importsOf(file).filter((to) => climbs(file.fileName, to)).map((to) => `${file.fileName} imports ${to}`)
    );
    assertEquals(climbing, []);
  });

  it("calls native code from ffi/ alone", () => {
    const above = inside.filter(({ fileName }) => !fileName.startsWith("ffi/"));
    assertEquals(above.flatMap((file) => faults(file, reachesNativeCode)), []);
  });

  it("has no any, cast or non-null assertion outside ffi/", () => {
    const above = sources.filter(({ fileName }) => !fileName.startsWith("ffi/"));
    assertEquals(above.flatMap((file) => faults(file, silencesTheCompiler)), []);
  });

  it("gives a reason for every skipped test", () => {
    const tests = sources.filter(({ fileName }) => fileName.startsWith("tests/"));
    assertEquals(tests.flatMap((file) => faults(file, skipsWithoutReason)), []);
  });
});

describe("the rules", () => {
  it("find what they forbid", () => {
    const file = parse(
      "a.ts",
      `const a: any = b!; c as D; <E>f; g as const; h satisfies I; Deno.dlopen(""); it.skip("");`,
    );
    assertEquals(faults(file, silencesTheCompiler), [
      "a.ts:1: any",
      "a.ts:1: b!",
      "a.ts:1: c as D",
      "a.ts:1: <E>f",
    ]);
    assertEquals(faults(file, reachesNativeCode), ["a.ts:1: Deno.dlopen"]);
    assertEquals(faults(file, skipsWithoutReason), ['a.ts:1: it.skip("")']);
    const skips = parse(
      "s.ts",
      `it("", { skip: a ? "b" : false }); it("", { skip: skipping(a && "b") }); it("", { skip });`,
    );
    assertEquals(faults(skips, skipsWithoutReason), ['s.ts:1: skip: a ? "b" : false']);
    assertEquals(faults(parse("b.ts", 'import "node:ffi"; import("bun:ffi");'), reachesNativeCode).length, 2);
  });

  it("tell an import that climbs from one that does not", () => {
    assertEquals(
      importsOf(parse("lib/net/tcp.ts", 'import { a } from "../task/mod.ts"; export * from "./b.ts";')),
      [
        "lib/task/mod.ts",
        "lib/net/b.ts",
      ],
    );
    assertEquals(climbs("lib/net/tcp.ts", "lib/task/mod.ts"), false);
    assertEquals(climbs("lib/net/tcp.ts", "lib/net/b.ts"), false);
    assertEquals(climbs("lib/task/mod.ts", "lib/net/tcp.ts"), true);
    assertEquals(climbs("lib/task/pool.ts", "lib/mem/mmap.ts"), false);
    assertEquals(climbs("lib/mem/mmap.ts", "lib/task/mod.ts"), true);
    assertEquals(climbs("lib/net/tcp.ts", "lib/blas/mod.ts"), true);
    assertEquals(climbs("ffi/libc.ts", "lib/slab.ts"), true);
    assertEquals(climbs("lib/slab.ts", "tests/std_assert/mod.ts"), true);
  });
});
