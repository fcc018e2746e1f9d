/** What code refers to: places in itself, constants beside it, and symbols of libraries. */
import { described } from "./described.ts";
import { code } from "./kinds.ts";

/** A place in the text of one assembler, bound once, before or after the jumps to it. */
export class Label {
  readonly kind = "label";
  readonly code: number = code.label;
  readonly id = -1;
  readonly masking = "none";
  readonly mask = 0;
  /** The assembler that made it. */
  readonly owner: object;
  /** Its number there. */
  readonly index: number;
  readonly name: string;

  constructor(owner: object, index: number, name: string) {
    this.owner = owner;
    this.index = index;
    this.name = name;
  }

  toString(): string {
    return this.name;
  }
}

/** Bytes beside the code that do not change. */
export class Constant {
  readonly kind = "constant";
  /** The assembler that made it. */
  readonly owner: object;
  readonly byteOffset: number;
  readonly byteLength: number;

  constructor(owner: object, byteOffset: number, byteLength: number) {
    this.owner = owner;
    this.byteOffset = byteOffset;
    this.byteLength = byteLength;
  }

  toString(): string {
    return `a constant of ${this.byteLength} bytes`;
  }
}

/** A symbol of a library, whose address the loader finds. */
export class LibrarySymbol {
  readonly kind = "symbol";
  readonly code: number = code.symbol;
  readonly id = 0;
  readonly masking = "none";
  readonly mask = 0;
  readonly name: string;
  readonly library: string | undefined;

  constructor(name: string, library: string | undefined) {
    this.name = name;
    this.library = library;
  }

  toString(): string {
    return this.name;
  }
}

/** A symbol by its name, of `library` or else of any that the process has loaded. */
export function symbol(name: string, library?: string): LibrarySymbol {
  if (typeof name !== "string" || name === "") {
    throw new TypeError(`a symbol has a name, and not ${described(name)}`);
  }
  return new LibrarySymbol(name, library);
}
