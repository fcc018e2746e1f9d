/**
 * What the compiler must take and what it must refuse: each `@ts-expect-error` is itself an error where the
 * line below it compiles. Checked by `deno check` and `tsc`, never run.
 */
import { type Job, job, type JobHandle, Pool } from "../../../lib/task/pool.ts";
import type { Thread } from "../../../lib/mem/thread.ts";

type Work = typeof import("./work.ts");

const url = new URL("./work.ts", import.meta.url);
const pool = Pool.open();

const sum: JobHandle<number> = pool.run(job<Work, "add">(url, "add"), 1, 2);
const later: JobHandle<number> = pool.run(job<Work, "addByHost">(url, "addByHost"), 1, 2);
const stepped: JobHandle<number> = pool.run(job<Work, "addByCoroutine">(url, "addByCoroutine"), 1, 2);
const future: JobHandle<number> = pool.run(job<Work, "addByFuture">(url, "addByFuture"), 1, 2);
const named: Job<[], Thread> = job<Work["thread"]>(url, "thread");
const value: number = await sum + later.waitSync() + await stepped + await future;
const thread: Thread = await pool.runWith({ lane: 1 }, named);

const { add, addByHost, addByCoroutine, nothing } = pool.jobs<Work>(url);
const more: number = await add(1, 2) + await addByHost(1, 2) + await addByCoroutine(1, 2);
const none: void = await nothing();
const bound: (a: number, b: number) => JobHandle<number> = pool.job<Work, "add">(url, "add");

// @ts-expect-error: a closure is no job
pool.run(() => 1);
// @ts-expect-error: nor is a function of a module
pool.run(named.valueOf);
// @ts-expect-error: with options neither
pool.runWith({}, (a: number) => a, 1);
// @ts-expect-error: the module exports no function of that name
job<Work, "subtract">(url, "subtract");
// @ts-expect-error: an argument is missing
pool.run(job<Work, "add">(url, "add"), 1);
// @ts-expect-error: an argument is of another type
add(1, "2");
// @ts-expect-error: there is one too many
add(1, 2, 3);
// @ts-expect-error: the result is of another type
const text: JobHandle<string> = add(1, 2);
// @ts-expect-error: the module has no such function
pool.jobs<Work>(url).subtract;
// @ts-expect-error: there is no such option
pool.runWith({ priority: 1 }, named);

export { bound, more, none, text, thread, value };
