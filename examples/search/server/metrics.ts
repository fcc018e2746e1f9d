import process from "node:process";

/** Upper bounds of the histograms, in seconds and in queries. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];
const QUERIES = [1, 2, 4, 8, 16, 32, 64, 128, 256];

/** A cumulative histogram in Prometheus' sense. */
class Histogram {
  #bounds: readonly number[];
  #counts: number[];
  #sum = 0;

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = new Array<number>(bounds.length + 1).fill(0);
  }

  observe(value: number): void {
    const at = this.#bounds.findIndex((bound) => value <= bound);
    this.#counts[at === -1 ? this.#bounds.length : at]++;
    this.#sum += value;
  }

  text(name: string): string {
    let total = 0;
    let text = "";
    for (const [i, count] of this.#counts.entries()) {
      total += count;
      text += `${name}_bucket{le="${this.#bounds[i] ?? "+Inf"}"} ${total}\n`;
    }
    return `${text}${name}_sum ${this.#sum}\n${name}_count ${total}\n`;
  }
}

/** What `GET /metrics` tells, in Prometheus' text format 0.0.4. */
export class Metrics {
  #responses = new Map<number, number>();
  #latency: Histogram = new Histogram(SECONDS);
  #batches: Histogram = new Histogram(QUERIES);
  #products: Histogram = new Histogram(SECONDS);
  #passages: number;
  #started: number = performance.now();

  constructor(passages: number) {
    this.#passages = passages;
  }

  /** One answered request. */
  response(status: number): void {
    this.#responses.set(status, (this.#responses.get(status) ?? 0) + 1);
  }

  /** One answered search, from its arrival. */
  search(ms: number): void {
    this.#latency.observe(ms / 1000);
  }

  /** One batch of queries, answered by one product. */
  batch(queries: number, ms: number): void {
    this.#batches.observe(queries);
    this.#products.observe(ms / 1000);
  }

  toString(): string {
    const responses = [...this.#responses].map(([status, count]) =>
      `oxbow_search_responses_total{status="${status}"} ${count}\n`
    );
    return [
      family("oxbow_search_responses_total", "counter", "Requests answered, by status."),
      ...responses,
      family("oxbow_search_seconds", "histogram", "Time from a search's arrival to its answer."),
      this.#latency.text("oxbow_search_seconds"),
      family("oxbow_search_batch_queries", "histogram", "Queries answered by one product."),
      this.#batches.text("oxbow_search_batch_queries"),
      family("oxbow_search_batch_seconds", "histogram", "Time of one batch: product, words and ranking."),
      this.#products.text("oxbow_search_batch_seconds"),
      family("oxbow_search_passages", "gauge", "Passages in the index."),
      `oxbow_search_passages ${this.#passages}\n`,
      family("process_resident_memory_bytes", "gauge", "Resident memory, shared pages included."),
      `process_resident_memory_bytes ${process.memoryUsage().rss}\n`,
      family("oxbow_search_uptime_seconds", "gauge", "Time since the server started."),
      `oxbow_search_uptime_seconds ${((performance.now() - this.#started) / 1000).toFixed(3)}\n`,
    ].join("");
  }
}

function family(name: string, type: string, help: string): string {
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
}
