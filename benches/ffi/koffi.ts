import koffi from "koffi";
import { CALLS, from, LAST_COPIED, lengths, type Peer, texts, to } from "./cases.ts";

const libc = koffi.load("libc.so.6");

/** koffi, each call in its fastest form. */
export const peer: Peer = {
  abs() {
    const abs = libc.func("int abs(int j)");
    return () => {
      let sum = 0;
      for (let i = -CALLS / 2; i < CALLS / 2; i++) sum += abs(i);
      return sum;
    };
  },
  memcpy() {
    // Addresses made once, as numbers: bigints behind `void *` take a sixth more, typed arrays twice as long.
    const memcpy = libc.func("void memcpy(uint64_t dest, uint64_t src, size_t n)");
    const source = Number(koffi.address(from));
    const target = Number(koffi.address(to));
    return () => {
      to.fill(0);
      for (let i = 0; i < CALLS; i++) memcpy(target, source, lengths[i & 1]);
      return to[LAST_COPIED];
    };
  },
  eight(library) {
    const eight = koffi.load(library).func("int eight(int, int, int, int, int, int, int, int)");
    return () => {
      let sum = 0;
      for (let i = 0; i < CALLS; i++) sum += eight(i, i, i, i, i, i, i, 1);
      return sum;
    };
  },
  sqrt() {
    const sqrt = koffi.load("libm.so.6").func("double sqrt(double x)");
    return () => {
      let sum = 0;
      for (let i = 0; i < CALLS; i++) sum += sqrt(i * i);
      return sum;
    };
  },
  atoi() {
    const atoi = libc.func("int atoi(const uint8_t *nptr)");
    return () => {
      let sum = 0;
      for (let i = 0; i < CALLS; i++) sum += atoi(texts[i & 1]);
      return sum;
    };
  },
};
