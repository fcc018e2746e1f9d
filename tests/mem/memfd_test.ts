import { describe, it } from "node:test";
import { readFileSync } from "node:fs";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { SystemError } from "../../ffi/mod.ts";
import { shown } from "../../lib/io/arguments.ts";
import { Mmap, type Seal } from "../../lib/mem/mmap.ts";
import { outputOf } from "../child.ts";
import { TOOLS } from "./scratch.ts";

describe("Mmap.anonymous", () => {
  it("is zeros that may be written", () => {
    for (const length of [0, 1, 4095, 4096, 4097, 1 << 20]) {
      using map = Mmap.anonymous(length);
      assertEquals([map.byteLength, map.mode, map.isShared], [length, "r+", true]);
      assertEquals(map.bytes(), new Uint8Array(length));
      map.bytes().fill(3);
      assertEquals(map.bytes(), new Uint8Array(length).fill(3));
    }
  });

  it("may be larger than memory, as long as it is not used", () => {
    using map = Mmap.anonymous(2 ** 42);
    map.bytes(2 ** 42 - 1)[0] = 5;
    assertEquals(map.bytes(2 ** 42 - 10)[9], 5);
  });

  it("names a length that is none, or that nobody has", () => {
    for (const length of [-1, 0.5, NaN, Infinity, 2 ** 53, "1", null, undefined, 1n, {}]) {
      assertThrows(
        () => Reflect.apply(Mmap.anonymous, Mmap, [length]),
        RangeError,
        `cannot map memory as oxbow: length is ${shown(length)}, not a count of bytes`,
      );
    }
    const error = assertThrows(() => Mmap.anonymous(2 ** 53 - 1), SystemError, "oxbow");
    assert(["EFBIG", "EINVAL", "ENOMEM"].includes(error.code), error.message);
    assertEquals(
      assertThrows(() => Mmap.anonymous(2 ** 50), SystemError, "mmap oxbow failed").code,
      "ENOMEM",
    );
  });

  it("names an option that is none", () => {
    for (
      const [options, sentence] of [
        [null, "options are no object"],
        [1, "options are no object"],
        [{ advice: "often" }, "advice is often, and none of normal"],
        [{ advice: 1 }, "advice is 1, and none of normal"],
        [{ populate: 1 }, "populate is 1, and no boolean"],
        [{ hugePages: true }, "hugePages is true, and none of transparent, reserved"],
      ]
    ) {
      assertThrows(() => Reflect.apply(Mmap.anonymous, Mmap, [1, options]), TypeError, String(sentence));
    }
  });
});

describe("Mmap.memfd", () => {
  it("has its name in /proc/self/maps", () => {
    for (const name of ["", "a name with ünicode", "x".repeat(249)]) {
      using map = Mmap.memfd(name, 5000);
      assertEquals(map.path, name);
      assertEquals(readFileSync("/proc/self/maps", "utf8").includes(`/memfd:${name} (deleted)`), true);
    }
  });

  it("refuses a name that is none", () => {
    for (const name of ["x".repeat(250), "ü".repeat(125), "a\0b", 1, null, undefined, {}, Symbol("x")]) {
      assertThrows(
        () => Reflect.apply(Mmap.memfd, Mmap, [name, 1]),
        TypeError,
        "cannot map memory: its name is no text of up to 249 bytes without a NUL",
      );
    }
  });

  it("refuses seals that are none", () => {
    for (const seals of ["grow", {}, 1, null]) {
      assertThrows(() => Reflect.apply(Mmap.memfd, Mmap, ["m", 1, { seals }]), TypeError, "seals is no list");
    }
    for (const seal of ["write", "exec", "", null, 1]) {
      assertThrows(
        () => Reflect.apply(Mmap.memfd, Mmap, ["m", 1, { seals: ["grow", seal] }]),
        TypeError,
        `cannot map memory as m: a seal is ${String(seal)}, and none of grow, shrink, futureWrite, seal`,
      );
    }
  });

  it("is sealed as it was asked for", () => {
    const source = `
      const at = (name) => "/proc/self/fd/" + fs.readdirSync("/proc/self/fd").find((fd) => {
        try { return fs.readlinkSync("/proc/self/fd/" + fd).startsWith("/memfd:" + name + " "); } catch { return false; }
      });
      for (const seals of [[], ["grow"], ["shrink"], ["grow", "shrink"], ["futureWrite"], ["seal"], ["grow", "grow"]]) {
        const map = Mmap.memfd("sealed", 8192, { seals });
        map.bytes()[0] = 1;
        const path = at("sealed");
        const can = (call) => thrown(call) === "nothing";
        console.log(
          seals.join("+") || "none",
          can(() => fs.truncateSync(path, 9000)),
          can(() => fs.truncateSync(path, 8192)),
          can(() => fs.truncateSync(path, 8000)),
          can(() => fs.writeFileSync(path, "x", { flag: "r+" })),
          map.faults(),
        );
        map[Symbol.dispose]();
      }`;
    assertEquals(outputOf(TOOLS + source).split("\n"), [
      "none true true true true 0",
      "grow false true true true 0",
      "shrink true false false true 0",
      "grow+shrink false true false true 0",
      "futureWrite true true true false 0",
      "seal true true true true 0",
      "grow+grow false true true true 0",
    ]);
  });

  it("that is sealed against more writers goes on writing itself", () => {
    using map = Mmap.memfd("first", 5000, { seals: ["futureWrite", "shrink"] satisfies Seal[] });
    map.bytes().fill(7);
    assertEquals(map.bytes(), new Uint8Array(5000).fill(7));
    map.flushSync();
    const error = assertThrows(
      () => {
        map.protect("r");
        map.protect("r+");
      },
      SystemError,
      "it is sealed against what the mode does",
    );
    assertEquals([error.code, map.mode], ["EPERM", "r"]);
    assertEquals(map.bytes(), new Uint8Array(5000).fill(7));
  });
});
