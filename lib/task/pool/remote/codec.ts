import { deserialize, serialize } from "node:v8";
import { requireBytes } from "../../../io/arguments.ts";

const MOST = 2 ** 30;

/** How messages become bytes. */
export interface Codec<T> {
  /** The bytes own what they name, such as maps. Throws where the message cannot be sent. */
  encode(message: T): Uint8Array;
  /** The message, and what the bytes own. They are somebody else's afterwards. */
  decode(bytes: Uint8Array): T;
  /** Gives up what the bytes own. */
  discard(bytes: Uint8Array): void;
}

/** Structured clones. */
export function values<T>(): Codec<T>;
export function values(): Codec<unknown> {
  return {
    encode(message) {
      return checkedLength(serialize(message));
    },
    decode(bytes) {
      return deserialize(bytes.slice());
    },
    discard() {},
  };
}

/** Bytes as they are. */
export const plainBytes: Codec<Uint8Array> = {
  encode(message) {
    requireBytes("cannot send", "message", message);
    return checkedLength(message);
  },
  decode(bytes) {
    return bytes.slice();
  },
  discard() {},
};

function checkedLength(bytes: Uint8Array): Uint8Array {
  if (bytes.length <= MOST) return bytes;
  throw new RangeError(`cannot send: the message has ${bytes.length} bytes, and may have ${MOST}`);
}
