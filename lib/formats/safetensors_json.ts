import { quote, SafeTensorsError } from "./safetensors_error.ts";

const MAX_DEPTH = 128;
const SCALAR = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;

/**
 * Reads the JSON of a header once, from left to right, into what the caller asks for. `JSON.parse` would
 * keep the last of two equal keys, round integers above 2^53, and build whatever a hostile file nests in a
 * field that nobody reads; this notices the first two, and skips the third without building it.
 */
export class JsonReader {
  readonly #text: string;
  readonly #origin: string;
  #at = 0;

  constructor(text: string, origin: string) {
    this.#text = text;
    this.#origin = origin;
  }

  /** Calls `member` with each key, to read the value. A key that comes twice is refused. */
  object(member: (key: string) => void): void {
    this.#expect("{");
    if (this.#skipIf("}")) return;
    const keys = new Set<string>();
    do {
      const key = this.string();
      if (keys.has(key)) {
        throw new SafeTensorsError(
          "DuplicateKey",
          `${this.#origin}: the header holds the key ${quote(key)} twice in one object`,
        );
      }
      keys.add(key);
      this.#expect(":");
      member(key);
    } while (this.#skipIf(","));
    this.#expect("}");
  }

  /** Calls `element` before each element, to read it. */
  array(element: () => void): void {
    this.#expect("[");
    if (this.#skipIf("]")) return;
    do element(); while (this.#skipIf(","));
    this.#expect("]");
  }

  string(): string {
    this.#expect('"');
    const start = this.#at;
    let escaped = false;
    for (;; this.#at++) {
      const unit = this.#text.charCodeAt(this.#at);
      if (unit === 0x22) break;
      if (unit === 0x5c) {
        escaped = true;
        this.#at++;
      } else if (!(unit >= 0x20)) {
        this.#fail("a character of a string");
      }
    }
    this.#at++;
    return escaped ? this.#unescape(start) : this.#text.slice(start, this.#at - 1);
  }

  /** A whole number from 0 to 2^53 - 1, written in digits alone. */
  integer(): number {
    this.#skipSpace();
    const start = this.#at;
    let value = 0;
    for (;; this.#at++) {
      const digit = this.#text.charCodeAt(this.#at) - 0x30;
      if (!(digit >= 0 && digit <= 9)) break;
      value = value * 10 + digit;
    }
    const length = this.#at - start;
    const next = this.#text.charAt(this.#at);
    const leadingZero = length > 1 && this.#text.charAt(start) === "0";
    if (length === 0 || leadingZero || next === "." || next === "e" || next === "E") {
      this.#at = start;
      this.#fail("a whole number of 0 or more");
    }
    if (value > Number.MAX_SAFE_INTEGER) {
      this.#at = start;
      this.#fail("a whole number below 2^53");
    }
    return value;
  }

  /** Passes over a value of any kind, checking that it is JSON and building nothing. */
  skip(depth = 0): void {
    if (depth > MAX_DEPTH) this.#fail(`no more than ${MAX_DEPTH} levels`);
    const next = this.peek();
    if (next === "{") {
      this.object(() => this.skip(depth + 1));
    } else if (next === "[") {
      this.array(() => this.skip(depth + 1));
    } else if (next === '"') {
      this.string();
    } else {
      SCALAR.lastIndex = this.#at;
      if (!SCALAR.test(this.#text)) this.#fail("a value");
      this.#at = SCALAR.lastIndex;
    }
  }

  /** The first character of the next value, or "" at the end. */
  peek(): string {
    this.#skipSpace();
    return this.#text.charAt(this.#at);
  }

  /** Passes where nothing but space is left. */
  end(): void {
    if (this.peek() !== "") this.#fail("the end");
  }

  #unescape(start: number): string {
    let value: unknown;
    try {
      value = JSON.parse(this.#text.slice(start - 1, this.#at));
    } catch {
      value = undefined;
    }
    if (typeof value !== "string" || !value.isWellFormed()) {
      this.#at = start;
      this.#fail("a string with valid escapes and no lone surrogate");
    }
    return value;
  }

  #expect(character: string): void {
    if (!this.#skipIf(character)) this.#fail(JSON.stringify(character));
  }

  #skipIf(character: string): boolean {
    this.#skipSpace();
    if (this.#text.charAt(this.#at) !== character) return false;
    this.#at++;
    return true;
  }

  #skipSpace(): void {
    for (;; this.#at++) {
      const unit = this.#text.charCodeAt(this.#at);
      if (unit !== 0x20 && unit !== 0x0a && unit !== 0x0d && unit !== 0x09) return;
    }
  }

  #fail(expected: string): never {
    const found = this.#at < this.#text.length ? quote(this.#text.slice(this.#at, this.#at + 12)) : "its end";
    throw new SafeTensorsError(
      "InvalidHeaderJson",
      `${this.#origin}: the header is not the JSON that it should be: expected ${expected} ` +
        `at character ${this.#at}, found ${found}`,
    );
  }
}
