/** What is neither a plain object nor an array, into a message. */
import { types } from "node:util";
import type { OutgoingBuffers } from "./buffers.ts";
import { type Entry, type Step, why } from "./clone_error.ts";
import { classOfError, fieldsOf, insideOf } from "./errors.ts";
import { isRecord, type Kind } from "./kinds.ts";
import type { SharedNames } from "./outgoing_crossings.ts";
import {
  BOXED,
  BUFFER,
  BUFFER_OF,
  DATE,
  ERROR,
  HOLE,
  MAP,
  REGEXP,
  SET,
  SHARED,
  SHORT_VIEW,
  SPARSE,
  TYPED,
  VIEW,
} from "./tags.ts";
import { classOf, SIZES } from "./views.ts";
import type { Writer } from "./writer.ts";

/** The message that is written. */
export interface Outgoing {
  readonly out: Writer;
  readonly buffers: OutgoingBuffers;
  readonly shared: SharedNames;
  readonly objects: { readonly length: number };
  value(value: unknown, step: Step): void;
  container(tag: number, write: () => void, head?: () => void): void;
  attempt(write: () => void): void;
  refused(reason: string, cause?: unknown): DOMException;
}

/** Writes an object that has its number. */
export function writeSpecial(to: Outgoing, value: object, kind: Kind): void {
  const { out } = to;
  if (ArrayBuffer.isView(value)) return writeView(to, value);
  if (types.isMap(value)) return writeMap(to, value);
  if (types.isSet(value)) return writeSet(to, value);
  if (types.isDate(value)) {
    out.byte(DATE);
    return out.double(Date.prototype.getTime.call(value));
  }
  if (types.isRegExp(value)) {
    out.byte(REGEXP);
    out.string(value.source);
    return out.string(value.flags);
  }
  if (value instanceof ArrayBuffer || types.isArrayBuffer(value)) {
    return writeBuffer(to, value, 0, value.byteLength);
  }
  if (types.isSharedArrayBuffer(value)) return writeShared(to, value);
  if (kind === "boxed") return writeBoxed(to, value);
  if (kind === "error") return writeError(to, value);
  throw to.refused(why(value));
}

/** An array's elements from that index on, of which most are missing. */
export function writeRest(to: Outgoing, value: readonly unknown[], from: number): void {
  const indices = Object.keys(value).map(Number).filter((index) => index >= from && index < value.length);
  to.out.byte(SPARSE);
  to.out.count(indices.length);
  for (const index of indices) {
    to.out.count(index);
    to.value(value[index], index);
  }
}

/** What an array has beside its elements. */
export function writeArrayFields(to: Outgoing, value: object): void {
  if (!isRecord(value)) return;
  const keys = Object.keys(value).filter((key) => String(Number(key) >>> 0) !== key);
  to.out.count(keys.length);
  for (const key of keys) {
    to.out.string(key);
    to.value(value[key], key);
  }
}

function entry(part: Entry["part"], index: number, value: unknown): Step {
  return typeof value === "object" || typeof value === "function" || typeof value === "symbol"
    ? { part, index }
    : "";
}

function writeMap(to: Outgoing, value: ReadonlyMap<unknown, unknown>): void {
  to.container(MAP, () => {
    // What a getter adds meanwhile is not sent.
    let index = 0;
    for (const [key, element] of [...Map.prototype.entries.call(value)]) {
      to.value(key, entry("keys", index, key));
      to.value(element, entry("values", index++, element));
    }
    to.out.byte(HOLE);
  });
}

function writeSet(to: Outgoing, value: ReadonlySet<unknown>): void {
  to.container(SET, () => {
    let index = 0;
    for (const element of [...Set.prototype.values.call(value)]) {
      to.value(element, entry("values", index++, element));
    }
    to.out.byte(HOLE);
  });
}

function writeBuffer(to: Outgoing, value: ArrayBuffer, from: number, end: number): void {
  const { buffers, out } = to;
  const view = buffers.viewOver(value);
  if (view !== undefined) {
    out.byte(BUFFER_OF);
    return out.count(view);
  }
  const number = buffers.add(value, from, end);
  if (number === undefined) throw to.refused("its bytes were transferred away, or went with their owner");
  out.byte(BUFFER);
  out.count(number);
}

function writeView(to: Outgoing, value: ArrayBufferView): void {
  const { buffer, byteLength, byteOffset } = value;
  const { buffers, out } = to;
  const number = classOf(value);
  const size = SIZES[number];
  const isShared = !(buffer instanceof ArrayBuffer) && types.isSharedArrayBuffer(buffer);
  if (
    !isShared && byteLength === buffer.byteLength && isShort(byteLength) &&
    buffers.keep(buffer, to.objects.length - 1)
  ) {
    out.byte(TYPED);
    out.byte(number);
    out.count(byteLength / size);
    return out.aligned(new Uint8Array(buffer), size);
  }
  // Nobody is told whether a view follows its buffer's length: one that reaches the end does.
  const follows = (isShared ? buffer.growable : buffer.resizable) &&
    byteOffset + byteLength > buffer.byteLength - size;
  out.byte(VIEW);
  out.byte(number);
  if (isShared) to.value(buffer, "buffer");
  else writeBuffer(to, buffer, byteOffset, byteOffset + byteLength);
  out.count(byteOffset);
  out.count(follows ? 0 : byteLength / size + 1);
}

/** Whether it goes among the values: but for one of no bytes, of which nobody knows whether they were taken away. */
function isShort(byteLength: number): boolean {
  return byteLength > 0 && byteLength <= SHORT_VIEW;
}

function writeShared(to: Outgoing, value: SharedArrayBuffer): void {
  to.out.byte(SHARED);
  try {
    to.out.count(to.shared.nameOf(value));
  } catch (error) {
    throw to.refused(error instanceof Error ? error.message : String(error), error);
  }
}

function writeBoxed(to: Outgoing, value: object): void {
  const primitive = value.valueOf();
  if (typeof primitive === "symbol") throw to.refused(why(primitive));
  to.out.byte(BOXED);
  to.value(primitive, "");
}

function writeError(to: Outgoing, value: object): void {
  const { out } = to;
  const number = classOfError(value);
  const inside = insideOf(value);
  to.container(ERROR, () => writeFields(to, value, number), () => {
    out.byte(number);
    if (inside === undefined) return;
    out.string(inside.name);
    out.string(inside.message);
  });
}

function writeFields(to: Outgoing, error: object, number: number): void {
  for (const { key, isEnumerable, value } of fieldsOf(error, number)) {
    to.attempt(() => {
      to.out.string(key);
      to.out.byte(isEnumerable ? 1 : 0);
      to.value(value, key);
    });
  }
  to.out.byte(HOLE);
}
