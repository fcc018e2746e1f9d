/**
 * Zero-copy deserialisation with a cache: tensors of a safetensors file are views of the mapped file, kept by yokes.
 * An entry may be evicted while somebody still reads from it; the memory goes with the last of those, and the
 * resident size of the mapping shows it.
 *
 *     deno run -A examples/zero_copy.ts [FILE.safetensors]
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { SafeTensors } from "../lib/formats/safetensors.ts";
import { Mmap } from "../lib/mem/mmap.ts";
import { Yoke } from "../lib/mem/yoke.ts";

const MIB = 2 ** 20;

/** Weights and the file that they lie in: whoever has the yoke need not know that there is a file. */
type Weights = Yoke<SafeTensors>;

function load(path: string): Weights {
  using map = Mmap.open(path);
  return Yoke.attach(map, (map) => SafeTensors.fromBytes(map.bytes())).erase();
}

/** The weights that were asked for last. Whoever asks is given a yoke of his own, and disposes it. */
class Cache implements Disposable {
  #path = "";
  #weights: Weights | undefined;

  get(path: string): Weights {
    if (this.#weights === undefined || this.#path !== path) {
      const weights = load(path);
      this[Symbol.dispose]();
      this.#path = path;
      this.#weights = weights;
    }
    return this.#weights.clone();
  }

  /** Evicts them. */
  [Symbol.dispose](): void {
    this.#weights?.[Symbol.dispose]();
    this.#weights = undefined;
  }
}

/** How much of the file's mappings is in memory, as /proc/self/smaps tells it. */
function resident(path: string): string {
  let bytes = 0;
  for (const mapping of readFileSync("/proc/self/smaps", "utf8").split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m)) {
    if (!mapping.split("\n", 1)[0].endsWith(path)) continue;
    bytes += 1024 * Number(mapping.match(/^Rss:\s+(\d+) kB$/m)?.[1]);
  }
  return `${Math.round(bytes / MIB)} MiB resident`;
}

function sum(values: Float32Array): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

function writeExample(path: string): void {
  const embeddings = new Float32Array(16 * MIB).fill(0.25);
  SafeTensors.write(path, {
    embeddings: { dtype: "F32", shape: [MIB, 16], data: embeddings },
    bias: { dtype: "F32", shape: [3], data: Float32Array.of(1, 2, 3) },
  });
}

/** The tensor with most elements of float32. */
function largest(weights: SafeTensors): string {
  const names = weights.names().filter((name) => weights.tensor(name).dtype === "F32");
  const sizes = names.map((name) => weights.tensor(name).data.length);
  const name = names[sizes.indexOf(Math.max(...sizes))];
  if (name === undefined) throw new Error("the file has no tensor of dtype F32: name another");
  return name;
}

function main(path: string, other: string): void {
  using cache = new Cache();
  const weights = cache.get(path);
  const name = largest(weights.value);
  console.log(`mapped, nothing read: ${resident(path)}`);

  const tensor = weights.project((weights) => weights.f32(name));
  console.log(`${name} adds up to ${sum(tensor.value)}: ${resident(path)}`);
  weights[Symbol.dispose]();

  cache.get(other)[Symbol.dispose]();
  console.log(`evicted, ${name} still adds up to ${sum(tensor.value)}: ${resident(path)}`);

  const { value } = tensor;
  tensor[Symbol.dispose]();
  console.log(`the last yoke is gone, and its view has ${value.length} elements: ${resident(path)}`);
}

const folder = mkdtempSync(join(tmpdir(), "oxbow-zero-copy-"));
try {
  const [given] = process.argv.slice(2);
  const path = given ?? join(folder, "weights.safetensors");
  if (given === undefined) writeExample(path);
  const other = join(folder, "other.safetensors");
  SafeTensors.write(other, { bias: { dtype: "F32", shape: [1], data: Float32Array.of(0) } });
  main(path, other);
} finally {
  rmSync(folder, { recursive: true });
}
