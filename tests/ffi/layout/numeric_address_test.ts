import { describe, it } from "node:test";
import { networkInterfaces } from "node:os";
import { assertEquals, assertThrows } from "@std/assert";
import { SystemError } from "../../../ffi/mod.ts";
import { checkedAddress, familyOf, parseAddress, withoutScope } from "../../../ffi/layout/numeric_address.ts";

describe("a numeric address", () => {
  it("has its interface by number or by name", () => {
    const [first] = Object.entries(networkInterfaces()).flatMap(([name, all]) =>
      (all ?? []).flatMap(({ scopeid }) => scopeid === undefined || scopeid === 0 ? [] : [{ name, scopeid }])
    );
    const cases: [text: string, scope: number][] = [
      ["fe80::1", 0],
      ["fe80::1%0", 0],
      ["fe80::1%7", 7],
      ["fe80::1%4294967295", 4294967295],
      ["fe80::1%lo", 1],
    ];
    if (first !== undefined) cases.push([`fe80::1%${first.name}`, first.scopeid]);
    for (const [text, scope] of cases) {
      assertEquals({ text, scope: parseAddress(text).scope }, { text, scope });
    }
    assertEquals(parseAddress("1.2.3.4"), { bytes: [1, 2, 3, 4], scope: 0 });
  });

  it("names the interface that is not there, and only where that is asked for", () => {
    const error = assertThrows(
      () => parseAddress("fe80::1%nosuch0"),
      SystemError,
      "if_nametoindex nosuch0 failed: No such device",
    );
    assertEquals(error.code, "ENODEV");
    assertEquals(checkedAddress("fe80::1%nosuch0").zone, "nosuch0");
  });

  it("is none with an interface that none can have, or where IPv4 has one", () => {
    const zones = ["", "4294967296", "a b", "a/b", "a%b", "sixteen_letters_", "a\0"];
    for (const text of [...zones.map((zone) => `fe80::1%${zone}`), "1.2.3.4%lo", "%lo", "::g%lo", "name"]) {
      const message = `cannot use ${JSON.stringify(text)} as an address`;
      assertThrows(() => parseAddress(text), TypeError, message);
      assertThrows(() => checkedAddress(text), TypeError, message);
    }
  });

  it("is told apart from a name without a look at the machine's interfaces", () => {
    const families = ["1.2.3.4", "::1", "fe80::1%nosuch0", "fe80::1%", "name", "1.2.3.4%lo", "a:b%c", ""];
    assertEquals(families.map(familyOf), [4, 6, 6, 6, undefined, undefined, undefined, undefined]);
  });

  it("loses its interface alone", () => {
    const texts = ["fe80::1%lo", "fe80::1", "1.2.3.4%lo", "localhost%.example.com", "a:b%c"];
    const left = ["fe80::1", "fe80::1", "1.2.3.4%lo", "localhost%.example.com", "a:b%c"];
    assertEquals(texts.map(withoutScope), left);
  });
});
