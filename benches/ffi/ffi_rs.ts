import { Buffer } from "node:buffer";
import ffi from "ffi-rs";
import { CALLS, from, LAST_COPIED, lengths, type Peer, texts, to } from "./cases.ts";

const { createPointer, DataType, define, open, unwrapPointer } = ffi;
const { Double, External, I32, U64, U8Array, Void } = DataType;

open({ library: "libc", path: "libc.so.6" });

/** ffi-rs, each call in its fastest form. */
export const peer: Peer = {
  abs() {
    const { abs } = define({ abs: { library: "libc", retType: I32, paramsType: [I32] } });
    return () => {
      let sum = 0;
      for (let i = -CALLS / 2; i < CALLS / 2; i++) sum += abs([i]);
      return sum;
    };
  },
  memcpy() {
    // Addresses made once: buffers take twice as long.
    const paramsType = [External, External, U64];
    const { memcpy } = define({ memcpy: { library: "libc", retType: Void, paramsType } });
    const [target, source] = unwrapPointer(createPointer({
      paramsType: [U8Array, U8Array],
      paramsValue: [Buffer.from(to.buffer), Buffer.from(from.buffer)],
    }));
    return () => {
      to.fill(0);
      for (let i = 0; i < CALLS; i++) memcpy([target, source, lengths[i & 1]]);
      return to[LAST_COPIED];
    };
  },
  eight(library) {
    open({ library: "eight", path: library });
    const paramsType = [I32, I32, I32, I32, I32, I32, I32, I32];
    const { eight } = define({ eight: { library: "eight", retType: I32, paramsType } });
    return () => {
      let sum = 0;
      for (let i = 0; i < CALLS; i++) sum += eight([i, i, i, i, i, i, i, 1]);
      return sum;
    };
  },
  sqrt() {
    open({ library: "libm", path: "libm.so.6" });
    const { sqrt } = define({ sqrt: { library: "libm", retType: Double, paramsType: [Double] } });
    return () => {
      let sum = 0;
      for (let i = 0; i < CALLS; i++) sum += sqrt([i * i]);
      return sum;
    };
  },
  atoi() {
    const { atoi } = define({ atoi: { library: "libc", retType: I32, paramsType: [U8Array] } });
    const buffers = texts.map((text) => Buffer.from(text.buffer));
    return () => {
      let sum = 0;
      for (let i = 0; i < CALLS; i++) sum += atoi([buffers[i & 1]]);
      return sum;
    };
  },
};
