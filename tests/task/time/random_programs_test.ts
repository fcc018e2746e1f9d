import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  type Coroutine,
  type JoinHandle,
  now,
  run,
  sleep,
  sleepUntil,
  spawn,
  timeout,
} from "../../../lib/task/mod.ts";
import { tiered } from "../../tier.ts";

/** What a task does, one after the other. `abort` names a task by its number, counted round. */
type Step =
  | { sleep: number }
  | { until: number }
  | { timeout: number; of: number }
  | { spawn: Step[] }
  | { abort: number };

const ms = fc.constantFrom(0, 0.1, 0.25, 1, 1, 2, 3, 3.3, 7, 10, 63, 64, 65, 100.5, 4_096, 300_000);
const { program } = fc.letrec<{ program: Step[]; step: Step }>((tie) => ({
  program: fc.array(tie("step"), { maxLength: 5, size: "max", depthIdentifier: "program" }),
  step: fc.oneof(
    { depthSize: "small", depthIdentifier: "program" },
    { weight: 4, arbitrary: fc.record({ sleep: ms }) },
    { weight: 1, arbitrary: fc.record({ until: ms }) },
    { weight: 2, arbitrary: fc.record({ timeout: ms, of: ms }) },
    { weight: 1, arbitrary: fc.record({ abort: fc.nat(20) }) },
    { weight: 3, arbitrary: fc.record({ spawn: tie("program") }) },
  ),
}));
const programs = fc.array(program, { minLength: 1, maxLength: 8, size: "max" });

/** By the runtime. */
async function byRuntime(programs: readonly Step[][]): Promise<string[]> {
  const log: string[] = [];
  const handles: JoinHandle<void>[] = [];
  function start(steps: Step[]): void {
    handles.push(spawn(task, steps, handles.length));
  }
  function* task(steps: Step[], id: number): Coroutine<void> {
    let hasEnded = false;
    try {
      for (const step of steps) {
        if ("sleep" in step) yield* sleep(step.sleep);
        else if ("until" in step) yield* sleepUntil(step.until);
        else if ("spawn" in step) start(step.spawn);
        else if ("abort" in step) {
          const other = step.abort % handles.length;
          if (other !== id) handles[other].abort();
        } else {
          try {
            yield* timeout(step.timeout, sleep(step.of));
          } catch (error) {
            assert(error instanceof DOMException);
            log.push(`${id} timed out at ${now()}`);
          }
        }
        log.push(`${id} at ${now()}`);
      }
      hasEnded = true;
    } finally {
      if (!hasEnded) log.push(`${id} aborted at ${now()}`);
    }
  }
  await run(function* (): Coroutine<void> {
    for (const steps of programs) start(steps);
    yield* sleep(1e9);
  }, { clock: "paused" });
  return log;
}

interface Simulated {
  readonly id: number;
  readonly steps: Step[];
  next: number;
  state: "new" | "waiting" | "ready" | "over";
  timesOut: boolean;
}

/** By a list that is searched for what is due first. */
function byList(programs: readonly Step[][]): string[] {
  const log: string[] = [];
  const tasks: Simulated[] = [];
  const ready: Simulated[] = [];
  const waiting: { task: Simulated; due: number }[] = [];
  let time = 0;

  function start(steps: Step[]): void {
    const task: Simulated = { id: tasks.length, steps, next: 0, state: "new", timesOut: false };
    tasks.push(task);
    ready.push(task);
  }

  function wait(task: Simulated, due: number): false {
    task.state = "waiting";
    waiting.push({ task, due });
    return false;
  }

  /** Returns whether the task goes on at once. */
  function begin(task: Simulated, step: Step): boolean {
    if ("sleep" in step) return wait(task, time + step.sleep);
    if ("until" in step) return step.until <= time || wait(task, step.until);
    if ("spawn" in step) start(step.spawn);
    else if ("abort" in step) {
      const other = tasks[step.abort % tasks.length];
      if (other === task || other.state === "over") return true;
      if (other.state !== "new") log.push(`${other.id} aborted at ${time}`);
      other.state = "over";
    } else {
      const { of, timeout } = step;
      task.timesOut = timeout === 0 || timeout < of;
      return timeout === 0 || wait(task, time + Math.min(timeout, of));
    }
    return true;
  }

  function goOn(task: Simulated): void {
    if (task.state === "over") return;
    const resumes = task.state === "ready";
    task.state = "ready";
    for (let isBegun = resumes; task.next < task.steps.length; task.next++) {
      if (!isBegun && !begin(task, task.steps[task.next])) return;
      isBegun = false;
      if (task.timesOut) log.push(`${task.id} timed out at ${time}`);
      task.timesOut = false;
      log.push(`${task.id} at ${time}`);
    }
    task.state = "over";
  }

  for (const steps of programs) start(steps);
  for (;;) {
    for (let task = ready.shift(); task !== undefined; task = ready.shift()) goOn(task);
    if (waiting.length === 0) return log;
    time = Math.min(...waiting.map(({ due }) => due));
    for (const { task, due } of waiting.splice(0)) {
      if (due > time) waiting.push({ task, due });
      else if (task.state === "waiting") {
        task.state = "ready";
        ready.push(task);
      }
    }
  }
}

describe("random programs on a paused clock", () => {
  it("do everything in the order and at the times that a list gives", async () => {
    await fc.assert(
      fc.asyncProperty(programs, async (programs) => {
        assertEquals(await byRuntime(programs), byList(programs));
      }),
      { numRuns: tiered({ quick: 1_000, full: 10_000, soak: 300_000 }) },
    );
  });

  it("are long enough to tell: most have ten events and more", () => {
    const lengths = fc.sample(programs, { numRuns: 200, seed: 1 }).map((programs) => byList(programs).length);
    assert(lengths.filter((length) => length >= 10).length > 100, `they have ${lengths}`);
  });
});
