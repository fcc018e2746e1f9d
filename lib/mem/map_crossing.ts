/**
 * How maps cross to other threads: as a descriptor of the message's own, which the other maps in the same mode. A map
 * of mode `c` does not, whose pages are its own.
 */
import { Fd, numberOf } from "../io/fd.ts";
import { registerCrossing } from "./crossing.ts";
import { resolve } from "./handle.ts";
import { Mmap } from "./mmap.ts";

/** The part of a file that a map shows, by a descriptor that whoever has this owns. */
interface MapInFlight {
  readonly descriptor: number;
  readonly mode: "r" | "r+";
  readonly offset: number;
  readonly length: number;
}

function isMapInFlight(data: unknown): data is MapInFlight {
  return typeof data === "object" && data !== null && "descriptor" in data && "mode" in data &&
    "offset" in data && "length" in data && typeof data.descriptor === "number" &&
    typeof data.offset === "number" && typeof data.length === "number" &&
    (data.mode === "r" || data.mode === "r+");
}

registerCrossing<Mmap, MapInFlight>({
  name: "Mmap",
  type: Mmap,
  give(map) {
    const { fd, offset, byteLength } = resolve(map.share());
    return { descriptor: numberOf(fd), mode: map.isShared ? "r+" : "r", offset, length: byteLength };
  },
  isData: isMapInFlight,
  take({ descriptor, mode, offset, length }) {
    using fd = Fd.unsafeOwn(descriptor);
    return mode === "r+"
      ? Mmap.fromFd(fd, { mode, offset, length })
      : Mmap.fromFd(fd, { mode, offset, length });
  },
  drop({ descriptor }) {
    Fd.unsafeOwn(descriptor).close();
  },
});
