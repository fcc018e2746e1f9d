import { describe, it } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { AF_INET, AF_INET6, SocketAddress } from "../../../ffi/layout/socket_address.ts";
import { cString, dlopen } from "../../../ffi/mod.ts";
import { tiered } from "../../tier.ts";

const RUNS = tiered({ quick: 1000, full: 20_000, soak: 1_000_000 });

const { symbols: libc } = dlopen(["libc.so.6"], {
  inet_pton: {
    parameters: [/* int af */ "i32", /* const char *src */ "buffer", /* void *dst */ "buffer"],
    result: "i32",
  },
  inet_ntop: {
    parameters: [
      /* int af */ "i32",
      /* const void *src */ "buffer",
      /* char *dst */ "buffer",
      /* socklen_t size */ "u32",
    ],
    result: "pointer",
  },
});

/** The 4 or 16 bytes that inet_pton(3) makes of the text, or `undefined`. */
function parsedByC(text: string): number[] | undefined {
  const bytes = new Uint8Array(16);
  if (libc.inet_pton(AF_INET, cString(text), bytes) === 1) return [...bytes.subarray(0, 4)];
  return libc.inet_pton(AF_INET6, cString(text), bytes) === 1 ? [...bytes] : undefined;
}

function parsedByUs(text: string): number[] | undefined {
  let address: SocketAddress;
  try {
    address = SocketAddress.of(text, 0);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
  return [...(address.family === AF_INET ? address.bytes.subarray(4, 8) : address.bytes.subarray(8, 24))];
}

function formattedByC(bytes: Uint8Array): string {
  const text = new Uint8Array(64);
  libc.inet_ntop(bytes.length === 4 ? AF_INET : AF_INET6, new Uint8Array(bytes), text, text.length);
  return new TextDecoder().decode(text.subarray(0, text.indexOf(0)));
}

function formattedByUs(bytes: Uint8Array): string {
  const address = SocketAddress.of(bytes.length === 4 ? "0.0.0.0" : "::", 0);
  address.bytes.set(bytes, bytes.length === 4 ? 4 : 8);
  return address.hostname;
}

describe("SocketAddress", () => {
  it("takes what inet_pton takes, and refuses what it refuses", () => {
    const texts = [
      ...["0.0.0.0", "255.255.255.255", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.04", "1..2.3"],
      ...[
        "",
        ".",
        ":",
        "::",
        ":::",
        "::1",
        "1::",
        "1::2",
        "1::2::3",
        "::1::",
        "1:2:3:4:5:6:7:8",
        "1:2:3:4:5:6:7",
      ],
      ...["1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "1::3:4:5:6:7:8", "1:2:3:4::5:6:7:8"],
      ...[
        "::1.2.3.4",
        "::ffff:1.2.3.4",
        "1.2.3.4::",
        "1.2.3.4::1",
        "1:2:3:4:5:6:1.2.3.4",
        "1:2:3:4:5:6:7:1.2.3.4",
      ],
      ...[
        "::1.2.3.256",
        "::1.2.3",
        "1.2.3.4:1::",
        "::1.2.3.4:1",
        "::00001",
        "::g",
        "::FFFF:abcd",
        "fe80::1%",
      ],
      ...[" 1.2.3.4", "1.2.3.4 ", "1.2.3.4\n", "+1.2.3.4", "1.2.3.-4", "0x1.2.3.4", "1.2.3.4e0", "localhost"],
      ...["[::1]", "١.٢.٣.٤", "１.2.3.4", ":1", "1:", ":1:2:3:4:5:6:7", "1:2:3:4:5:6:7:"],
    ];
    for (const text of texts) {
      assertEquals({ text, bytes: parsedByUs(text) }, { text, bytes: parsedByC(text) });
    }
  });

  it("takes what inet_pton takes, whatever the pieces", () => {
    const piece = fc.constantFrom(
      "::",
      ":",
      ":",
      "1",
      "0",
      "00",
      "ffff",
      "ABCD",
      "12345",
      ".",
      "1.2.3.4",
      "255",
      "g",
    );
    const text = fc.array(piece, { maxLength: 20 }).map((pieces) => pieces.join(""));
    fc.assert(
      fc.property(text, (text) => assertEquals(parsedByUs(text), parsedByC(text))),
      { numRuns: RUNS },
    );
  });

  it("takes every IPv6 address in every spelling of its groups", () => {
    const group = fc.tuple(fc.constantFrom(0, 0, 1, 0xffff, 0xabc), fc.boolean(), fc.boolean()).map(
      ([value, pad, upper]) => {
        const text = value.toString(16).padStart(pad ? 4 : 1, "0");
        return upper ? text.toUpperCase() : text;
      },
    );
    const count = fc.integer({ min: 1, max: 9 });
    const text = count.chain((n) =>
      fc.tuple(fc.array(group, { minLength: n, maxLength: n }), fc.nat(n), fc.boolean())
    ).map(([groups, at, gap]) =>
      gap ? `${groups.slice(0, at).join(":")}::${groups.slice(at).join(":")}` : groups.join(":")
    );
    fc.assert(
      fc.property(text, (text) => assertEquals(parsedByUs(text), parsedByC(text))),
      { numRuns: RUNS },
    );
  });

  it("tells an IPv4 address as inet_ntop does, and reads it back", () => {
    fc.assert(fc.property(fc.uint8Array({ minLength: 4, maxLength: 4 }), (bytes) => {
      assertEquals(formattedByUs(bytes), formattedByC(bytes));
      assertEquals(parsedByUs(formattedByUs(bytes)), [...bytes]);
    }));
  });

  it("tells an IPv6 address as inet_ntop does, and reads it back", () => {
    const byte = fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.constant(0xff), fc.nat(255));
    const pair = fc.oneof(fc.constant([0, 0]), fc.tuple(byte, byte));
    const address = fc.array(pair, { minLength: 8, maxLength: 8 }).map((pairs) =>
      Uint8Array.from(pairs.flat())
    );
    fc.assert(
      fc.property(address, (bytes) => {
        const ours = formattedByUs(bytes);
        assertEquals(parsedByUs(ours), [...bytes]);
        // The form ::1.2.3.4 is deprecated (RFC 4291), and RFC 5952 has groups there.
        const isCompatible = bytes.subarray(0, 12).every((byte) => byte === 0) &&
          (bytes[12] | bytes[13]) !== 0;
        if (isCompatible) assertEquals(ours, new URL(`http://[${ours}]`).hostname.slice(1, -1));
        else assertEquals(ours, formattedByC(bytes));
      }),
      { numRuns: RUNS },
    );
  });

  it("leaves out the first of the longest runs of zeros, and no single one", () => {
    for (
      const [given, told] of [
        ["0:0:0:0:0:0:0:0", "::"],
        ["0:0:0:0:0:0:0:1", "::1"],
        ["1:0:0:0:0:0:0:0", "1::"],
        ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
        ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
        ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
        ["2001:DB8::00A", "2001:db8::a"],
        ["0:0:0:0:0:ffff:7f00:1", "::ffff:127.0.0.1"],
      ]
    ) {
      assertEquals(SocketAddress.of(given, 0).hostname, told);
    }
  });

  it("keeps the port in the network's order", () => {
    for (const hostname of ["127.0.0.1", "::1"]) {
      for (const port of [0, 1, 80, 256, 8080, 65535]) {
        const address = SocketAddress.of(hostname, port);
        assertEquals([address.port, address.hostname], [port, hostname]);
        assertEquals([...address.bytes.subarray(2, 4)], [port >> 8, port & 255]);
      }
    }
  });

  it("says what it could not use", () => {
    assertThrows(
      () => SocketAddress.of("localhost", 80),
      TypeError,
      'cannot use "localhost" as an address: it is not a numeric IPv4 or IPv6 one',
    );
  });
});
