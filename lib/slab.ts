/**
 * A table whose keys are small integers: tokio's slab. Values lie in one array; the places of removed ones are
 * kept in a stack, and the next insertion takes the one that was freed last. So insert, get and remove are O(1),
 * no key moves, and a steady load allocates nothing. What many removals leave behind, `shrinkToFit` and `compact`
 * give back. A `GenerationalSlab` never gives a key twice, for holders of keys that may outlive their value.
 *
 * @example
 * ```ts
 * import { Slab } from "@oxbow/oxbow/slab";
 *
 * const slab = new Slab<string>();
 * const hello = slab.insert("hello");
 * const world = slab.insert("world");
 * slab.set(world, "earth");
 * console.log(slab.get(hello), slab.get(world)); // hello earth
 * ```
 *
 * A value that holds its own key:
 *
 * @example
 * ```ts
 * import { Slab } from "@oxbow/oxbow/slab";
 *
 * const slab = new Slab<{ key: number; text: string }>();
 * const entry = slab.vacantEntry();
 * const hello = entry.insert({ key: entry.key, text: "hello" });
 * console.log(slab.get(hello)?.key === hello, slab.get(hello)?.text); // true hello
 * ```
 *
 * It follows the Rust crate `slab`, version 0.4.
 *
 * @module
 */
export { GenerationalSlab } from "./slab/generational_slab.ts";
export { Slab } from "./slab/slab.ts";
export type { VacantEntry } from "./slab/vacant_entry.ts";
