import type {
  AddressType,
  CallbackSignature,
  ParameterType,
  PassedType,
  PlainSignature,
  ResultType,
  Signature,
} from "./types.ts";

/** Each type, and whether it may have a `!`. */
const TYPES: Readonly<Record<PassedType, boolean> & Record<AddressType, true>> = {
  i8: false,
  u8: false,
  i16: false,
  u16: false,
  i32: false,
  u32: false,
  i64: false,
  u64: false,
  isize: false,
  usize: false,
  f32: false,
  f64: false,
  bool: false,
  pointer: true,
  buffer: true,
  function: true,
  cstring: true,
};

/** What C promotes to `int` or `double` where a prototype ends in `...`: stdarg(3). */
const PROMOTED: ReadonlySet<unknown> = new Set(["i8", "u8", "i16", "u16", "bool"]);

function isPassed(type: unknown): type is PassedType {
  return typeof type === "string" && Object.hasOwn(TYPES, type);
}

function isResult(type: unknown): type is ResultType {
  return type === "void" || (isPassed(type) && type !== "buffer" && type !== "function");
}

/** How the host passes a parameter; undefined where there is no such type. */
function passedAs(type: unknown): PassedType | undefined {
  if (typeof type !== "string") return undefined;
  const plain = type.endsWith("!") ? type.slice(0, -1) : type;
  return isPassed(plain) && (plain === type || TYPES[plain]) ? plain : undefined;
}

function isStruct(type: unknown): boolean {
  return typeof type === "object" && type !== null && "struct" in type;
}

const PARAMETERS = Object.entries(TYPES).flatMap(([type, nullable]) =>
  nullable ? [type, `${type}!`] : [type]
);
const RESULTS = [...Object.keys(TYPES).filter(isResult), "void"];

function refuse(what: string, where: string, type: unknown, allowed: readonly string[]): never {
  const why = isStruct(type)
    ? "a struct by value, which not every host can pass: pass a pointer to it"
    : `${JSON.stringify(type)}, which is no type there: write one of ${allowed.join(", ")}`;
  throw new TypeError(`cannot ${what}: ${where} is ${why}`);
}

function inspectVariadic(what: string, { parameters, variadic = 0 }: Signature): void {
  if (!(Number.isInteger(variadic) && variadic >= 0 && variadic <= parameters.length)) {
    throw new RangeError(
      `cannot ${what}: variadic is ${variadic}, and counts the first of its ${parameters.length} parameters`,
    );
  }
  for (const [i, type] of parameters.entries()) {
    const isFloat = type === "f32" || type === "f64";
    if (!isFloat && !(i >= variadic && PROMOTED.has(type))) continue;
    const why = isFloat
      ? "no fixed signature passes to a variadic function"
      : "C promotes to an int: write i32";
    throw new TypeError(`cannot ${what}: parameter ${i + 1} is ${type}, which ${why}`);
  }
}

/** What a signature may say. */
const KEYS: Readonly<Record<keyof Signature, true>> = {
  parameters: true,
  result: true,
  unchecked: true,
  symbol: true,
  optional: true,
  variadic: true,
};

/** What Bun can pass. */
const MOST_PARAMETERS = 32;

/** A table may come from where nobody checked its type. */
function requireShape(what: string, name: string, signature: Signature): void {
  for (const key of Object.keys(signature)) {
    if (Object.hasOwn(KEYS, key)) continue;
    throw new TypeError(
      `cannot ${what}: its signature says ${JSON.stringify(key)}, and can say ${
        Object.keys(KEYS).join(", ")
      }`,
    );
  }
  const { parameters, symbol = name } = signature;
  if (!Array.isArray(parameters)) throw new TypeError(`cannot ${what}: parameters is no array of types`);
  if (parameters.length > MOST_PARAMETERS) {
    throw new RangeError(
      `cannot ${what}: it has ${parameters.length} parameters, and Bun passes ${MOST_PARAMETERS} at most`,
    );
  }
  if (typeof symbol !== "string" || symbol.includes("\0")) {
    throw new TypeError(`cannot ${what}: symbol is ${JSON.stringify(symbol)}, and no name of C's`);
  }
}

/** A signature that every host can bind, and its parameters as they were written. */
export interface InspectedSignature extends PlainSignature {
  readonly written: readonly ParameterType[];
}

/** Throws a `TypeError` or `RangeError` where no host, or not every one, can bind the function so. */
export function inspect(name: string, given: Signature): InspectedSignature {
  const what = `bind ${name}`;
  requireShape(what, name, given);
  // A copy: the function is written when it is first asked for, and the table may be another's by then.
  const signature = { ...given, parameters: [...given.parameters] };
  const { parameters, result, unchecked, variadic } = signature;
  const passed = parameters.map((type, i) =>
    passedAs(type) ?? refuse(what, `parameter ${i + 1}`, type, PARAMETERS)
  );
  if (!isResult(result)) refuse(what, "its result", result, RESULTS);
  if (unchecked && (result === "cstring" || passed.includes("cstring"))) {
    throw new TypeError(
      `cannot ${what}: it is unchecked, and takes and gives no cstring: pass cString(text) as a buffer`,
    );
  }
  if (variadic !== undefined) inspectVariadic(what, signature);
  return { ...signature, parameters: passed, written: parameters as ParameterType[], result };
}

/** Throws a `TypeError` where no host can make such a callback. */
export function inspectCallback(name: string, { parameters, result }: CallbackSignature): void {
  const what = `make ${name}`;
  for (const [i, type] of parameters.entries()) {
    if (isResult(type) && !Object.is(type, "void")) continue;
    refuse(what, `parameter ${i + 1}`, type, RESULTS.filter((type) => type !== "void"));
  }
  if (!isResult(result) || Object.is(result, "cstring")) {
    refuse(what, "its result", result, RESULTS.filter((type) => type !== "cstring"));
  }
}
