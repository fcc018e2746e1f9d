/**
 * Claims: our runtime does tokio's own benchmarks as often a second as tokio's current-thread runtime on mimalloc, on
 * one host at least, and half as often on every host; three times as often as bare promises where a task is spawned and
 * joined or a message sent, and 1.5 times elsewhere. An idle task takes no more than tokio's 328 bytes; a sleep is
 * registered and cancelled in 150 ns, and 10,000 fire in 1.4 µs of CPU each. A chain of combinators is polled without an
 * allocation; children of `joinAll` and `JoinSet` are woken at no more than twice the price of single tasks; from a
 * descriptor that becomes ready to its task's poll takes 1.3 µs more than epoll_wait, at most.
 *
 * Each contestant does each work in a process of its own, fresh in every round, turn about; what it did is checked. A
 * task is a coroutine, a hand-written future or an async function: each has its column. Promises take other threads'
 * time too, to collect and to compile: the second table says how much CPU there is to a nanosecond.
 *
 * @module
 */
import { compareJoins, pollChain } from "./task/allocations.ts";
import { contestants, perform } from "./task/contestants.ts";
import { compareReadiness } from "./task/readiness.ts";
import { printTables, Results } from "./task/table.ts";
import { compareWakings } from "./task/wakings.ts";
import { WORKS } from "./task/works.ts";

const ROUNDS = 3;

/** Fresh processes for each work, turn about. In `--quick` one for all, memory first: the figures say nothing anyway. */
function compareWorks(quick: boolean): void {
  const columns = contestants();
  const results = new Results(columns);
  if (quick) {
    for (const column of columns) {
      results.add(
        column,
        perform(column, WORKS.filter(({ name }) => column.works.has(name)).toReversed(), quick),
      );
    }
    printTables(results, 1, quick);
    return;
  }
  for (let round = 0; round < ROUNDS; round++) {
    for (const work of WORKS) {
      for (const column of columns) {
        if (column.works.has(work.name)) results.add(column, perform(column, [work], quick));
      }
    }
  }
  printTables(results, ROUNDS, quick);
}

export async function run({ quick }: { quick: boolean }): Promise<void> {
  compareWorks(quick);
  await compareJoins(quick);
  await pollChain(quick);
  await compareWakings(quick);
  await compareReadiness(quick);
}
