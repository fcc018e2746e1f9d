import { deserialize, serialize } from "node:v8";
import type { Control } from "./control/control.ts";
import { ARG_LENGTH } from "./control/layout.ts";
import { Slots } from "./control/slots.ts";

/** Stands in for the payload's own. */
export class Payload {
  readonly #control: Control;
  readonly #share: number;

  constructor(control: Control) {
    this.#control = control;
    this.#share = Math.floor(control.shape.arena / control.shape.slots);
  }

  #pack(slot: number, value: unknown): void {
    const bytes = serialize(value);
    const { control, at } = this.#place(slot, bytes.length);
    control.bytes.set(bytes, at);
    control.slots.set(slot, ARG_LENGTH, bytes.length);
  }

  #place(slot: number, length: number): { control: Control; at: number } {
    const control = this.#control;
    if (length <= Slots.inlineBytes) return { control, at: control.slots.inlineAt(slot) };
    if (length > this.#share) throw new RangeError(`cannot send ${length} bytes yet`);
    const { slots } = control.shape;
    const { byteOffset } = control.arena(control.slots.owner(slot));
    return { control, at: byteOffset + (slot % slots) * this.#share };
  }

  #unpack(slot: number): unknown {
    const length = this.#control.slots.get(slot, ARG_LENGTH);
    const { control, at } = this.#place(slot, length);
    return deserialize(control.bytes.slice(at, at + length));
  }

  packArguments(slot: number, values: readonly unknown[]): void {
    this.#pack(slot, [...values]);
  }

  unpackArguments(slot: number): unknown[] {
    const values = this.#unpack(slot);
    return Array.isArray(values) ? values : [];
  }

  packResult(slot: number, value: unknown): void {
    this.#pack(slot, value);
  }

  unpackResult(slot: number): unknown {
    return this.#unpack(slot);
  }

  packError(slot: number, error: unknown): void {
    this.#pack(slot, error);
  }

  unpackError(slot: number): unknown {
    return this.#unpack(slot);
  }

  drop(_slot: number): void {}
}
