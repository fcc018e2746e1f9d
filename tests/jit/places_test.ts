import { describe, it } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { Assembler, byte, type Code, type Label, ptr, rax, symbol, xmm } from "../../lib/jit/mod.ts";

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

  it("is refused where it is none", () => {
    const a = new Assembler();
    const label = a.label();
    const others: [other: unknown, name: string][] = [
      [undefined, "undefined"],
      [null, "null"],
      ["end", '"end"'],
      [a.constant(Uint8Array.of(1)), "a constant of 1 bytes"],
    ];
    for (const [other, name] of others) {
      // @ts-expect-error: no label
      assertThrows(() => a.bind(other), TypeError, `bind takes labels, and not ${name}`);
      // @ts-expect-error: no label
      assertThrows(() => a.distance(other, label), TypeError, `distance takes labels, and not ${name}`);
      // @ts-expect-error: no label
      assertThrows(() => a.distance(label, other), TypeError, `distance takes labels, and not ${name}`);
      // @ts-expect-error: no label
      assertThrows(() => a.jmp(other), TypeError, `jmp does not take (${name}); it takes (rel8), (rel32)`);
    }
    assertEquals(a.finish().text.length, 0);
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

describe("an address relative to rip", () => {
  const HIGHEST = 2 ** 31 - 1;
  const LOWEST = -(2 ** 31);

  /** What its field holds. */
  function field(write: (a: Assembler) => void): number {
    const { text, relocations } = assembled(write);
    assertEquals(relocations, []);
    return new DataView(text.buffer).getInt32(text.indexOf(0x05) + 1, true);
  }

  it("is refused where its distance does not fit 32 bits, and goes as far as they do", () => {
    const forward = (displacement: number) =>
      field((a) => {
        const end = a.label("end");
        a.lea(rax, ptr(end, displacement));
        a.data(new Uint8Array(100));
        a.bind(end);
      });
    assertEquals(forward(HIGHEST - 100), HIGHEST);
    assertThrows(
      () => forward(HIGHEST - 99),
      RangeError,
      "end with its displacement is 2147483648 bytes away",
    );
    assertThrows(() => forward(HIGHEST), RangeError, "end with its displacement is 2147483747 bytes away");
    const back = (displacement: number) =>
      field((a) => {
        const start = a.bind(a.label("start"));
        a.lea(rax, ptr(start, displacement));
      });
    assertEquals(back(LOWEST + 7), LOWEST);
    assertThrows(() => back(LOWEST + 6), RangeError, "start with its displacement is -2147483649 bytes away");
    assertThrows(() => back(LOWEST), RangeError, "rip reaches -2147483648 to 2147483647 alone");
  });

  it("is refused where a constant's or a symbol's addend does not fit", () => {
    const ofConstant = (displacement: number) =>
      assembled((a) => {
        a.constant(new Uint8Array(100));
        a.cmp(byte(a.constant(Uint8Array.of(1), 1), displacement), 7);
      }).relocations[0].addend;
    assertEquals([ofConstant(HIGHEST - 95), ofConstant(LOWEST)], [HIGHEST, LOWEST + 95]);
    assertThrows(
      () => ofConstant(HIGHEST - 94),
      RangeError,
      "a constant of 1 bytes with its displacement is 2147483648 bytes away",
    );
    const ofSymbol = (displacement: number) =>
      assembled((a) => a.mov(rax, ptr(symbol("environ"), displacement))).relocations[0].addend;
    assertEquals([ofSymbol(HIGHEST), ofSymbol(LOWEST + 4)], [HIGHEST - 4, LOWEST]);
    assertThrows(
      () => ofSymbol(LOWEST + 3),
      RangeError,
      "environ with its displacement is -2147483649 bytes away",
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

  it("is a whole ArrayBuffer, as data are", () => {
    const a = new Assembler();
    const buffer = Uint8Array.of(1, 2, 3, 4).buffer;
    const { byteOffset, byteLength } = a.constant(buffer, 1);
    a.data(buffer);
    a.constant(Uint8Array.of(5), 1);
    const { rodata, text } = a.finish();
    assertEquals([byteOffset, byteLength], [0, 4]);
    assertEquals([[...rodata], [...text]], [[1, 2, 3, 4, 5], [1, 2, 3, 4]]);
  });

  it("is a copy of shared memory through a view", () => {
    const a = new Assembler();
    const bytes = new Uint8Array(new SharedArrayBuffer(2));
    bytes[1] = 7;
    a.constant(bytes);
    bytes[1] = 8;
    assertEquals([...a.finish().rodata], [0, 7]);
  });

  it("is refused where it is no bytes, and leaves nothing behind", () => {
    const a = new Assembler();
    const refused: [bytes: unknown, name: string][] = [
      [[1, 2, 3], "[object Array]"],
      ["abc", '"abc"'],
      [undefined, "undefined"],
      [null, "null"],
      [1.5, "1.5"],
      [rax, "rax"],
      [{ byteLength: 4 }, "[object Object]"],
      [() => 0, "a function"],
      [new SharedArrayBuffer(8), "[object SharedArrayBuffer]"],
    ];
    for (const [bytes, name] of refused) {
      const message = `bytes must be a view or an ArrayBuffer, and not ${name}`;
      // @ts-expect-error: no bytes
      assertThrows(() => a.constant(bytes), TypeError, message);
      // @ts-expect-error: no bytes
      assertThrows(() => a.data(bytes), TypeError, message);
    }
    const { byteOffset } = a.constant(Uint8Array.of(1));
    assertEquals([byteOffset, a.finish().rodata.length, a.finish().text.length], [0, 1, 0]);
  });

  it("is refused in another assembler, or at an alignment that is none", () => {
    const a = new Assembler();
    const one = a.constant(Uint8Array.of(1));
    const b = new Assembler();
    b.lea(rax, ptr(one));
    assertThrows(() => b.finish(), TypeError, "a constant of 1 bytes is of another assembler");
    for (const alignment of [0, 3, 128, -1, NaN, 1.5, 2 ** 31, 2 ** 32, Infinity]) {
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
    assertThrows(() => symbol(""), TypeError, 'a symbol has a name, and not ""');
    // @ts-expect-error: no name
    assertThrows(() => symbol(), TypeError, "a symbol has a name, and not undefined");
  });
});
