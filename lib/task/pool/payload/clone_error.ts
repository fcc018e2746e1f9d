/** Where something lies in a message, and the error for what cannot be sent. */

/** A key or value of a `Map`, or an element of a `Set`. */
export interface Entry {
  readonly part: "keys" | "values";
  readonly index: number;
}

/** A field's name, an element's index, or an entry. */
export type Step = string | number | Entry;

/** Steps, and those that lead to the first of them. */
export interface Path {
  readonly before: Path | null;
  readonly steps: readonly Step[];
}

function shownStep(step: Step): string {
  if (step === "") return "";
  if (typeof step === "number") return `[${step}]`;
  if (typeof step !== "string") return `.${step.part}()[${step.index}]`;
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`;
}

/** Of a path of ten thousand steps nobody reads the middle. */
const SHOWN = 20;

/** `what` is what the path begins at, such as `argument 2`. */
export function shownPath(what: string, path: Path): string {
  const parts: (readonly Step[])[] = [];
  for (let part: Path | null = path; part !== null; part = part.before) parts.push(part.steps);
  const steps = parts.reverse().flat();
  if (steps.length <= SHOWN) return what + steps.map(shownStep).join("");
  const [first, last] = [steps.slice(0, SHOWN / 2), steps.slice(-SHOWN / 2)];
  const left = steps.length - SHOWN;
  return `${what}${first.map(shownStep).join("")}…${left} more…${last.map(shownStep).join("")}`;
}

/** Why a value cannot be sent, and what to do. */
export function why(value: unknown): string {
  if (typeof value === "function") return "it is a function; name a job by module and export";
  if (typeof value === "symbol") return "it is a symbol, which is of its thread alone; send a string";
  const name = nameOf(value);
  if (name === "Promise") return "it is a Promise; await it, and send what it gives";
  if (name === "URL") return "it is a URL; send its href";
  return `it is of the class ${name}, which is bound to its thread; send what it was made of`;
}

function nameOf(value: unknown): string {
  const found: unknown = typeof value === "object" && value !== null
    ? Reflect.get(value, "constructor")
    : undefined;
  return typeof found === "function" && found.name !== "" ? found.name : "Object";
}

/** As the hosts' structuredClone throws it. */
export function cloneError(where: string, reason: string, cause?: unknown): DOMException {
  const error = new DOMException(`cannot send ${where}: ${reason}`, "DataCloneError");
  if (cause !== undefined) {
    Object.defineProperty(error, "cause", { value: cause, writable: true, configurable: true });
  }
  return error;
}
