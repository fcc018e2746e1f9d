import { describe, it } from "node:test";
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  ah,
  al,
  Assembler,
  broadcast,
  byte,
  type Code,
  dword,
  eax,
  ecx,
  k1,
  ptr,
  r8,
  r8d,
  rax,
  rcx,
  sae,
  spl,
  xmm,
  ymm,
  zmm,
} from "../../lib/jit/mod.ts";

function assembled(write: (a: Assembler) => void): Code {
  const a = new Assembler();
  write(a);
  return a.finish();
}

function bytes(write: (a: Assembler) => void): number[] {
  return [...assembled(write).text];
}

describe("finish", () => {
  it("gives the code so far, again after more", () => {
    const a = new Assembler();
    const start = a.bind(a.label());
    a.nop();
    a.jmp(start);
    assertEquals([...a.finish().text], [0x90, 0xeb, 0xfd]);
    a.data(new Uint8Array(200));
    a.jmp(start);
    const { text } = a.finish();
    assertEquals([...text.subarray(0, 3), text.length], [0x90, 0xeb, 0xfd, 208]);
  });

  it("names the features of every form used and of no other", () => {
    assertEquals(assembled((a) => a.add(rax, 1)).features, new Set());
    assertEquals(assembled((a) => a.vaddps(ymm(0), ymm(1), ymm(2))).features, new Set(["avx"]));
    assertEquals(
      assembled((a) => a.vaddps(ymm(0), ymm(1), ymm(16))).features,
      new Set(["avx512f", "avx512vl"]),
    );
    const a = new Assembler();
    const b = new Assembler();
    a.popcnt(rax, rcx);
    b.popcnt(rax, rcx);
    a.popcnt(rax, rcx);
    b.vpaddd(ymm(0), ymm(0), ymm(0));
    assertEquals(a.finish().features, new Set(["popcnt"]));
    assertEquals(b.finish().features, new Set(["popcnt", "avx2"]));
  });

  it("is of code longer than any buffer begun with", () => {
    assertEquals(
      assembled((a) => {
        for (let i = 0; i < 10_000; i++) a.mov(rax, 0x123456789abcn);
        a.data(new Uint8Array(100_000));
      }).text.length,
      200_000,
    );
  });
});

describe("an instruction", () => {
  it("is refused with operands that no form takes, and says what it takes", () => {
    const a = new Assembler();
    const refused: [mnemonic: string, operands: Parameters<Assembler["emit"]>[1][], message: string][] = [
      ["ret", [rax], "ret does not take (rax); it takes (nothing), (imm16)"],
      ["popcnt", [rax], "popcnt does not take (rax); it takes (r16, r16/m16)"],
      ["vaddps", [zmm(0), rax], "vaddps does not take (zmm0, rax); it takes (xmm, xmm, xmm/m128)"],
      ["syscall", [1], "syscall does not take (1); it takes (nothing)"],
      ["nonsense", [], "there is no instruction nonsense"],
      ["constructor", [], "there is no instruction constructor"],
    ];
    for (const [mnemonic, operands, message] of refused) {
      assertThrows(() => a.emit(mnemonic, ...operands), TypeError, message);
      assertThrows(() => a.emit(mnemonic, ...operands), TypeError, message);
    }
    assertEquals(a.finish().text.length, 0);
  });

  it("is refused with what is no operand, and says which", () => {
    const a = new Assembler();
    const others: [other: unknown, name: string][] = [
      [null, "null"],
      [undefined, "undefined"],
      ["5", '"5"'],
      [true, "true"],
      [Symbol("x"), "Symbol(x)"],
      [{}, "[object Object]"],
      [Object.create(null), "[object Object]"],
      [[rax], "[object Array]"],
      [() => rax, "a function"],
      [rcx.times(4), "rcx*4"],
      [a.constant(Uint8Array.of(1)), "a constant of 1 bytes"],
    ];
    a.mov(rax, 5);
    a.mov(rax, rcx);
    for (const [other, name] of others) {
      const message = `mov does not take (rax, ${name}); it takes (r8/m8, r8), (r16/m16, r16)`;
      // @ts-expect-error: no operand
      assertThrows(() => a.mov(rax, other), TypeError, message);
      // @ts-expect-error: no operand
      assertThrows(() => a.mov(other, rax), TypeError, `mov does not take (${name}, rax); it takes (`);
    }
  });

  it("is refused with more operands than any takes, though their kinds in bits be another's", () => {
    const a = new Assembler();
    a.vrangeps(zmm(0), zmm(1), zmm(2), sae, 1);
    const { length } = a.finish().text;
    // The kinds of seven operands, 5 bits each, fill more than 32.
    const seven = [rax, xmm(0), zmm(3), zmm(4), zmm(5), sae, 1];
    for (const operands of [seven, [zmm(1), ...seven], [...seven.slice(1)], new Array(40).fill(1)]) {
      assertThrows(
        () => a.emit("vrangeps", ...operands),
        TypeError,
        `vrangeps does not take (${operands.join(", ")}); it takes (xmm{kz}, xmm, xmm/m128/b32, imm8)`,
      );
    }
    assertEquals(a.finish().text.length, length);
  });

  it("is refused where memory of no size leaves its own open", () => {
    const a = new Assembler();
    assertThrows(() => a.inc(ptr(rax)), TypeError, "inc does not take ([rax]); it takes (r8/m8)");
    assertThrows(() => a.mov(ptr(rax), 1), TypeError, "say the size");
    assertThrows(() => a.vcvtpd2ps(xmm(0), ptr(rax)), TypeError, "say the size");
    assertThrows(() => a.vcvtpd2ps(xmm(0), broadcast(rax)), TypeError, "say the size");
    a.vcvtpd2ps(xmm(0), broadcast(rax).to(4));
    assertThrows(() => a.vcvtpd2ps(xmm(0), broadcast(rax)), TypeError, "say the size");
    a.inc(dword(rax));
    a.mov(ptr(rax), ecx);
  });

  it("is refused with a broadcast to another number of lanes, and says to how many", () => {
    const a = new Assembler();
    const sixteen = broadcast(rax).to(16);
    assertThrows(
      // @ts-expect-error: 512 bits hold 8 doubles
      () => a.vaddpd(zmm(0), zmm(1), sixteen),
      RangeError,
      "vaddpd does not take (zmm0, zmm1, [rax]{1to16}); it takes (zmm{kz}, zmm, zmm/m512/b64): " +
        "a broadcast goes to 8 lanes here",
    );
    assertThrows(
      // @ts-expect-error: 256 bits hold 4 doubles
      () => a.vcvtpd2ps(xmm(0), sixteen),
      RangeError,
      ": a broadcast goes to 2 or 4 lanes here",
    );
    a.vaddps(zmm(0), zmm(1), sixteen);
  });

  it("is refused with immediates that do not fit", () => {
    const a = new Assembler();
    const big = 2n ** 64n;
    for (const value of [2 ** 31, 2 ** 32 - 1, -(2 ** 31) - 1, big, -big, NaN, Infinity, 1.5, 2n ** 53n]) {
      assertThrows(() => a.add(rax, value), RangeError, `add does not take (rax, ${value})`);
    }
    assertThrows(() => a.add(al, 256), RangeError, "add does not take (al, 256)");
    assertThrows(() => a.add(al, -129), RangeError, "add does not take (al, -129)");
    assertThrows(() => a.add(eax, 2 ** 32), RangeError, "add does not take (eax, 4294967296)");
    assertThrows(() => a.mov(rax, big), RangeError, "mov does not take (rax, 18446744073709551616)");
    assertThrows(() => a.mov(rax, 2 ** 53), RangeError, "mov does not take (rax, 9007199254740992)");
    assertThrows(() => a.mov(rax, -(2n ** 63n) - 1n), RangeError, "mov does not take");
    assertThrows(() => a.shl(rax, 256), RangeError, "shl does not take (rax, 256)");
    assertEquals(a.finish().text.length, 0);
  });

  it("holds any immediate that fits, as a number or a bigint", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }), (value) => {
        const code = bytes((a) => a.mov(rax, value));
        const isShort = value === BigInt.asIntN(32, value) ||
          BigInt.asIntN(64, value) === BigInt.asIntN(32, value);
        const view = new DataView(Uint8Array.from(code).buffer);
        const read = isShort ? BigInt(view.getInt32(3, true)) : view.getBigInt64(2, true);
        assertEquals(code.length, isShort ? 7 : 10);
        assertEquals(read, BigInt.asIntN(64, value));
        const number = Number(value);
        if (Number.isSafeInteger(number)) assertEquals(bytes((a) => a.mov(rax, number)), code);
      }),
    );
  });

  it("is refused with high registers in forms that have none", () => {
    const a = new Assembler();
    assertThrows(
      () => a.vhaddps(xmm(16), xmm(0), xmm(0)),
      RangeError,
      "vhaddps does not take (xmm16, xmm0, xmm0)",
    );
    assertThrows(() => a.addps(xmm(16), xmm(0)), RangeError, "addps does not take (xmm16, xmm0)");
    assertThrows(() => a.vgatherdps(xmm(0), ptr(rax, xmm(16).times(1)), xmm(1)), RangeError, "vgatherdps");
  });

  it("is refused with masks where they do not belong", () => {
    const a = new Assembler();
    const masked = zmm(1).k(k1);
    assertThrows(() => a.emit("vaddps", zmm(0), masked, zmm(2)), RangeError, "(zmm0, zmm1{k1}, zmm2)");
    assertThrows(() => a.emit("vcmpps", k1.k(k1), masked, zmm(2), 0), RangeError, "vcmpps");
    assertThrows(() => a.emit("vhaddps", xmm(0).k(k1), xmm(0), xmm(0)), RangeError, "(xmm0{k1}, xmm0, xmm0)");
    assertThrows(() => a.emit("vmovups", ptr(rax).k(k1), xmm(0).k(k1)), RangeError, "([rax]{k1}, xmm0{k1})");
    assertThrows(() => a.emit("vpgatherdd", zmm(0), ptr(rax, zmm(1).times(4))), RangeError, "zmm{k!}");
    assertThrows(() => a.emit("mov", ptr(rax).k(k1), eax), RangeError, "mov does not take ([rax]{k1}, eax)");
    assertThrows(
      () => a.emit("blendvps", xmm(1), xmm(2), xmm(0).k(k1)),
      RangeError,
      "blendvps does not take (xmm1, xmm2, xmm0{k1}); it takes (xmm, xmm/m128, xmm0)",
    );
  });

  it("is refused where a gather's registers are not distinct", () => {
    const a = new Assembler();
    assertThrows(
      () => a.vgatherdps(ymm(1), ptr(rax, ymm(2).times(4)), ymm(1)),
      RangeError,
      "vgatherdps ymm1, [rax+ymm2*4], ymm1: destination, index and mask must be different registers",
    );
    assertThrows(
      () => a.vpgatherdd(zmm(1).k(k1), ptr(rax, zmm(1).times(4))),
      RangeError,
      "must be different",
    );
    a.vpscatterdd(ptr(rax, zmm(1).times(4)).k(k1), zmm(1));
  });

  it("leaves nothing behind where it is refused", () => {
    const a = new Assembler();
    a.nop();
    assertThrows(() => a.emit("mov", ah, spl), RangeError, "ah cannot stand beside what needs a REX prefix");
    assertThrows(() => a.emit("mov", spl, ah), RangeError, "ah cannot stand beside what needs a REX prefix");
    assertThrows(() => a.mov(byte(r8), ah), RangeError, "ah cannot stand");
    assertThrows(() => a.movzx(r8d, ah), RangeError, "ah cannot stand");
    assertThrows(() => a.crc32(r8d, ah), RangeError, "ah cannot stand");
    assertEquals([...a.finish().text], [0x90]);
    assert(a.finish().features.size === 0);
  });
});
