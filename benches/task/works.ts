/**
 * The works that every contestant does, and what is wanted of ours.
 *
 * @module
 */

/** What one of the twelve is, and its targets. */
export interface Work {
  readonly name: string;
  /** Operations in a round. */
  readonly count: number;
  /** In `--quick`, where it must be fewer. */
  readonly quickCount?: number;
  /** Of the figure, on every host. */
  readonly atMost?: number;
  /** Of half the sleeps: microseconds after their deadlines. */
  readonly lateAtMost?: number;
  /** Of the operations a second over tokio's on mimalloc: on one host, on each host. */
  readonly overTokio?: readonly [number, number];
  /** Of the operations a second over the host's own promises. */
  readonly overPromises?: number;
  /** The promises' own work that it is put in proportion to, where it is another. */
  readonly promises?: string;
}

const RUNTIME = { overTokio: [1, 0.5] as const, overPromises: 1.5 };

/** The tables' rows: nanoseconds an operation, of CPU for `timer_fire`; bytes a task for `memory_*`. */
export const WORKS: readonly Work[] = [
  { ...RUNTIME, name: "spawn_join", count: 10_000, overPromises: 3, promises: "spawn_join_deferred" },
  { name: "spawn_join_deferred", count: 10_000 },
  { ...RUNTIME, name: "spawn_join_all", count: 10_000 },
  { ...RUNTIME, name: "spawn_many", count: 10_000 },
  { ...RUNTIME, name: "yield_many", count: 200_000, quickCount: 20_000 },
  { ...RUNTIME, name: "ping_pong", count: 1000 },
  { ...RUNTIME, name: "chained_spawn", count: 1000 },
  { ...RUNTIME, name: "mpsc_1", count: 100_000, quickCount: 10_000, overPromises: 3 },
  { ...RUNTIME, name: "mpsc_5", count: 100_000, quickCount: 10_000, overPromises: 3 },
  { name: "mpsc_1_trying", count: 100_000, quickCount: 10_000, promises: "mpsc_1" },
  { name: "timer_cancel", count: 100_000, quickCount: 10_000, atMost: 150 },
  { name: "timer_fire", count: 10_000, quickCount: 1000, atMost: 1400, lateAtMost: 1100 },
  { name: "memory_pending", count: 100_000, quickCount: 10_000, atMost: 328 },
  { name: "memory_sleep", count: 100_000, quickCount: 10_000 },
];
