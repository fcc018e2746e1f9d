import { type CrossingClass, registerCrossing } from "../crossing.ts";
import "../map_crossing.ts";
import type { Mmap } from "../mmap.ts";

/** Where something lies: its map crosses by itself. */
interface Place {
  readonly map: Mmap<"write">;
  readonly byteOffset: number;
}

function isPlace(data: unknown): data is Place {
  return typeof data === "object" && data !== null && "map" in data && "byteOffset" in data &&
    typeof data.byteOffset === "number" && typeof data.map === "object" && data.map !== null;
}

/** Lets what lies in a shared map cross, by a map of the same pages, in which the other thread opens it. */
export function registerPlace<T extends object>(
  type: CrossingClass<T>,
  placeOf: (value: T) => Place,
  open: (map: Mmap<"write">, byteOffset: number) => T,
): void {
  registerCrossing<T, Place>({
    name: type.name,
    type,
    give(value) {
      const { map, byteOffset } = placeOf(value);
      return { map, byteOffset };
    },
    isData: isPlace,
    take: ({ map, byteOffset }) => open(map, byteOffset),
    drop() {},
  });
}
