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
  type Label,
  ptr,
  r8,
  r8d,
  rax,
  rcx,
  spl,
  symbol,
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

describe("a label", () => {
  it("is jumped to before and after it is bound, by the short form where that reaches", () => {
    assertEquals(
      bytes((a) => {
        const loop = a.bind(a.label());
        const end = a.label();
        a.jz(end);
        a.jmp(loop);
        a.bind(end);
      }),
      [0x74, 0x02, 0xeb, 0xfc],
    );
  });

  it("is reached by the near form one byte further", () => {
    const jump = (distance: number) =>
      assembled((a) => {
        const end = a.label();
        a.jmp(end);
        a.data(new Uint8Array(distance));
        a.bind(end);
      }).text.length - distance;
    assertEquals([jump(127), jump(128)], [2, 5]);
    const back = (distance: number) =>
      assembled((a) => {
        const start = a.bind(a.label());
        a.data(new Uint8Array(distance));
        a.jnz(start);
      }).text.length - distance;
    assertEquals([back(126), back(127)], [2, 6]);
  });

  it("grows all jumps of a chain of which each stretches the one before", () => {
    const CHAIN = 300;
    const { text } = assembled((a) => {
      const labels = Array.from({ length: CHAIN }, () => a.label());
      for (let i = 0; i < CHAIN; i++) {
        a.jmp(labels[i]);
        if (i >= 60) a.bind(labels[i - 60]);
      }
      a.data(new Uint8Array(200));
      for (let i = CHAIN - 60; i < CHAIN; i++) a.bind(labels[i]);
    });
    assertEquals(text.length, 5 * CHAIN + 200);
  });

  it("is an address relative to rip", () => {
    assertEquals(
      bytes((a) => {
        const table = a.label();
        a.lea(rax, ptr(table, 1));
        a.ret();
        a.bind(table);
      }),
      [0x48, 0x8d, 0x05, 2, 0, 0, 0, 0xc3],
    );
  });

  it("makes tables of distances", () => {
    assertEquals(
      bytes((a) => {
        const table = a.bind(a.label());
        const end = a.label();
        a.distance(table, end);
        a.distance(end, table);
        a.bind(end);
      }),
      [8, 0, 0, 0, 0xf8, 0xff, 0xff, 0xff],
    );
  });

  it("is refused where it is bound twice, nowhere, or in another assembler", () => {
    const a = new Assembler();
    const loop = a.bind(a.label("loop"));
    assertThrows(() => a.bind(loop), Error, "loop is bound already");
    a.jmp(a.label("done"));
    assertThrows(() => a.finish(), Error, "done is jumped to or read, and bound nowhere");
    const b = new Assembler();
    assertThrows(() => b.bind(loop), TypeError, "loop is of another assembler");
    assertThrows(() => b.jmp(loop), TypeError, "loop is of another assembler");
    assertThrows(() => b.distance(loop, loop), TypeError, "loop is of another assembler");
    b.lea(rax, ptr(loop));
    assertThrows(() => b.finish(), TypeError, "loop is of another assembler");
  });

  it("is refused where it is bound nowhere, whatever refers to it", () => {
    const uses: ((a: Assembler, label: Label) => void)[] = [
      (a, label) => a.call(label),
      (a, label) => a.jrcxz(label),
      (a, label) => a.lea(rax, ptr(label)),
      (a, label) => a.distance(label, label),
    ];
    for (const use of uses) {
      assertThrows(() => assembled((a) => use(a, a.label("gone"))), Error, "gone is jumped to or read");
    }
  });

  it("is refused where a jump that is short alone does not reach it", () => {
    const jump = (distance: number) =>
      assembled((a) => {
        const end = a.label("end");
        a.jrcxz(end);
        a.data(new Uint8Array(distance));
        a.bind(end);
      });
    assertEquals(jump(127).text[1], 127);
    assertThrows(() => jump(128), RangeError, "end is 128 bytes away");
  });
});

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

describe("a constant", () => {
  it("lies beside the code, aligned, and is referred to from the end of the instruction", () => {
    const { text, rodata, relocations } = assembled((a) => {
      const one = a.constant(Uint8Array.of(1, 2, 3), 1);
      const two = a.constant(Float32Array.of(1, -2), 16);
      a.vmovups(xmm(0), ptr(two, 4));
      a.cmp(byte(one), 7);
    });
    assertEquals([...rodata], [1, 2, 3, ...new Array(13).fill(0), 0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0]);
    assertEquals([...text], [0xc5, 0xf8, 0x10, 0x05, 0, 0, 0, 0, 0x80, 0x3d, 0, 0, 0, 0, 7]);
    assertEquals(relocations, [
      { kind: "rodata", offset: 4, addend: 16 },
      { kind: "rodata", offset: 10, addend: -5 },
    ]);
  });

  it("is a copy", () => {
    const a = new Assembler();
    const bytes = Uint8Array.of(1);
    a.constant(bytes);
    bytes[0] = 2;
    assertEquals([...a.finish().rodata], [1]);
  });

  it("is the bytes of its view alone", () => {
    const a = new Assembler();
    a.constant(Uint8Array.of(1, 2, 3, 4).subarray(1, 3));
    a.data(Uint8Array.of(1, 2, 3, 4).subarray(2));
    const { rodata, text } = a.finish();
    assertEquals([[...rodata], [...text]], [[2, 3], [3, 4]]);
  });

  it("is refused in another assembler, or at an alignment that is none", () => {
    const a = new Assembler();
    const one = a.constant(Uint8Array.of(1));
    const b = new Assembler();
    b.lea(rax, ptr(one));
    assertThrows(() => b.finish(), TypeError, "a constant of 1 bytes is of another assembler");
    for (const alignment of [0, 3, 128, -1, NaN, 1.5]) {
      assertThrows(
        () => a.constant(Uint8Array.of(1), alignment),
        RangeError,
        "an alignment is a power of two",
      );
      assertThrows(() => a.align(alignment), RangeError, "an alignment is a power of two");
    }
  });
});

describe("a library's symbol", () => {
  it("is called and read by way of a slot that holds its address", () => {
    const { text, relocations } = assembled((a) => {
      a.call(symbol("memcpy"));
      a.mov(rax, ptr(symbol("environ", "libc.so.6")));
      a.jmp(symbol("free"));
    });
    assertEquals([...text], [
      ...[0xff, 0x15, 0, 0, 0, 0],
      ...[0x48, 0x8b, 0x05, 0, 0, 0, 0],
      ...[0xff, 0x25, 0, 0, 0, 0],
    ]);
    assertEquals(relocations, [
      { kind: "symbol", offset: 2, addend: -4, name: "memcpy", library: undefined },
      { kind: "symbol", offset: 9, addend: -4, name: "environ", library: "libc.so.6" },
      { kind: "symbol", offset: 15, addend: -4, name: "free", library: undefined },
    ]);
    assertThrows(() => symbol(""), TypeError, "a symbol has a name");
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
