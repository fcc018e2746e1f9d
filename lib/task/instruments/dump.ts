import { Delivery } from "../runtime/delivery.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { OwnedTask } from "../task.ts";

/** A task that has not ended. */
export interface TaskDump {
  readonly id: number;
  /** What it was named, or else its function's name, or else "anonymous". */
  readonly name: string;
  /** How long ago it was spawned, in milliseconds. */
  readonly age: number;
  /** How many turns it has had. */
  readonly polls: number;
  /** Whether it has its turn, waits for it, or waits for something. */
  readonly state: "running" | "queued" | "waiting";
  /**
   * What it has waited for since its last turn, in the words of that future's `describe`; empty where it has its turn
   * or had none. Of an async function it is what it awaits up to its first `await`, and further where `run` was asked
   * for `asyncContext`; otherwise "a promise".
   */
  readonly waitsFor: string;
}

/** What a runtime's tasks do. */
export class RuntimeDump {
  /** The tasks that have not ended, in the order in which they were spawned. */
  readonly tasks: readonly TaskDump[];
  /** What async functions await of which it is not known whose they are, in those futures' words. */
  readonly awaits: readonly string[];

  /** `Runtime.dump`'s own. */
  constructor(tasks: readonly TaskDump[], awaits: readonly string[]) {
    this.tasks = tasks;
    this.awaits = awaits;
  }

  /** A table, a line for each. */
  toString(): string {
    const rows = this.tasks.map(({ id, name, age, polls, state, waitsFor }) => [
      `${id}`,
      name,
      `${Math.round(age)} ms`,
      `${polls}`,
      state,
      waitsFor,
    ]);
    for (const waitsFor of this.awaits) rows.push(["-", "await", "-", "-", "waiting", waitsFor]);
    return table([["task", "name", "age", "polls", "state", "waits for"], ...rows]);
  }
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column])).join("  ").trimEnd())
    .join("\n");
}

export function dumpOf(runtime: Runtime): RuntimeDump {
  const { executor } = runtime;
  const now = runtime.now();
  const tasks: OwnedTask<unknown>[] = [];
  const awaited: Map<number, string[]> = new Map();
  for (const living of executor.living()) {
    if (living instanceof OwnedTask) tasks.push(living);
    else if (living instanceof Delivery) {
      const known = awaited.get(living.awaiter);
      if (known === undefined) awaited.set(living.awaiter, [living.waitsFor]);
      else known.push(living.waitsFor);
    }
  }
  tasks.sort((a, b) => a.id - b.id);
  const dumps = tasks.map((task): TaskDump => {
    const known = awaited.get(task.id);
    awaited.delete(task.id);
    return {
      id: task.id,
      name: task.title,
      age: Math.max(0, now - task.born),
      polls: task.polls,
      state: task.activity,
      waitsFor: known === undefined ? task.waitsFor : known.join(", "),
    };
  });
  return new RuntimeDump(dumps, [...awaited.values()].flat());
}
