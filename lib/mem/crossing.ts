/**
 * What goes to another thread by reference: instead of a copy of the object goes plain data that names what it stands
 * for, and the other thread makes an object of its own from that, over the same memory. The data owns what it names,
 * such as a descriptor, so that the sender may dispose its object at once, and even end: whoever has the data takes it
 * or drops it, once.
 *
 * A class registers what it does where it is defined.
 */

/** A class, though its constructor may be private. */
// deno-lint-ignore ban-types -- Private constructors have no type of their own.
export type CrossingClass<T> = Function & { readonly prototype: T };

/** How the objects of a class cross, as data of the type `D`. */
export interface Crossing<T extends object, D> {
  /** By which a message names it: the same in all threads. */
  readonly name: string;
  readonly type: CrossingClass<T>;
  /**
   * The data, which may have other objects that cross in it: of these an error of this one's has to leave none behind.
   * What it has acquired where it throws, it gives back.
   */
  give(value: T): D;
  /** Whether it is such data, by its shape. */
  isData(data: unknown): data is D;
  /** Makes the other thread's object, and owns what the data does, or gives it back where it throws. */
  take(data: D): object;
  /** Gives back what the data itself owns: not what others in it do. */
  drop(data: D): void;
}

/** A crossing, of whatever class. */
export interface AnyCrossing {
  readonly name: string;
  give(value: object): unknown;
  take(data: unknown): object;
  drop(data: unknown): void;
}

/** Whether a module was loaded whose class crosses, and does not register itself. */
let isWanted = false;

/** Such a module's own. */
export function wantCrossings(): void {
  isWanted = true;
}

export function areCrossingsWanted(): boolean {
  return isWanted;
}

const byPrototype: Map<object, AnyCrossing> = new Map();
const byName: Map<string, AnyCrossing> = new Map();

function isInstance<T>(value: object, type: CrossingClass<T>): value is T & object {
  return value instanceof type;
}

/** Lets the objects of a class cross, and of those derived from it. Throws where the name is another's. */
export function registerCrossing<T extends object, D>(crossing: Crossing<T, D>): void {
  const { name, type } = crossing;
  if (byName.has(name)) throw new Error(`cannot register a crossing: there is one called ${name}`);
  const any: AnyCrossing = {
    name,
    give(value) {
      if (!isInstance(value, type)) throw new TypeError(`cannot send a ${name}: it is none`);
      return crossing.give(value);
    },
    take(data) {
      if (!crossing.isData(data)) {
        throw new TypeError(`cannot receive a ${name}: its data are of another version`);
      }
      return crossing.take(data);
    },
    drop(data) {
      if (crossing.isData(data)) crossing.drop(data);
    },
  };
  byName.set(name, any);
  byPrototype.set(type.prototype, any);
}

/** How the object crosses, or undefined where it is to be copied. */
export function crossingOf(value: object): AnyCrossing | undefined {
  for (let at: object | null = Object.getPrototypeOf(value); at !== null; at = Object.getPrototypeOf(at)) {
    const found = byPrototype.get(at);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The one that a message names. Throws where this thread has not loaded its class. */
export function crossingNamed(name: string): AnyCrossing {
  const found = byName.get(name);
  if (found !== undefined) return found;
  throw new Error(`cannot receive a ${name}: import its module where it is received`);
}
