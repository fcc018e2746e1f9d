import { describe, it } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { SystemError } from "../../ffi/mod.ts";
import { MapInUseError, Mmap } from "../../lib/mem/mmap.ts";
import { Arc, Yoke } from "../../lib/mem/yoke.ts";
import { listenFirst, moduleUrl, outputOf } from "../child.ts";
import { tiered } from "../tier.ts";
import { descriptors, path, shared } from "./arcs.ts";
import { runCollecting } from "./collect.ts";

const RUNS = tiered({ quick: 60, full: 2_000, soak: 50_000 });

describe("Arc", () => {
  it("outlives the map that it was shared from, and all go with the last owner", () => {
    shared(0)[Symbol.dispose]();
    const before = descriptors();
    const one = shared(1, 2, 3);
    const two = one.clone();
    const three = Arc.adopt(one.handle());
    assertEquals([one.count, two.count, three.count], [3, 3, 3]);
    one[Symbol.dispose]();
    one[Symbol.dispose]();
    assertEquals([one.isDisposed, two.count, [...two.bytes()]], [true, 2, [1, 2, 3]]);
    const view = two.bytes();
    two[Symbol.dispose]();
    assertEquals([view.length, three.count, [...three.bytes(1)]], [0, 1, [2, 3]]);
    three[Symbol.dispose]();
    assertEquals([three.count, descriptors()], [0, before]);
  });

  it("shares what is written, where the map that was shared writes", () => {
    using one = shared(0, 0);
    using read = Arc.adopt(one.handle());
    using written = Arc.adopt(one.handle(), { mode: "r+" });
    written.bytes()[1] = 5;
    one.map.view(Uint8Array, 0, 1)[0] = 4;
    assertEquals([[...read.bytes()], read.map.mode, one.map.mode, one.byteLength], [[4, 5], "r", "r+", 2]);
  });

  it("reads a file, and writes to none that was shared to be read", () => {
    using map = Mmap.open(path);
    using arc = Arc.share(map);
    assertEquals([[...arc.bytes()], arc.map.mode], [[1, 2, 3], "r"]);
    const error = assertThrows(() => Arc.adopt(arc.handle(), { mode: "r+" }), SystemError);
    assertEquals([error.code, arc.count], ["EACCES", 1]);
  });

  it("is not shared from pages of a map's own, and leaves no descriptor behind", () => {
    using map = Mmap.open(path, { mode: "c" });
    const before = descriptors();
    assertThrows(() => Arc.share(map), TypeError, "mode c has pages of its own");
    assertEquals(descriptors(), before);
  });

  it("that cannot be shared for want of descriptors leaves none behind", () => {
    const source = `
      import { closeSync, openSync, readdirSync, readlinkSync } from "node:fs";
      import { Arc } from "${moduleUrl("lib/mem/yoke.ts")}";
      import { Mmap } from "${moduleUrl("lib/mem/mmap.ts")}";
      // Those of maps and their records alone: a host opens and closes its own.
      const descriptors = () => readdirSync("/proc/self/fd").filter((fd) => {
        try {
          return /^\\/memfd:oxbow(-map-record)? /.test(readlinkSync("/proc/self/fd/" + fd));
        } catch {
          return false;
        }
      }).length;
      using map = Mmap.anonymous(1);
      Arc.share(map)[Symbol.dispose]();
      const before = descriptors();
      const opened = [];
      try {
        for (;;) opened.push(openSync("/dev/null"));
      } catch {}
      // For the one that is shared, and none for what names it.
      closeSync(opened.pop());
      let code;
      try {
        Arc.share(map);
      } catch (error) {
        code = error.code;
      }
      for (const fd of opened) closeSync(fd);
      console.log(code, descriptors() - before);`;
    assertEquals(outputOf(listenFirst + source, { before: "ulimit -n 200" }), "EMFILE 0");
  });

  it("that cannot be mapped leaves none behind, and no owner, also where it would have been the last", () => {
    shared(0)[Symbol.dispose]();
    const before = descriptors();
    const arc = shared(1);
    const handle = arc.handle();
    using map = Mmap.anonymous(1);
    const during = descriptors();
    const { adopt } = Mmap;
    try {
      Mmap.adopt = () => {
        throw new RangeError("broken");
      };
      assertThrows(() => Arc.adopt(handle), RangeError, "broken");
      assertEquals([arc.count, descriptors()], [1, during]);
      map.share();
      const shares = descriptors();
      assertThrows(() => Arc.share(map), RangeError, "broken");
      assertEquals(descriptors(), shares);
      map[Symbol.dispose]();
      Mmap.adopt = () => {
        arc[Symbol.dispose]();
        throw new RangeError("broken");
      };
      assertThrows(() => Arc.adopt(handle), RangeError, "broken");
    } finally {
      Mmap.adopt = adopt;
    }
    assertEquals([arc.count, descriptors()], [0, before]);
  });

  it("leaves its map neither moved nor ended under it, whoever asks for it", () => {
    const arc = shared(1, 2);
    using other = arc.clone();
    const { map } = arc;
    using yoke = Yoke.attach(arc, (arc) => arc.bytes());
    arc[Symbol.dispose]();
    assertThrows(() => map.remap(1), MapInUseError);
    map[Symbol.dispose]();
    assertEquals([map.isClosed, [...yoke.value]], [true, [1, 2]]);
    const { value } = yoke;
    yoke[Symbol.dispose]();
    assertEquals(value.length, 2);
    other[Symbol.dispose]();
    assertEquals([value.length, other.count], [0, 0]);
  });

  it("is not shared from what is no map", () => {
    for (const map of [5, undefined, null, {}, "map", { share: () => ({}) }]) {
      assertThrows(
        () => Reflect.apply(Arc.share, Arc, [map]),
        TypeError,
        "cannot share an Arc: map is no Mmap",
      );
    }
  });

  it("gives nothing once it was disposed, though others have it", () => {
    const one = shared(1);
    using two = one.clone();
    one[Symbol.dispose]();
    const uses: [string, () => unknown][] = [
      ["read", () => one.map],
      ["read", () => one.bytes()],
      ["share", () => one.handle()],
      ["clone", () => one.clone()],
      ["retain", () => one.retain()],
    ];
    for (const [action, use] of uses) assertThrows(use, Error, `cannot ${action} an Arc: it was disposed`);
    assertThrows(() => one.release(), Error, "nobody has retained it");
    assertEquals(two.count, 1);
  });

  it("stays for a yoke, whose values are empty after it", () => {
    const arc = shared(1, 2);
    const yoke = Yoke.attach(arc, (cart) => cart.bytes());
    const { value } = yoke;
    arc[Symbol.dispose]();
    const clone = yoke.clone();
    yoke[Symbol.dispose]();
    assertEquals([arc.count, [...value], [...clone.cart.bytes(1)]], [1, [1, 2], [2]]);
    clone[Symbol.dispose]();
    assertEquals([arc.count, value.length], [0, 0]);
  });

  it("cannot be made but by share and adopt", () => {
    assertThrows(() => Reflect.construct(Arc, [Symbol("Arc"), {}]), TypeError, "call Arc.share or Arc.adopt");
  });

  it("counts as a model does, whatever is cloned, adopted, retained and ended", () => {
    const kind = fc.constantFrom("clone", "adopt", "retain", "release", "dispose");
    const steps = fc.array(fc.record({ kind, which: fc.nat() }), { maxLength: 40 });
    fc.assert(
      fc.property(steps, (steps) => {
        const before = descriptors();
        const handles = [{ arc: shared(7), isOpen: true, holds: 0 }];
        for (const { kind, which } of steps) {
          const handle = handles[which % handles.length];
          const { arc, isOpen, holds } = handle;
          if (kind === "dispose") {
            arc[Symbol.dispose]();
            handle.isOpen = false;
          } else if (kind === "release" && holds > 0) {
            arc.release();
            handle.holds--;
          } else if (kind === "retain" && (isOpen || holds > 0)) {
            arc.retain();
            handle.holds++;
          } else if (kind === "clone" && isOpen) {
            handles.push({ arc: arc.clone(), isOpen: true, holds: 0 });
          } else if (kind === "adopt" && isOpen) {
            const adopted = Arc.adopt(arc.handle(), { mode: "r+" });
            handles.push({ arc: adopted, isOpen: true, holds: 0 });
          }
          const count = handles.reduce((sum, { isOpen, holds }) => sum + holds + Number(isOpen), 0);
          assertEquals(handles.map(({ arc }) => arc.count), handles.map(() => count));
          for (const { arc, isOpen, holds } of handles) {
            if (isOpen || holds > 0) assertEquals(arc.bytes()[0], 7);
          }
        }
        for (const { arc, holds } of handles) {
          arc[Symbol.dispose]();
          for (let i = 0; i < holds; i++) arc.release();
        }
        assertEquals([handles[0].arc.count, descriptors()], [0, before]);
      }),
      { numRuns: RUNS },
    );
  });
});

describe("a forgotten Arc", () => {
  it("is given back once it was collected", () => {
    // JSC's collector takes what looks like a reference for one: some of many are collected, and not each.
    const { stdout, code } = runCollecting(`
      import { Arc } from "${moduleUrl("lib/mem/yoke.ts")}";
      import { Mmap } from "${moduleUrl("lib/mem/mmap.ts")}";
      using map = Mmap.anonymous(1);
      using arc = Arc.share(map);
      (() => {
        for (let i = 0; i < 20; i++) Arc.adopt(arc.handle());
      })();
      console.log(arc.count);
      await collect(() => arc.count < 15);
      console.log(arc.count < 15);`);
    assertEquals([stdout, code], ["21\ntrue\n", 0]);
  });
});
