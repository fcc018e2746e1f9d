import process from "node:process";
import { median } from "../compare.ts";

/** The rounds of what allocates: their time, and by how much the host's heap grew. */
export class Spending {
  readonly #rounds: number;
  readonly #ns: number[] = [];
  readonly #bytes: number[] = [];
  #start = 0n;
  #heap = 0;

  constructor(rounds: number) {
    this.#rounds = rounds;
  }

  begin(): void {
    this.#heap = process.memoryUsage().heapUsed;
    this.#start = process.hrtime.bigint();
  }

  /** Ends the round that `begin` began. Gives whether there is another. */
  end(): boolean {
    this.#ns.push(Number(process.hrtime.bigint() - this.#start));
    this.#bytes.push(process.memoryUsage().heapUsed - this.#heap);
    return this.#ns.length < this.#rounds;
  }

  /** Of the middle one of the second half, in which most is compiled. */
  get ns(): number {
    return median(this.#ns.slice(this.#ns.length >> 1));
  }

  /** The same, of the rounds in which the collector did not run. */
  get bytes(): number {
    const grown = this.#bytes.slice(this.#bytes.length >> 1).filter((bytes) => bytes >= 0);
    if (grown.length === 0) throw new Error("the collector ran in every round");
    return median(grown);
  }
}
