import { describe, it } from "node:test";
import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import {
  Assembler,
  broadcast,
  byte,
  dword,
  eax,
  k0,
  k1,
  k2,
  ptr,
  qword,
  r12,
  rax,
  rcx,
  rdx,
  rsi,
  rsp,
  symbol,
  word,
  xmm,
  xmmword,
  ymm,
  ymmword,
  zmm,
  zmmword,
} from "../../lib/jit/mod.ts";

describe("a register", () => {
  it("is one value for each number", () => {
    assertStrictEquals(zmm(31), zmm(31));
    assertEquals([xmm(0), ymm(15), zmm(31)].map(String), ["xmm0", "ymm15", "zmm31"]);
    for (const index of [-1, 32, 1.5, NaN]) {
      assertThrows(() => zmm(index), RangeError, `there is no register zmm${index}`);
    }
    // @ts-expect-error: no number
    assertThrows(() => xmm("length"), RangeError, "there is no register xmmlength");
  });

  it("takes a mask that is not k0", () => {
    assertEquals([zmm(1).k(k1), zmm(1).z(k2), k1.k(k2), ptr(rax).k(k1)].map(String), [
      "zmm1{k1}",
      "zmm1{k2}{z}",
      "k1{k2}",
      "[rax]{k1}",
    ]);
    assertThrows(() => zmm(1).k(k0), RangeError, "k0 cannot mask");
    assertThrows(() => zmm(1).z(k0), RangeError, "k0 cannot mask");
    assertThrows(() => k1.k(k0), RangeError, "k0 cannot mask");
    assertThrows(() => ptr(rax).k(k0), RangeError, "k0 cannot mask");
  });

  it("takes one mask, and no other thing for one", () => {
    const masked = zmm(1).k(k1);
    // @ts-expect-error: under a mask already
    assertThrows(() => masked.z(k2), TypeError, "zmm1{k1} is under a mask already: it takes no k2");
    // @ts-expect-error: under a mask already
    assertThrows(() => k1.k(k2).k(k2), TypeError, "k1{k2} is under a mask already");
    // @ts-expect-error: under a mask already
    assertThrows(() => ptr(rax).k(k1).k(k2), TypeError, "[rax]{k1} is under a mask already");
    // @ts-expect-error: a mask that is under a mask
    assertThrows(() => zmm(1).k(k1.k(k2)), TypeError, "masked by one of k1 to k7, and not by k1{k2}");
    // @ts-expect-error: no mask
    assertThrows(() => zmm(1).k(null), TypeError, "masked by one of k1 to k7, and not by null");
    // @ts-expect-error: no mask
    assertThrows(() => ptr(rax).k(rax), TypeError, "masked by one of k1 to k7, and not by rax");
    // @ts-expect-error: a mask would be lost
    assertThrows(() => masked.times(4), TypeError, "an index is under no mask, and this is zmm1{k1}");
  });

  it("is an index at a scale, but for rsp", () => {
    assertEquals([rcx.times(1), zmm(1).times(8)].map(String), ["rcx*1", "zmm1*8"]);
    assertThrows(() => rsp.times(1), RangeError, "rsp cannot be an index");
    // @ts-expect-error: no such scale
    assertThrows(() => rcx.times(3), RangeError, "a scale is 1, 2, 4 or 8, and not 3");
  });
});

describe("an address", () => {
  it("is the sum of its terms", () => {
    assertEquals(
      [
        ptr(rsi),
        ptr(rsi, rcx.times(4), 64),
        ptr(rcx.times(8), -1),
        ptr(16),
        ptr(0),
        ptr(rsi, 8, 8),
        ptr(rsi, rcx),
        ptr(rsi, zmm(2).times(4)),
        ptr(symbol("environ"), 8),
        dword(rax).fs(),
        ptr(0).gs(),
        broadcast(rax),
        broadcast(rax).to(8),
        byte(rax),
        word(rax),
        qword(rax),
        xmmword(rax),
        ymmword(rax),
        zmmword(rax),
      ].map(String),
      [
        "[rsi]",
        "[rsi+rcx*4+0x40]",
        "[rcx*8-0x1]",
        "[0x10]",
        "[0x0]",
        "[rsi+0x10]",
        "[rsi+rcx*1]",
        "[rsi+zmm2*4]",
        "[rip+environ+0x8]",
        "dword ptr fs:[rax]",
        "gs:[0x0]",
        "[rax]{1toN}",
        "[rax]{1to8}",
        "byte ptr [rax]",
        "word ptr [rax]",
        "qword ptr [rax]",
        "xmmword ptr [rax]",
        "ymmword ptr [rax]",
        "zmmword ptr [rax]",
      ],
    );
  });

  it("is broadcast to lanes once, and is of one segment", () => {
    // @ts-expect-error: no broadcast
    assertThrows(() => dword(rax).to(8), TypeError, "and once: this is dword ptr [rax]");
    // @ts-expect-error: a mask would be lost
    assertThrows(() => broadcast(rax).k(k1).to(8), TypeError, "and once: this is [rax]{1toN}{k1}");
    // @ts-expect-error: said already
    assertThrows(() => broadcast(rax).to(4).to(8), TypeError, "and once: this is [rax]{1to4}");
    // @ts-expect-error: no such number of lanes
    assertThrows(() => broadcast(rax).to(3), RangeError, "2, 4, 8 or 16 lanes, and not to 3");
    assertThrows(() => ptr(rax).fs().gs(), TypeError, "fs:[rax] is relative to a segment already");
    assertEquals([broadcast(rax).fs().to(4), broadcast(rax).to(4).fs()].map(String), [
      "fs:[rax]{1to4}",
      "fs:[rax]{1to4}",
    ]);
  });

  it("takes rsp as its base wherever it stands", () => {
    assertEquals([ptr(rax, rsp), ptr(rsp, rax)].map(String), ["[rsp+rax*1]", "[rsp+rax*1]"]);
    assertThrows(() => ptr(rsp, rsp), RangeError, "rsp cannot be an index");
    assertThrows(() => ptr(rax, rcx.times(2), rsp), TypeError, "rsp would be the third");
  });

  it("is refused where it is none", () => {
    assertThrows(() => ptr(rax, rcx, rdx), TypeError, "rdx would be the third");
    assertThrows(
      () => ptr(rax, rcx.times(2), r12.times(2)),
      TypeError,
      "an address has one index: rcx*2 or r12*2",
    );
    assertThrows(() => ptr(rax, 2 ** 31), RangeError, "the displacement 2147483648 does not fit 32 bits");
    assertThrows(
      () => ptr(rax, -(2 ** 31) - 1),
      RangeError,
      "the displacement -2147483649 does not fit 32 bits",
    );
    assertThrows(() => ptr(2 ** 31 - 1, 1), RangeError, "the displacement 2147483648 does not fit 32 bits");
    assertThrows(() => ptr(rax, 0.5), RangeError, "the displacement 0.5 is no integer");
    assertThrows(() => ptr(rax, NaN), RangeError, "the displacement NaN is no integer");
    const label = new Assembler().label("here");
    assertThrows(() => ptr(label, rax), TypeError, "here is relative to rip and takes no register beside it");
    assertThrows(
      () => ptr(label, symbol("there")),
      TypeError,
      "an address is relative to here or there, not both",
    );
    // @ts-expect-error: registers of 64 bits alone
    assertThrows(() => ptr(eax), TypeError, "an address takes registers of 64 bits, and eax is none");
    // @ts-expect-error: no term
    assertThrows(() => ptr("rax"), TypeError, '"rax" is no term of an address');
    // @ts-expect-error: no term
    assertThrows(() => ptr(rax, null), TypeError, "null is no term of an address");
    // @ts-expect-error: no term
    assertThrows(() => ptr(rax, 8n), TypeError, "8 is no term of an address");
    // @ts-expect-error: a vector is an index with a scale alone
    assertThrows(() => ptr(rax, zmm(1)), TypeError, "zmm1 is no term of an address");
  });
});

describe("the tables", () => {
  it("have no mnemonic that is a method of the assembler", () => {
    const a = new Assembler();
    const own = ["label", "bind", "align", "data", "distance", "constant", "emit", "finish"] as const;
    for (const name of own) assertThrows(() => a.emit(name), TypeError, `there is no instruction ${name}`);
  });
});
