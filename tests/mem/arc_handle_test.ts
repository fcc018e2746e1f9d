import { describe, it } from "node:test";
import { closeSync, fstatSync, openSync } from "node:fs";
import { assertEquals, assertThrows } from "@std/assert";
import { HandleError } from "../../lib/mem/mmap.ts";
import { Arc, type ArcHandle } from "../../lib/mem/yoke.ts";
import { descriptors, path, shared } from "./arcs.ts";

describe("a handle of an Arc", () => {
  it("is plain data, and holds nothing by itself", () => {
    const arc = shared(9);
    const handle = structuredClone(arc.handle());
    using adopted = Arc.adopt(handle);
    assertEquals([adopted.bytes()[0], arc.count], [9, 2]);
    adopted[Symbol.dispose]();
    arc[Symbol.dispose]();
    assertThrows(() => Arc.adopt(handle), HandleError, "cannot adopt an Arc: its last owner was disposed");
  });

  it("that is none is refused, and what it names stays", () => {
    using arc = shared(1);
    using other = shared(2);
    const { map, count } = arc.handle();
    const forged: unknown[] = [
      undefined,
      null,
      7,
      {},
      map,
      { kind: "oxbow-arc", map },
      { kind: "oxbow-arc", map, count: new SharedArrayBuffer(8) },
      { kind: "oxbow-arc", map, count: new ArrayBuffer(count.byteLength) },
      { kind: "oxbow-arc", map, count: new SharedArrayBuffer(count.byteLength) },
      { kind: "oxbow-arc", map, count: Object.create(SharedArrayBuffer.prototype) },
      { kind: "oxbow-arc", map: 5, count },
      { kind: "oxbow-arc", map: null, count },
      { kind: "oxbow-arc", map: { ...map, kind: "oxbow-arc" }, count },
      { kind: "oxbow-arc", map: { ...map, descriptor: "0" }, count },
      { kind: "oxbow-arc", count },
      { kind: "oxbow-arc", count, map: { ...map, nonce: "0".repeat(32) } },
      { kind: "oxbow-arc", count, map: { ...map, process: map.process + 1 } },
    ];
    for (const handle of forged) assertThrows(() => Reflect.apply(Arc.adopt, Arc, [handle]), HandleError);
    assertEquals([arc.count, other.count, arc.bytes()[0]], [1, 1, 1]);
  });

  it("with options that are none is refused, before an owner is added", () => {
    using arc = shared(1);
    const handle = arc.handle();
    for (const options of ["r+", null, 5]) {
      const adopt = () => Reflect.apply(Arc.adopt, Arc, [handle, options]);
      assertThrows(adopt, TypeError, "cannot adopt an Arc: options are no object");
    }
    for (const mode of ["c", "w+", "", null, 5, Symbol("r")]) {
      const adopt = () => Reflect.apply(Arc.adopt, Arc, [handle, { mode }]);
      assertThrows(adopt, TypeError, `cannot adopt an Arc: mode is ${String(mode)}, and neither r nor r+`);
    }
    assertEquals(arc.count, 1);
  });

  it("is read once, and never again", () => {
    const victim = openSync(path, "r");
    const before = descriptors();
    const arc = shared(1);
    const handle = arc.handle();
    const reads: string[] = [];
    // At each reading but the first, every property is what is not to be used.
    function once<T extends object>(target: T, others: Readonly<Record<string, unknown>>): T {
      const seen = new Set<PropertyKey>();
      return new Proxy(target, {
        get(target, name) {
          reads.push(String(name));
          const isFirst = !seen.has(name);
          seen.add(name);
          return isFirst ? Reflect.get(target, name) : others[String(name)];
        },
      });
    }
    const map = once(handle.map, { descriptor: victim });
    const mode: { readonly mode: "r+" } = once({ mode: "r+" }, { mode: "c" });
    const adopted = Arc.adopt(once({ ...handle, map }, {}), mode);
    const names = ["mode", "kind", "map", "count", "kind", "process", "descriptor", "nonce"];
    assertEquals([reads, adopted.map.mode, adopted.bytes()[0]], [names, "r+", 1]);
    arc[Symbol.dispose]();
    adopted[Symbol.dispose]();
    assertEquals([reads.length, fstatSync(victim).isFile(), descriptors()], [names.length, true, before]);
    closeSync(victim);
  });

  it("may be changed once it was adopted, and all is closed", () => {
    const before = descriptors();
    const arc = shared(1);
    const handle = structuredClone(arc.handle());
    const adopted = Arc.adopt(handle);
    arc[Symbol.dispose]();
    Reflect.set(handle.map, "nonce", "0".repeat(32));
    Reflect.set(handle.map, "descriptor", -1);
    Reflect.set(handle, "map", undefined);
    using again = Arc.adopt(adopted.handle());
    adopted[Symbol.dispose]();
    again[Symbol.dispose]();
    assertEquals(descriptors(), before);
  });

  it("of one map and another's count closes neither", () => {
    using arc = shared(1);
    using other = shared(2);
    const mixed: ArcHandle = { ...arc.handle(), count: structuredClone(other.handle().count) };
    const adopted = Arc.adopt(mixed);
    assertEquals([adopted.bytes()[0], arc.count, other.count], [1, 1, 2]);
    other[Symbol.dispose]();
    assertThrows(() => adopted[Symbol.dispose](), HandleError, "its count was written over");
    using again = Arc.adopt(arc.handle());
    assertEquals([again.bytes()[0], arc.count], [1, 2]);
  });
});
