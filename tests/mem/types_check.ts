/**
 * What the compiler must take and what it must refuse: each `@ts-expect-error` is itself an error where the
 * line below it compiles. Checked by `deno check` and `tsc`, never run.
 */
import { type MapAccess, type MapHandle, type MapMode, Mmap, type StableBytes } from "../../lib/mem/mmap.ts";
import { Fd } from "../../lib/io/mod.ts";

declare function takesBytes(bytes: Uint8Array): void;
declare function takesOwnBytes(bytes: Uint8Array<ArrayBuffer>): void;
declare function takesFloats(floats: Float32Array): number;
declare function takesLongs(longs: BigInt64Array<ArrayBuffer>): void;
declare function takesReadonly(bytes: Readonly<Uint8Array>): void;
declare const handle: MapHandle;
declare const mode: MapMode;

const path = "file.bin";
const fd = Fd.open(path);

const read = Mmap.open(path);
// @ts-expect-error: a map of mode r is not written to
read.bytes()[0] = 1;
// @ts-expect-error: nor by another view
read.view(Float32Array, 0, 1)[0] = 1;
// @ts-expect-error: nor by its windows
for (const { bytes } of read.windows(10)) bytes[0] = 1;
takesBytes(read.bytes());
takesOwnBytes(read.bytes());
takesReadonly(read.bytes());
takesFloats(read.view(Float32Array, 0, 1));
takesLongs(read.view(BigInt64Array, 0, 1));
read.bytes().subarray(1).fill(0);
const sum: number = read.view(Float64Array, 0, 4).reduce((sum, value) => sum + value, 0);
// A copy is the caller's own.
read.copy(Float32Array, 0, 1)[0] = sum;

for (
  const map of [
    Mmap.open(path, { mode: "r+" }),
    Mmap.open(path, { mode: "c" }),
    Mmap.open(path, { mode: "w+", length: 10 }),
    Mmap.open(path, { mode: "a+" }),
    Mmap.anonymous(10),
    Mmap.memfd("memory", 10, { seals: ["grow"] }),
    Mmap.fromFd(fd, { mode: "r+" }),
    Mmap.fromFd(fd, { mode: "c" }),
    Mmap.adopt(handle, { mode: "r+" }),
  ]
) {
  map.bytes()[0] = 1;
  map.view(Float32Array, 0, 1)[0] = 1;
  map.view(BigUint64Array, 0, 1)[0] = 1n;
  for (const { bytes } of map.windows(10)) bytes[0] = 1;
  takesOwnBytes(map.bytes());
}

for (
  const map of [
    Mmap.open(path, { mode: "r" }),
    Mmap.open(path, { mode }),
    Mmap.fromFd(fd),
    Mmap.adopt(handle),
    Mmap.adopt(handle, { mode: "r" }),
  ]
) {
  // @ts-expect-error: what may be of mode r is not written to
  map.bytes()[0] = 1;
}

const anyMap: Mmap<MapAccess> = read;
const alsoAny: Mmap<MapAccess> = Mmap.anonymous(1);
const stable: StableBytes = anyMap;
takesOwnBytes(stable.bytes());
takesOwnBytes(alsoAny.bytes());

// What is there to be written to may be read, and not the other way round.
const alsoRead: Mmap = Mmap.anonymous(1);
declare function writes(map: Mmap<"write">): void;
writes(Mmap.open(path, { mode: "r+" }));
// @ts-expect-error: a map of mode r is none to be written to
const writable: Mmap<"write"> = Mmap.open(path);
// @ts-expect-error: nor is one that may be of mode r
writes(Mmap.open(path, { mode }));
// @ts-expect-error: nor where nothing is said of it
writes(anyMap);
// @ts-expect-error: nor where it is no more known to be more
writes(alsoRead);
takesOwnBytes(writable.bytes());
Mmap.anonymous(1).protect("r+");
read.protect("r");
// @ts-expect-error: a map that only reads is not made to write
read.protect("r+");

// @ts-expect-error: a map is made by its own functions
new Mmap();
// @ts-expect-error: no such mode
Mmap.open(path, { mode: "rw" });
// @ts-expect-error: no such advice
read.advise("often");
// @ts-expect-error: a file has no reserved pages
Mmap.open(path, { hugePages: "reserved" });
// @ts-expect-error: nor is a descriptor mapped anew
Mmap.fromFd(fd, { mode: "w+" });
// @ts-expect-error: nor a handle
Mmap.adopt(handle, { mode: "a+" });
// @ts-expect-error: no such seal
Mmap.memfd("memory", 1, { seals: ["write"] });
// @ts-expect-error: a number is no descriptor
Mmap.fromFd(3);
// @ts-expect-error: an array is no typed array
read.view(Array, 0, 1);
// @ts-expect-error: a map is not changed to a mode of its own pages
read.protect("c");
// @ts-expect-error: what a map is called is not changed
read.path = "other";
