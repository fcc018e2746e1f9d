import { shown } from "../../../io/arguments.ts";
import type { FunctionName } from "../directory.ts";

type Callable = (...args: unknown[]) => unknown;

/** The prototype of async functions: what they give is a promise. */
const ASYNC_FUNCTION: object = Object.getPrototypeOf(async function () {});
const GENERATOR_FUNCTION: object = Object.getPrototypeOf(function* () {});

/** The modules that this thread has loaded for jobs. */
const modules: Map<string, Record<string, unknown>> = new Map();

/** A function of a module, as this thread has it. */
export class LoadedFunction {
  readonly #of: FunctionName;
  #fn: Callable | null = null;
  #loading: Promise<Callable> | null = null;
  /** Slots of jobs that wait until it is loaded. */
  readonly waiting: number[] = [];
  /** Whether it is an async function, or one that gives coroutines. */
  isAsync = false;
  /** Whether it was called, and gave nothing to be waited for. */
  isSync = false;

  constructor(of: FunctionName) {
    this.#of = of;
    const exports = modules.get(of.module);
    const fn = exports?.[of.name];
    if (isCallable(fn)) this.#take(fn);
  }

  #take(fn: Callable): Callable {
    const prototype = Object.getPrototypeOf(fn);
    this.isAsync = prototype === ASYNC_FUNCTION || prototype === GENERATOR_FUNCTION;
    return this.#fn = fn;
  }

  get name(): string {
    return this.#of.name;
  }

  /** Whether it may be called while another job holds the thread, and nothing else would go on. */
  get mayNest(): boolean {
    return this.#fn !== null && !this.isAsync;
  }

  /** `null` where its module was not loaded yet. */
  get fn(): Callable | null {
    return this.#fn;
  }

  /** Loads the module, once, unless that fails. */
  load(): Promise<Callable> {
    return this.#loading ??= this.#load();
  }

  async #load(): Promise<Callable> {
    const { module, name } = this.#of;
    try {
      const exports = await imported(module, name);
      const fn = exports[name];
      if (!isCallable(fn)) throw new TypeError(this.#refusal(exports));
      modules.set(module, exports);
      return this.#take(fn);
    } catch (error) {
      this.#loading = null;
      throw error;
    }
  }

  #refusal(exports: Record<string, unknown>): string {
    const { module, name } = this.#of;
    const names = Object.keys(exports).filter((other) => typeof exports[other] === "function");
    const found = name in exports ? `its ${name} is ${shown(exports[name])}` : `it exports no ${name}`;
    const hint = names.length === 0 ? "it exports no function" : `its functions are ${names.join(", ")}`;
    return `cannot run the job ${name} of ${module}: ${found}, and ${hint}`;
  }
}

/** The error is not the module's own alone: hosts have classes for it that no other thread knows. */
async function imported(module: string, name: string): Promise<Record<string, unknown>> {
  try {
    return await import(module);
  } catch (cause) {
    throw new Error(`cannot run the job ${name} of ${module}: its module does not load: ${shown(cause)}`, {
      cause: cause instanceof Error ? cause : undefined,
    });
  }
}

function isCallable(value: unknown): value is Callable {
  return typeof value === "function";
}
