/**
 * What the compiler must take and what it must refuse of layouts: each `@ts-expect-error` is itself an error
 * where the line below it compiles. Checked by `deno check` and `tsc`, never run.
 */
import {
  array,
  type Fields,
  type Layout,
  type Pointer,
  stat,
  struct,
  type StructView,
} from "../../../ffi/mod.ts";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false;

function expectType<A>(): { is<B>(same: Same<A, B>): void } {
  return { is() {} };
}

const point = struct({ x: "f64", y: "f64" });
const record = struct({
  small: "i32",
  wide: "u64",
  count: "u53",
  flag: "bool",
  next: "pointer",
  point,
  name: array("u8", 16),
  corners: array(point, 4),
  matrix: array(array("f32", 4), 4),
  nodes: array("pointer", 2),
});
const bytes = new Uint8Array(record.size);
const view = record.view(bytes, 0);

expectType<typeof view.small>().is<number>(true);
expectType<typeof view.wide>().is<bigint>(true);
expectType<typeof view.count>().is<number>(true);
expectType<typeof view.flag>().is<boolean>(true);
expectType<typeof view.next>().is<Pointer | null>(true);
expectType<typeof view.point.x>().is<number>(true);
expectType<typeof view.name>().is<Uint8Array<ArrayBuffer>>(true);
expectType<typeof view.corners[0]["y"]>().is<number>(true);
expectType<typeof view.matrix>().is<readonly Float32Array<ArrayBuffer>[]>(true);
expectType<typeof view.nodes[0]>().is<Pointer | null>(true);
expectType<typeof record.offsets.corners>().is<number>(true);
expectType<keyof typeof point.offsets>().is<"x" | "y">(true);

view.small = 1;
view.wide = 1n;
view.point.x = 2;
view.name[0] = 3;
view.corners[1].y = 4;
view.nodes[0] = view.next;
view.nodes.map((node) => node === null);
stat.view(bytes).st_nlink satisfies number;
record satisfies Layout<StructView<typeof record.fields>>;
({ a: "u8", b: point }) satisfies Fields;

// @ts-expect-error: no such field
view.nothing;
// @ts-expect-error: no such offset
record.offsets.nothing;
// @ts-expect-error: a number is no bigint
view.wide = 1;
// @ts-expect-error: a bigint is no number
view.count = 1n;
// @ts-expect-error: a number is no boolean
view.flag = 1;
// @ts-expect-error: a number is no pointer
view.next = 0;
// @ts-expect-error: a struct within is written field by field
view.point = view.corners[0];
// @ts-expect-error: an array within is written element by element
view.name = new Uint8Array(16);
// @ts-expect-error: the list of an array's structs stays as it is
view.corners[0] = view.point;
// @ts-expect-error: no type of a field
struct({ a: "int" });
// @ts-expect-error: no option
struct({ a: "u8" }, { packing: 1 });
// @ts-expect-error: no typed array is of booleans
array("bool", 2);
// @ts-expect-error: a number is no pointer
view.nodes[0] = 0;
// @ts-expect-error: a list of pointers has a fixed length
view.nodes.push(null);
// @ts-expect-error: memory that threads share
record.view(new Uint8Array(new SharedArrayBuffer(100)));
