import { SystemError } from "../../ffi/mod.ts";
import { WrongAnswer } from "./answers.ts";
import { Histogram } from "./histogram.ts";

/** What a load counts. */
export class Tally {
  readonly latencies: Histogram = new Histogram();
  readonly errors: Map<string, number> = new Map();
  answers = 0;
  bytesRead = 0;
  /** When it began to count: latencies of what was due before do not. */
  start = Infinity;

  /** What comes from here on counts. */
  begin(): number {
    this.latencies.clear();
    this.errors.clear();
    this.answers = 0;
    this.bytesRead = 0;
    this.start = performance.now();
    return this.start;
  }

  answered(due: number, now: number): void {
    this.answers++;
    if (due >= this.start) this.latencies.record(now - due);
  }

  note(kind: string): void {
    this.errors.set(kind, (this.errors.get(kind) ?? 0) + 1);
  }

  /** Throws what is no fault of the server's. */
  failed(error: unknown): void {
    if (error instanceof SystemError) this.note(`${error.syscall}: ${error.code}`);
    else if (error instanceof WrongAnswer) this.note(error.message);
    else throw error;
  }
}
