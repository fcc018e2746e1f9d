/** The most places that a slab has: 2²⁶, half a gigabyte of them. Hosts abort where an array grows past twice that. */
export const PLACES: number = 2 ** 26;

/**
 * What slabs throw. In an object, since V8 leaves its optimized code where it meets a property that was never read,
 * and so keeps no register for it; for a function that was never called it prepares the call, at a fifth of the time
 * of a removal and an insertion.
 */
export const refusals = {
  key(key: number): RangeError {
    return new RangeError(`invalid key ${key}: the slab has no value under it`);
  },
  places(places: number): RangeError {
    return new RangeError(`a slab cannot have ${places} places: ${PLACES} are the most`);
  },
  undefinedValue(): TypeError {
    return new TypeError("a slab cannot hold undefined, by which it marks its vacant places: use null");
  },
};
