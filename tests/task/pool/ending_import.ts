/** A module that ends the thread that loads it. */
import process from "node:process";

process.exit(1);
// Deno ends it a moment later.
await new Promise(() => {});

export function never(): void {}
