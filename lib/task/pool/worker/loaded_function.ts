import { shown } from "../../../io/arguments.ts";
import type { Called, Directory, FunctionName } from "../directory.ts";
import { crossingLoader } from "./crossing_loader.ts";

type Callable = (...args: unknown[]) => unknown;

/** The prototype of async functions: what they give is a promise. */
const ASYNC_FUNCTION: object = Object.getPrototypeOf(async function () {});
const GENERATOR_FUNCTION: object = Object.getPrototypeOf(function* () {});

/** How functions are called that work on ranges, once there was one. */
let ranges: typeof import("./range_function.ts") | undefined;

/** The modules that this thread has loaded for jobs. */
const modules: Map<string, Record<string, unknown>> = new Map();

/** A function of a module, as this thread has it. */
export class LoadedFunction {
  readonly #directory: Directory;
  readonly #number: number;
  readonly #of: Called;
  #fn: Callable | null = null;
  #loading: Promise<Callable> | null = null;
  /** Slots of jobs that wait until it is loaded. */
  readonly waiting: number[] = [];
  /** Whether it is an async function, or one that gives coroutines. */
  isAsync = false;
  /** Whether it was called, and gave nothing to be waited for. */
  isSync = false;

  /** By its number. */
  constructor(directory: Directory, number: number) {
    this.#directory = directory;
    this.#number = number;
    const of = this.#of = directory.at(number);
    const fn = loaded(of);
    const by = this.#by === null ? null : loaded(this.#by);
    const isReady = of.range === undefined || ranges !== undefined;
    if (isReady && fn !== undefined && by !== undefined) this.#take(fn, by);
  }

  /** What reduces what it gives. */
  get #by(): FunctionName | null {
    const { range } = this.#of;
    return range?.kind === "reduced" ? range.by : null;
  }

  #take(fn: Callable, by: Callable | null): Callable {
    this.isAsync = isAsync(fn) || by !== null && isAsync(by);
    const { range } = this.#of;
    if (range === undefined || ranges === undefined) return this.#fn = fn;
    return this.#fn = range.kind === "values"
      ? ranges.overValues(fn)
      : ranges.overRange(fn, by, this.#directory.cells);
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
    if (!this.#directory.beginLoad(this.#number)) {
      const { module, name } = this.#of;
      throw new Error(
        `cannot run the job ${name} of ${module}: thread after thread of the pool has ended while it loaded the ` +
          "module, and no other one tries; look for what ends them there, such as process.exit",
      );
    }
    try {
      if (this.#of.range !== undefined) ranges ??= await import("./range_function.ts");
      const fn = await load(this.#of);
      const callable = this.#take(fn, this.#by === null ? null : await load(this.#by));
      this.#directory.endLoad(this.#number, true);
      return callable;
    } catch (error) {
      this.#directory.endLoad(this.#number, false);
      this.#loading = null;
      throw error;
    }
  }
}

function isAsync(fn: Callable): boolean {
  const prototype = Object.getPrototypeOf(fn);
  return prototype === ASYNC_FUNCTION || prototype === GENERATOR_FUNCTION;
}

/** Undefined where its module was not loaded yet. */
function loaded({ module, name }: FunctionName): Callable | undefined {
  const fn = modules.get(module)?.[name];
  return isCallable(fn) ? fn : undefined;
}

async function load({ module, name }: FunctionName): Promise<Callable> {
  const exports = await imported(module, name);
  const fn = exports[name];
  if (!isCallable(fn)) throw new TypeError(refusal(module, name, exports));
  await crossingLoader.loadWhereWanted();
  modules.set(module, exports);
  return fn;
}

function refusal(module: string, name: string, exports: Record<string, unknown>): string {
  const names = Object.keys(exports).filter((other) => typeof exports[other] === "function");
  const found = name in exports ? `its ${name} is ${shown(exports[name])}` : `it exports no ${name}`;
  const hint = names.length === 0 ? "it exports no function" : `its functions are ${names.join(", ")}`;
  return `cannot run the job ${name} of ${module}: ${found}, and ${hint}`;
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
