/** The codec by itself: what is written is read again, in this thread. */
import { Decoder } from "../../../../lib/task/pool/payload/decode.ts";
import { Encoder } from "../../../../lib/task/pool/payload/encode.ts";

function refuse(): never {
  throw new Error("no memory is shared here");
}

const encoder = new Encoder({ nameOf: refuse });
const decoder = new Decoder({ named: refuse });

/** The values as another thread would have them. */
export function cloneAll(values: readonly unknown[]): unknown[] {
  const { buffers, out } = encoder;
  try {
    encoder.write(values, (index) => `argument ${index + 1}`);
    encoder.send();
    const own = out.length;
    const bytes = new Uint8Array(own + buffers.byteLength);
    bytes.set(out.bytes.subarray(out.start, out.at));
    buffers.copyTo(bytes, own);
    return decoder.read({ bytes, view: new DataView(bytes.buffer) }, 0, buffers.isEmpty ? 0 : own);
  } finally {
    out.end();
    buffers.clear();
  }
}

export function clone(value: unknown): unknown {
  return cloneAll([value])[0];
}

/** What is refused of it, as the error says it. */
export function refusal(...values: unknown[]): string {
  try {
    cloneAll(values);
  } catch (error) {
    if (error instanceof DOMException && error.name === "DataCloneError") return error.message;
    throw error;
  }
  throw new Error("nothing was refused");
}
