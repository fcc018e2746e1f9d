/**
 * Turns the pool's own source into what a model checker can drive: each method becomes a generator that yields before
 * every access to shared words, with what it is about to do, and is given what came of it.
 *
 * Shared words are what `Atomics` is called with, and elements of what is named `words`. Calls of each other's methods
 * become `yield*`; constructors, getters and generators stay as they are. `step(operation, ...)` is an access that only
 * the model knows.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import ts from "typescript";

/** A change of the source, to see the checker find it. */
export interface Mutation {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/** What a thread is about to do: an operation's name, and what it is done to and with. */
export type Operation = readonly [name: string, ...args: number[]];

/** A thread's program. */
export type Program = Generator<Operation, void, number>;

const { factory } = ts;
const control = new URL("../../../../lib/task/pool/control/", import.meta.url);
/** In the order in which they import each other. */
const FILES = [
  "deque.ts",
  "inbox.ts",
  "slots.ts",
  "queues.ts",
  "parking.ts",
  "recovery.ts",
  "../range_cell.ts",
];
/** What imports them. */
const PROGRAMS = "programs.ts";
/** Of the operations that the explorer calls otherwise. */
const NAMES: Readonly<Record<string, string>> = { compareExchange: "cas" };

function isWords(node: ts.Expression): boolean {
  if (ts.isIdentifier(node)) return node.text === "words";
  return ts.isPropertyAccessExpression(node) && /^#?words$/.test(node.name.text);
}

function yielded(name: string, args: readonly ts.Expression[]): ts.Expression {
  const operation = factory.createArrayLiteralExpression([factory.createStringLiteral(name), ...args]);
  return factory.createParenthesizedExpression(factory.createYieldExpression(undefined, operation));
}

function delegated(call: ts.Expression): ts.Expression {
  const awaited = factory.createYieldExpression(factory.createToken(ts.SyntaxKind.AsteriskToken), call);
  return factory.createParenthesizedExpression(awaited);
}

/** What becomes of an access to shared words, with its parts already transformed; `undefined` for anything else. */
function access(node: ts.Node, visit: (node: ts.Expression) => ts.Expression): ts.Expression | undefined {
  if (ts.isCallExpression(node)) {
    const { expression } = node;
    if (ts.isIdentifier(expression) && expression.text === "step") {
      const [name, ...args] = node.arguments;
      return yielded(ts.isStringLiteral(name) ? name.text : "", args.map(visit));
    }
    if (ts.isPropertyAccessExpression(expression) && expression.expression.getText() === "Atomics") {
      const name = expression.name.text;
      return yielded(NAMES[name] ?? name, node.arguments.slice(1).map(visit));
    }
  }
  if (ts.isElementAccessExpression(node) && isWords(node.expression)) {
    return yielded("get", [visit(node.argumentExpression)]);
  }
  if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.EqualsToken) {
    const { left, right } = node;
    if (ts.isElementAccessExpression(left) && isWords(left.expression)) {
      return yielded("put", [visit(left.argumentExpression), visit(right)]);
    }
  }
  return undefined;
}

function methodTransformer(methods: ReadonlySet<string>): ts.TransformerFactory<ts.SourceFile> {
  return (context) => (file) => {
    const inside = (node: ts.Node): ts.Node => {
      const expression = access(node, (part) => ts.visitNode(part, inside, ts.isExpression));
      if (expression !== undefined) return expression;
      const visited = ts.visitEachChild(node, inside, context);
      if (!ts.isCallExpression(visited) || !ts.isPropertyAccessExpression(visited.expression)) return visited;
      const { name } = visited.expression;
      if (!methods.has(name.text)) return visited;
      if (ts.isPrivateIdentifier(name)) return delegated(visited);
      return delegated(
        factory.createCallExpression(factory.createIdentifier("outcome"), undefined, [visited]),
      );
    };
    const outside = (node: ts.Node): ts.Node => {
      if (!ts.isMethodDeclaration(node) || node.asteriskToken !== undefined) {
        return ts.visitEachChild(node, outside, context);
      }
      return factory.updateMethodDeclaration(
        node,
        node.modifiers,
        factory.createToken(ts.SyntaxKind.AsteriskToken),
        node.name,
        undefined,
        node.typeParameters,
        node.parameters,
        undefined,
        ts.visitNode(node.body, inside, ts.isBlock),
      );
    };
    return ts.visitNode(file, outside, ts.isSourceFile);
  };
}

/** The names of the methods that become generators. */
function methodsOf(files: readonly ts.SourceFile[]): Set<string> {
  const names = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isMethodDeclaration(node) && node.asteriskToken === undefined) names.add(node.name.getText());
    if (ts.isInterfaceDeclaration(node)) return;
    ts.forEachChild(node, visit);
  };
  files.forEach(visit);
  return names;
}

function isProgram(value: unknown): value is Program {
  return typeof value === "object" && value !== null && "next" in value && typeof value.next === "function";
}

function* outcome(value: unknown): Generator<Operation, unknown, number> {
  return isProgram(value) ? yield* value : value;
}

function changed(file: string, text: string, mutation: Mutation | undefined): string {
  if (mutation?.file !== file) return text;
  const parts = text.split(mutation.from);
  if (parts.length !== 2) throw new Error(`${file} has ${parts.length - 1} times: ${mutation.from}`);
  return parts.join(mutation.to);
}

/** The generators' source, by what it was made of. */
const outputs: Map<string, string> = new Map();
let methods: ReadonlySet<string> | undefined;

function baseOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function parsed(name: string, text: string): ts.SourceFile {
  return ts.createSourceFile(name, text, ts.ScriptTarget.ESNext, true);
}

function transpiled(name: string, text: string, names: ReadonlySet<string>): string {
  const known = outputs.get(text);
  if (known !== undefined) return known;
  const { outputText } = ts.transpileModule(text, {
    fileName: name,
    compilerOptions: { target: ts.ScriptTarget.ESNext, module: ts.ModuleKind.CommonJS },
    transformers: { before: [methodTransformer(names)] },
  });
  outputs.set(text, outputText);
  return outputText;
}

/**
 * The exports of the programs' file, over the source of the control map, changed or not. `asTheyAre` are the modules
 * that it imports unchanged, by their files' names.
 */
export function instrument(
  programs: URL,
  asTheyAre: Readonly<Record<string, unknown>>,
  mutation?: Mutation,
): Readonly<Record<string, unknown>> {
  const texts = new Map(FILES.map((name) => [name, readFileSync(new URL(name, control), "utf8")]));
  texts.set(PROGRAMS, readFileSync(programs, "utf8"));
  methods ??= methodsOf([...texts].map(([name, text]) => parsed(name, text)));
  const modules: Record<string, unknown> = { ...asTheyAre };
  for (const [name, text] of texts) {
    const exports = {};
    const require = (specifier: string): unknown => modules[baseOf(specifier)];
    const source = transpiled(name, changed(name, text, mutation), methods);
    new Function("exports", "require", "outcome", source)(exports, require, outcome);
    modules[baseOf(name)] = exports;
  }
  return Object.fromEntries(Object.entries(modules[PROGRAMS] ?? {}));
}
