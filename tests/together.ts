/**
 * Programs that one process runs one after another, where each would do in a process of its own.
 *
 * @module
 */
import { type ChildOptions, outputOf } from "./child.ts";

const MARK = "-- the next program --";

/** Programs without imports of their own, which leave nothing behind that the next could find. */
export class Together {
  readonly #head: string;
  readonly #options: ChildOptions;
  readonly #sources: string[] = [];
  #printed: readonly string[] | undefined;

  /** What goes before them all: their imports. */
  constructor(head: string, options: ChildOptions = {}) {
    this.#head = head;
    this.#options = options;
  }

  /** Adds a program. The first function that is called runs them all; each says what its own one printed. */
  add(source: string): () => string {
    const index = this.#sources.push(source) - 1;
    return () => {
      this.#printed ??= this.#run();
      return this.#printed[index] ?? "";
    };
  }

  #run(): readonly string[] {
    const body = this.#sources.map((source) => `{\n${source}\n}\nconsole.log("${MARK}");\n`).join("");
    return outputOf(this.#head + body, this.#options).split(MARK).map((part) => part.trim());
  }
}
