/**
 * Types forgotten: one function for every implementation of an interface, and a list of implementations of which the
 * caller knows nothing else. What Rust spells `impl A` and `dyn A`.
 *
 *     deno run examples/dispatch.ts
 *
 * TypeScript forgets every type before the program runs, so that both are one and the same function here: a generic
 * is no copy for each type, and an object brings its methods with it as a `Box<dyn A>` brings its table. What is
 * static is a call of a function by its own name. How fast the others are is for the engine to find out while
 * the program runs: docs/yoke.md says what it finds.
 */

interface A {
  doSomething(): void;
}

function doSomethingOfType1(): void {
  console.log("Type1 doing something");
}

class Type1 implements A {
  doSomething(): void {
    doSomethingOfType1();
  }
}

function doSomethingOfType2(): void {
  console.log("Type2 doing something");
}

class Type2 implements A {
  doSomething(): void {
    doSomethingOfType2();
  }
}

/** `fn use_trait<T: A>(item: T)`: the caller's type is known where it is called, and in here no more. */
function useGeneric<T extends A>(item: T): T {
  item.doSomething();
  return item;
}

/** `fn use_trait(item: &dyn A)`: any implementation, found when the call is made. */
function useDynamic(item: A): void {
  item.doSomething();
}

/** What answers a question. Anybody may add one: nothing but the interface is asked for. */
interface Backend {
  readonly name: string;
  answer(question: number): number;
}

class PositiveBackend implements Backend {
  readonly name = "positive";
  answer(question: number): number {
    return Math.abs(question);
  }
}

class NegativeBackend implements Backend {
  readonly name = "negative";
  answer(question: number): number {
    return -Math.abs(question);
  }
}

/** `backends: Vec<Box<dyn Backend>>`. */
class Service {
  readonly #backends: readonly Backend[];

  constructor(backends: readonly Backend[]) {
    this.#backends = backends;
  }

  answers(question: number): string[] {
    return this.#backends.map((backend) => `${backend.name}: ${backend.answer(question)}`);
  }
}

console.log("by name:");
doSomethingOfType1();
doSomethingOfType2();

console.log("by type parameter:");
const t1: Type1 = useGeneric(new Type1());
const t2: Type2 = useGeneric(new Type2());

console.log("by interface:");
useDynamic(t1);
useDynamic(t2);

console.log("by interface, from a list:");
const service = new Service([
  new PositiveBackend(),
  new NegativeBackend(),
  { name: "doubling", answer: (question) => 2 * question },
]);
for (const answer of service.answers(-21)) console.log(answer);
