import { shown } from "../../io/arguments.ts";
import type { Future } from "../future.ts";
import type { JobHandle } from "./job_handle.ts";

/** A function. */
export type Callable = (...args: never[]) => unknown;

/** What a job gives where its function gives that. */
export type JobOutput<R> = R extends Future<infer T> ? T
  : R extends Generator<symbol, infer T, void> ? T
  : Awaited<R>;

/** The names of the functions that a module exports. */
export type FunctionNames<M> = { [K in keyof M]: M[K] extends Callable ? K : never }[keyof M] & string;

declare const shape: unique symbol;

/** A function of a module, by name: plain data, which means the same in every thread. */
export interface Job<A extends unknown[] = unknown[], R = unknown> {
  /** The module's URL. */
  readonly module: string;
  /** What it exports the function as. */
  readonly name: string;
  /** For the compiler alone. */
  readonly [shape]?: (...args: A) => R;
}

/** The job of a function. */
export type JobOf<F> = F extends (...args: infer A) => infer R ? Job<A, JobOutput<R>> : never;

/** The function that submits a job of a function. */
export type Submit<F> = F extends (...args: infer A) => infer R ? (...args: A) => JobHandle<JobOutput<R>>
  : never;

/** The jobs of a module's functions. */
export type JobsOf<M> = { readonly [K in FunctionNames<M>]: Submit<M[K]> };

/**
 * Names a function of a module as a job: `job<typeof import("./work.ts"), "resize">(url, "resize")`, or with the
 * function's own type, `job<typeof import("./work.ts").resize>(url, "resize")`. A module is named by a URL; in another
 * thread a relative one would mean something else. Whether it exports such a function is seen when the job runs.
 */
export function job<F extends Callable>(module: URL | string, name: string): JobOf<F>;
/** As above, of a module's type: the name is checked. */
export function job<M extends object, K extends FunctionNames<M>>(module: URL | string, name: K): JobOf<M[K]>;
export function job(module: URL | string, name: string): Job {
  return { module: moduleOf(module), name: requireName(name) };
}

function moduleOf(module: unknown): string {
  const text = module instanceof URL ? module.href : module;
  if (typeof text !== "string") {
    throw new TypeError(
      `cannot name a job: module is ${
        shown(module)
      }, and no URL; new URL("./work.ts", import.meta.url) is one`,
    );
  }
  if (URL.canParse(text)) return text;
  throw new TypeError(
    `cannot name a job: module is ${shown(text)}, which means something else in another thread; ` +
      `give new URL(${shown(text)}, import.meta.url)`,
  );
}

function requireName(name: unknown): string {
  if (typeof name === "string" && name !== "") return name;
  throw new TypeError(`cannot name a job: name is ${shown(name)}, and not the name of an export`);
}

/** Throws for what is no job. */
export function requireJob(job: unknown): asserts job is Job {
  if (typeof job === "function") {
    throw new TypeError(
      "cannot run a job: it is a function, and threads share none; export it from a module, and name that: " +
        'job(new URL("./work.ts", import.meta.url), "resize")',
    );
  }
  const isJob = typeof job === "object" && job !== null && "module" in job && "name" in job &&
    typeof job.module === "string" && typeof job.name === "string";
  if (!isJob) throw new TypeError(`cannot run a job: it is ${shown(job)}, and nothing that job() gave`);
}
