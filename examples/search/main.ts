/**
 * The program: `search index`, `search query`, `search serve`.
 *
 *     deno run -A examples/search/main.ts index DIR
 *     bun examples/search/main.ts query DIR "words"
 *     node examples/search/main.ts query DIR "words" --json
 */
import * as module from "node:module";
import process from "node:process";

// Without its cache Node strips the types of every module anew, which takes longer than a query.
module.enableCompileCache?.();
const { main } = await import("./cli/commands.ts");
// Whoever reads may stop reading, as `head` does.
process.stdout.on("error", () => process.exit(1));
process.exitCode = await main(process.argv.slice(2));
