/**
 * The programs of a guide, which are to run as they stand.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { moduleUrl } from "./child.ts";

/** A guide's program. */
export interface Program {
  /** As a child process can run it. */
  readonly source: string;
  /** What its comments say that it prints. */
  readonly printed: readonly string[];
}

/** A guide's text, by its name in docs/. */
export function guide(name: string): string {
  return readFileSync(new URL(`../docs/${name}`, import.meta.url), "utf8");
}

const { exports: MODULES } = JSON.parse(readFileSync(new URL("../deno.json", import.meta.url), "utf8"));

/** The programs of a guide's text. */
export function programs(text: string): Program[] {
  return [...text.matchAll(/```ts\n(.*?)```/gs)].map(([, block]) => ({
    source: block.replace(/@oxbow\/oxbow\/(\w+)/g, (_, name: string) => moduleUrl(MODULES[`./${name}`]))
      .replace(/\.\.\/(examples\/[\w/.]+)/g, (_, path: string) => moduleUrl(`./${path}`)),
    printed: [...block.matchAll(/console\.log\(.*\);\s+\/\/ (.*)/g)].map(([, text]) => text),
  }));
}
