/**
 * What the servers of `servers.ts` answer. `BENCH_TIMES` says how much work `work` does.
 *
 * @module
 */
import process from "node:process";
import { lehmer } from "./work.ts";

const times = Number(process.env.BENCH_TIMES);

export function hello(): Response {
  return new Response("hello");
}

/** Computes for as long as an application would. */
export function work(): Response {
  return new Response(String(lehmer(times)));
}
